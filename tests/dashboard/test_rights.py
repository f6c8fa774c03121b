"""Every route with every role: who gets in, and whose things they see."""

from __future__ import annotations

import pytest

from dashboard.app import bare_app, describe
from dashboard.testing import ONE_OF_EACH, street_jpeg
from dispatch import queries
from dispatch.refused import refuse
from dispatch.testing import CAMERA, EAST_CAMERA, SUN, observation, see
from ingest.originals import Originals
from models.people import Role

W, L, O, A, D = Role.WORKER, Role.LEADER, Role.OPERATOR, Role.ANALYST, Role.ADMINISTRATOR  # noqa: E741
EVERYONE = {W, L, O, A, D}

# What the contract promises, written down a second time on purpose: a route added without a line here fails.
WHO_MAY = {
    ("POST", "/api/sign-out"): EVERYONE,
    ("GET", "/api/me"): EVERYONE,
    ("GET", "/api/taxonomy"): EVERYONE,
    ("GET", "/api/district"): EVERYONE,
    ("GET", "/api/cameras"): EVERYONE,
    ("GET", "/api/cameras/{camera_id}/latest.jpg"): EVERYONE,
    ("GET", "/api/incidents"): EVERYONE,
    ("GET", "/api/incidents/{incident_id}"): EVERYONE,
    ("POST", "/api/incidents/{incident_id}/steps"): {W, L, O, D},
    ("POST", "/api/incidents"): {L, O, D},
    ("POST", "/api/pictures"): {W, L, O, D},
    ("GET", "/api/pictures/{picture}.jpg"): EVERYONE,
    ("GET", "/api/pictures/{picture}/original.jpg"): {D},
    ("GET", "/api/tasks"): {W, L},
    ("GET", "/api/mqtt"): {W, L},
    ("GET", "/api/indicators/funnel"): {L, O, A, D},
    ("GET", "/api/indicators/by-cell"): {L, O, A, D},
    ("GET", "/api/indicators/by-person"): {L, O, A, D},
    ("GET", "/api/indicators/by-subcategory"): {L, O, A, D},
    ("GET", "/api/indicators/incidents"): {L, O, A, D},
    ("GET", "/api/assessment/league"): {L, O, A, D},
    ("GET", "/api/assessment/flagged"): {L, O, A, D},
    ("GET", "/api/assessment/ledger.csv"): {L, O, A, D},
    ("GET", "/api/assessment/ledger.xlsx"): {L, O, A, D},
    ("GET", "/api/coverage"): EVERYONE,
    ("GET", "/api/quarantine"): {O, D},
    ("POST", "/api/quarantine/{refused_id}/{decision}"): {O, D},
    ("GET", "/api/audit"): {D},
    ("GET", "/api/broker-access"): {D},
    ("POST", "/api/broker-access/{identity}/{change}"): {D},
    ("GET", "/api/calendar"): {L, O, D},
    ("POST", "/api/calendar/{day}"): {D},
    ("POST", "/api/calendar/{day}/remove"): {D},
}
OPEN_TO_ALL = {("POST", "/api/sign-in"), ("GET", "/api/health")}
# The live feed never ends by itself; its rights are tested where it is served (test_live).
STREAMS = {("GET", "/api/live")}

BODIES = {
    "/api/incidents/{incident_id}/steps": {"json": {"step": "receive", "key": "k1"}},
    "/api/incidents": {"json": {"camera_id": CAMERA, "subcategory": "B1"}},
    "/api/calendar/{day}": {"json": {"working": False, "note": "台风停工"}},
    "/api/pictures": {"files": {"file": ("photo.jpg", street_jpeg(), "image/jpeg")}},
}


QUERIES = {
    "/api/indicators/incidents": {"indicator": "opened"},
    "/api/assessment/flagged": {"by": "cell", "key": "west"},
    "/api/pictures/{picture}/original.jpg": {"reason": "车牌核查"},
}


def routes():
    paths = describe(bare_app())["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


@pytest.fixture
def incidents(dashboard, tmp_path):
    """One in the west with a kept picture and its original, one in the east."""
    now = dashboard.clock.now()
    dashboard.parts.pictures.originals = Originals(tmp_path / "originals", tmp_path / "keys.json")
    picture = dashboard.parts.pictures.put(street_jpeg())
    dashboard.parts.pictures.originals.put(picture, street_jpeg())
    dashboard.parts.latest.put(CAMERA, street_jpeg(seed=1), now)
    dashboard.parts.latest.put(EAST_CAMERA, street_jpeg(seed=2), now)
    see(dashboard.parts.store, observation(now, picture=picture))
    with dashboard.parts.store.transaction() as session:
        refuse(session, topic="gw/v1/observations/n", payload=b"{", reason="no JSON", at=now)
    east = dashboard.parts.pictures.put(street_jpeg(seed=3))
    see(dashboard.parts.store, observation(now, camera=EAST_CAMERA, picture=east))
    with dashboard.parts.store.reading() as session:
        found = {incident.camera_id: incident for incident in queries.list_incidents(session)}
    return found[CAMERA], found[EAST_CAMERA]


def _address(path, incident):
    return path.format(
        camera_id=incident.camera_id,
        incident_id=incident.incident_id,
        picture=incident.evidence[0].picture,
        refused_id=1,
        decision="discard",
        identity=f"worker:{SUN}",
        change="renew",
        day="2026-12-24",
    )


def _query(path):
    return QUERIES.get(path)


async def _ask(client, method, path, incident):
    return await client.request(method, _address(path, incident), params=_query(path), **BODIES.get(path, {}))


def test_every_route_has_a_line_about_who_may():
    assert routes() == set(WHO_MAY) | OPEN_TO_ALL | STREAMS


@pytest.mark.parametrize(("method", "path"), sorted(WHO_MAY))
async def test_nobody_gets_in_anywhere(browser, incidents, method, path):
    answer = await _ask(browser(None), method, path, incidents[0])
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize("role", sorted(ONE_OF_EACH))
async def test_each_role_gets_in_where_it_may_and_nowhere_else(browser, incidents, role):
    for method, path in sorted(WHO_MAY, key=lambda line: "sign-out" in line[1]):
        answer = await _ask(browser(ONE_OF_EACH[role]), method, path, incidents[0])
        # 409: an operator cannot take the worker's step; that is the incident's answer, not the door's.
        expected = {200, 201, 204, 409} if role in WHO_MAY[method, path] else {403}
        assert answer.status_code in expected, (role, method, path, answer.text)


class TestCells:
    """王伟 and 赵敏 are of the west; the others see everything."""

    SCOPED = (Role.WORKER, Role.LEADER)

    @pytest.mark.parametrize("role", sorted(ONE_OF_EACH))
    async def test_lists_hold_only_ones_own_cells(self, browser, incidents, role):
        client = browser(ONE_OF_EACH[role])
        seen = {each["camera_id"] for each in (await client.get("/api/incidents")).json()["incidents"]}
        cameras = {each["camera_id"] for each in (await client.get("/api/cameras")).json()}
        expected = {CAMERA} if role in self.SCOPED else {CAMERA, EAST_CAMERA}
        assert seen == cameras == expected

    @pytest.mark.parametrize("role", SCOPED)
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/incidents/{incident_id}"),
            ("POST", "/api/incidents/{incident_id}/steps"),
            ("GET", "/api/cameras/{camera_id}/latest.jpg"),
            ("GET", "/api/pictures/{picture}.jpg"),
        ],
    )
    async def test_another_cells_things_are_as_unknown_as_things_that_do_not_exist(
        self, browser, incidents, role, method, path
    ):
        client = browser(ONE_OF_EACH[role])
        theirs = await _ask(client, method, path, incidents[1])
        nowhere = await client.request(
            method,
            path.format(camera_id="no-such", incident_id="no-such", picture="0" * 64),
            **BODIES.get(path, {}),
        )
        assert theirs.status_code == nowhere.status_code == 404
        assert theirs.json() == nowhere.json()

    async def test_a_leader_cannot_report_from_another_cells_camera(self, browser, incidents):
        client = browser(ONE_OF_EACH[Role.LEADER])
        body = {"camera_id": EAST_CAMERA, "subcategory": "B1"}
        assert (await client.post("/api/incidents", json=body)).status_code == 404

    async def test_asking_for_another_cell_by_name_is_refused(self, browser, incidents):
        leader = browser(ONE_OF_EACH[Role.LEADER])
        for path in ("/api/indicators/funnel?cell=east", "/api/indicators/incidents?indicator=opened&cell=east"):
            assert (await leader.get(path)).status_code == 404
        listed = (await leader.get("/api/incidents?cell=east")).json()["incidents"]
        assert listed == []

    async def test_a_leaders_figures_count_only_the_leaders_cells(self, browser, incidents):
        leader, operator = browser(ONE_OF_EACH[Role.LEADER]), browser(ONE_OF_EACH[Role.OPERATOR])
        assert (await leader.get("/api/indicators/funnel")).json()["funnel"]["opened"] == 1
        assert (await operator.get("/api/indicators/funnel")).json()["funnel"]["opened"] == 2
        rows = (await leader.get("/api/indicators/by-cell")).json()["rows"]
        assert [row["key"] for row in rows] == ["west"]

    async def test_a_worker_keeps_sight_of_an_own_task_in_another_cell(self, browser, incidents):
        operator, worker = browser(ONE_OF_EACH[Role.OPERATOR]), browser(ONE_OF_EACH[Role.WORKER])
        east = f"/api/incidents/{incidents[1].incident_id}"
        assert (await worker.get(east)).status_code == 404
        step = {"step": "assign", "key": "lend", "data": {"person": ONE_OF_EACH[Role.WORKER]}}
        assert (await operator.post(f"{east}/steps", json=step)).status_code == 200
        assert (await worker.get(east)).status_code == 200
        listed = (await worker.get("/api/incidents")).json()["incidents"]
        assert [each["camera_id"] for each in listed] == [EAST_CAMERA, CAMERA]

    async def test_workers_get_no_list_of_people(self, browser, incidents):
        assert (await browser(SUN).get("/api/district")).json()["people"] == []
        assert len((await browser(ONE_OF_EACH[Role.OPERATOR]).get("/api/district")).json()["people"]) == 7

    async def test_camera_addresses_are_in_no_answer(self, browser, incidents):
        client = browser(ONE_OF_EACH[Role.ADMINISTRATOR])
        for path in ("/api/cameras", "/api/district", "/api/incidents"):
            assert "west.mp4" not in (await client.get(path)).text
