"""Listing, opening, stepping and reporting, as the pages do it."""

from __future__ import annotations

import pytest

from dashboard.testing import street_jpeg
from dispatch import queries
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, WANG, observation, see
from models.geometry import Box


@pytest.fixture
def incident(dashboard):
    see(dashboard.parts.store, observation(dashboard.clock.now()))
    with dashboard.parts.store.reading() as session:
        return queries.list_incidents(session, limit=1)[0]


def _many(dashboard, count, **changes):
    """Side by side, so that none is taken for another."""
    for number in range(count):
        left = 0.05 + 0.9 * number / count
        box = Box(left, 0.1, left + 0.5 / count, 0.2)
        see(dashboard.parts.store, observation(dashboard.clock.now(), box=box, **changes))


async def _step(client, incident_id, step, key="k", **data):
    return await client.post(f"/api/incidents/{incident_id}/steps", json={"step": step, "key": key, "data": data})


async def _listed(client, **asked):
    return (await client.get("/api/incidents", params=asked)).json()["incidents"]


class TestTheList:
    async def test_an_incident_tells_everything_a_card_shows(self, browser, incident):
        shown = (await browser(WANG).get("/api/incidents")).json()["incidents"][0]
        assert shown["number"] == 1
        assert shown["subcategory"]["code"] == "B1"
        assert shown["category"] == "B"
        assert shown["camera_name"] == "西门"
        assert shown["cell_name"] == "西网格"
        assert shown["why"]["zh"].startswith("3 袋垃圾")
        assert shown["assignment"]["person_name"] == "王伟"
        assert shown["opened_at"].endswith("Z")
        assert shown["evidence"][0]["role"] == "found"
        assert shown["steps"] == ["receive", "accept", "resolve", "return", "nothing_here"]
        assert shown["overdue"] is False

    async def test_pages_follow_one_another_without_gap_or_repeat(self, browser, dashboard):
        _many(dashboard, 7)
        client, before, numbers = browser(CENTRE), None, []
        while True:
            page = (
                await client.get("/api/incidents", params={"limit": 3} | ({"before": before} if before else {}))
            ).json()
            numbers += [each["number"] for each in page["incidents"]]
            before = page["next_before"]
            if before is None:
                break
        assert numbers == [7, 6, 5, 4, 3, 2, 1]

    async def test_open_and_finished_ones_are_told_apart(self, browser, dashboard, incident):
        _many(dashboard, 1, subcategory="B2")
        await _step(browser(WANG), incident.incident_id, "nothing_here")
        client = browser(CENTRE)

        async def numbers(**asked):
            return [each["number"] for each in (await client.get("/api/incidents", params=asked)).json()["incidents"]]

        assert await numbers(open="true") == [2]
        assert await numbers(open="false") == [1]
        assert await numbers(state="rejected") == [1]
        assert await numbers(state="rejected", open="true") == []
        assert await numbers(subcategory="B2") == [2]
        assert await numbers(cell="west") == [2, 1]
        assert await numbers(cell="east") == []

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("1", [1]),
            ("西门 垃圾", [1]),
            ("王伟", [1]),
            ("东门", [2]),
            ("孙洋", [2]),
            ("GARBAGE", [2, 1]),
            ("nothing", []),
            ("%", []),
            ("9" * 100, []),
        ],
    )
    async def test_words_are_looked_for_where_people_expect_them(self, browser, dashboard, incident, words, found):
        """Both incidents have the same reason; places and people tell them apart."""
        see(dashboard.parts.store, observation(dashboard.clock.now(), camera=EAST_CAMERA, subcategory="H1"))
        answer = (await browser(CENTRE).get("/api/incidents", params={"q": words})).json()
        assert [each["number"] for each in answer["incidents"]] == found

    async def test_a_number_one_may_not_see_is_not_found(self, browser, dashboard, incident):
        assert (await browser("sun").get("/api/incidents", params={"q": "1"})).json()["incidents"] == []

    @pytest.mark.parametrize(
        "asked", [{"before": 10**30}, {"before": 0}, {"limit": 0}, {"limit": 10**9}, {"state": "x"}]
    )
    async def test_figures_beyond_reason_are_refused(self, browser, asked):
        assert (await browser(CENTRE).get("/api/incidents", params=asked)).status_code == 422

    async def test_a_search_goes_on_where_the_page_ended(self, browser, dashboard):
        _many(dashboard, 5)
        client = browser(CENTRE)
        first = (await client.get("/api/incidents", params={"q": "西门", "limit": 2})).json()
        second = (
            await client.get("/api/incidents", params={"q": "西门", "limit": 10, "before": first["next_before"]})
        ).json()
        assert [each["number"] for each in first["incidents"] + second["incidents"]] == [5, 4, 3, 2, 1]
        assert second["next_before"] is None

    async def test_an_overdue_one_says_so(self, browser, dashboard, incident):
        dashboard.clock.advance(hours=24 * 10)
        assert (await browser(WANG).get("/api/incidents")).json()["incidents"][0]["overdue"] is True

    async def test_the_overdue_ones_alone_are_those_that_say_so(self, browser, dashboard, incident):
        """One assigned, one whose clock is paused, one finished; then one that is new."""
        _many(dashboard, 2, subcategory="B2")
        ids = {each["number"]: each["incident_id"] for each in await _listed(browser(CENTRE))}
        assert (await _step(browser(CENTRE), ids[2], "suspend", reason="等备件")).status_code == 200
        assert (await _step(browser(CENTRE), ids[3], "nothing_here")).status_code == 200
        dashboard.clock.advance(hours=24 * 10)
        see(dashboard.parts.store, observation(dashboard.clock.now(), subcategory="A1"))
        late = await _listed(browser(CENTRE), overdue="true")
        everything = await _listed(browser(CENTRE))
        assert [each["number"] for each in late] == [each["number"] for each in everything if each["overdue"]] == [1]

    async def test_a_category_holds_its_subcategories(self, browser, dashboard, incident):
        see(dashboard.parts.store, observation(dashboard.clock.now(), subcategory="A1", camera=EAST_CAMERA))
        client = browser(CENTRE)

        async def numbers(**asked):
            return [each["number"] for each in await _listed(client, **asked)]

        assert await numbers(category="B") == [1]
        assert await numbers(category="A") == [2]
        assert await numbers(category="A", subcategory="B1") == []
        assert await numbers(category="Z") == []
        assert await numbers(category="A", q="2") == [2]
        assert await numbers(category="B", q="2") == []
        assert await numbers(q="#2") == [2]

    async def test_a_period_is_when_it_was_opened_and_its_end_is_outside(self, browser, dashboard, incident):
        client = browser(CENTRE)
        opened = (await _listed(client))[0]["opened_at"]
        assert len(await _listed(client, since=opened)) == 1
        assert await _listed(client, until=opened) == []
        assert (await client.get("/api/incidents", params={"since": "2026-01-01T00:00:00"})).status_code == 422

    async def test_a_long_search_in_many_words_is_answered(self, browser, incident):
        """A hundred characters are at most fifty words; each asks the directory too."""
        answer = await browser(CENTRE).get("/api/incidents", params={"q": "袋 " * 50})
        assert [each["number"] for each in answer.json()["incidents"]] == [1]


class TestOne:
    async def test_the_timeline_tells_who_did_what_in_order(self, browser, incident):
        await _step(browser(WANG), incident.incident_id, "accept")
        detail = (await browser(CENTRE).get(f"/api/incidents/{incident.incident_id}")).json()
        told = [(event["kind"], event["actor"]["name"]) for event in detail["timeline"]]
        assert told == [("open", "西门"), ("assign", ""), ("accept", "王伟")]
        assert detail["timeline"][1]["data"]["person_name"] == "王伟"
        assert [event["seq"] for event in detail["timeline"]] == sorted(e["seq"] for e in detail["timeline"])
        assert "cause" not in detail["timeline"][0]


class TestSteps:
    async def test_a_worker_handles_a_task_with_a_photo(self, browser, incident):
        client = browser(WANG)
        assert (await _step(client, incident.incident_id, "accept", "k1")).json()["state"] == "accepted"
        upload = await client.post("/api/pictures", files={"file": ("p.jpg", street_jpeg(), "image/jpeg")})
        done = await _step(client, incident.incident_id, "resolve", "k2", photo=upload.json()["picture"])
        assert done.status_code == 200
        assert done.json()["state"] == "verifying"
        assert [each["role"] for each in done.json()["evidence"]] == ["found", "worker"]

    async def test_the_same_key_again_changes_nothing_and_answers_the_same(self, browser, dashboard, incident):
        client = browser(WANG)
        first = await _step(client, incident.incident_id, "accept", "same")
        again = await _step(client, incident.incident_id, "accept", "same")
        assert (again.status_code, again.json()) == (200, first.json())
        with dashboard.parts.store.reading() as session:
            kinds = [event.kind for event in queries.timeline(session, incident.incident_id)]
        assert kinds.count("accept") == 1

    async def test_an_equal_key_of_another_person_is_another_step(self, browser, incident):
        await _step(browser(WANG), incident.incident_id, "accept", "k")
        refused = await _step(browser(CENTRE), incident.incident_id, "extend", "k", reason="下雨")
        assert refused.status_code == 200
        assert refused.json()["extensions"] == 1

    async def test_a_step_that_is_not_possible_now_says_where_the_incident_stands(self, browser, incident):
        await _step(browser(WANG), incident.incident_id, "nothing_here")
        answer = await _step(browser(WANG), incident.incident_id, "accept", "late")
        assert answer.status_code == 409
        assert answer.json()["error"] == {
            "code": "refused",
            "zh": "案件现在是“已作废”，不能“接单”。",
            "en": "The incident is “rejected” now; “accept” is not possible.",
            "state": "rejected",
        }

    @pytest.mark.parametrize(
        ("person", "step", "words"),
        [
            (WANG, "resolve", "还缺：现场照片"),
            (WANG, "return", "还缺：原因"),
            (WANG, "suspend", "要由"),
            ("li", "accept", "现在的处置人"),
            (CENTRE, "accept", "要由网格长、网格员来做"),
            (CENTRE, "verify", "不能“核查”"),
        ],
    )
    async def test_each_refusal_says_what_stands_in_the_way(self, browser, incident, person, step, words):
        answer = await _step(browser(person), incident.incident_id, step)
        assert answer.status_code == 409
        assert words in answer.json()["error"]["zh"]
        assert answer.json()["error"]["state"] == "assigned"

    async def test_a_third_extension_is_refused_in_words(self, browser, incident):
        client = browser(CENTRE)
        for key in ("1", "2"):
            assert (await _step(client, incident.incident_id, "extend", key, reason="下雨")).status_code == 200
        third = await _step(client, incident.incident_id, "extend", "3", reason="下雨")
        assert third.json()["error"]["zh"] == "已经延期两次，不能再延。"

    async def test_a_photo_that_was_never_uploaded_is_refused(self, browser, incident):
        answer = await _step(browser(WANG), incident.incident_id, "resolve", photo="0" * 64)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "unknown_picture"

    async def test_an_unknown_assignee_is_not_found(self, browser, incident):
        assert (await _step(browser(CENTRE), incident.incident_id, "assign", person="ghost")).status_code == 404

    @pytest.mark.parametrize(
        "body",
        [
            {"step": "dance", "key": "k"},
            {"step": "accept"},
            {"step": "accept", "key": ""},
            {"step": "accept", "key": "k" * 65},
            {"step": "accept", "key": "k", "extra": 1},
            {"step": "return", "key": "k", "data": {"reason": "x" * 501}},
            {"step": "resolve", "key": "k", "data": {"photo": "../../etc/passwd"}},
        ],
    )
    async def test_a_malformed_step_names_the_field(self, browser, incident, body):
        answer = await browser(WANG).post(f"/api/incidents/{incident.incident_id}/steps", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "invalid"

    async def test_merging_into_an_incident_one_may_not_see_is_not_found(self, browser, dashboard, incident):
        see(dashboard.parts.store, observation(dashboard.clock.now(), camera=EAST_CAMERA))
        with dashboard.parts.store.reading() as session:
            east = queries.list_incidents(session, limit=1)[0]
        assert (await _step(browser("zhao"), incident.incident_id, "merge", into=east.incident_id)).status_code == 404
        assert (await _step(browser(CENTRE), incident.incident_id, "merge", into=east.incident_id)).status_code == 200


class TestReporting:
    BODY = {"camera_id": CAMERA, "subcategory": "B1", "box": [0.1, 0.1, 0.3, 0.4], "note": "垃圾房门口", "key": "r1"}  # noqa: RUF012

    async def test_an_operators_report_becomes_an_incident_with_the_picture_seen(self, browser, dashboard):
        dashboard.parts.latest.put(CAMERA, street_jpeg(), dashboard.clock.now())
        answer = await browser(CENTRE).post("/api/incidents", json=self.BODY)
        assert answer.status_code == 201
        made = answer.json()
        assert "垃圾房门口" in made["why"]["zh"]
        assert made["assignment"]["person_name"] == "王伟"
        assert made["box"] == [0.1, 0.1, 0.3, 0.4]
        picture = await browser(WANG).get(f"/api/pictures/{made['evidence'][0]['picture']}.jpg")
        assert picture.content == street_jpeg()

    async def test_pressing_twice_reports_once(self, browser):
        client = browser(CENTRE)
        first, second = [(await client.post("/api/incidents", json=self.BODY)).json() for _ in range(2)]
        assert first["incident_id"] == second["incident_id"]

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"subcategory": "Z9"}, 422),
            ({"box": [0.5, 0.1, 0.3, 0.4]}, 422),
            ({"box": [0, 0, 1, 7]}, 422),
            ({"camera_id": "no-such"}, 404),
            ({"note": "x" * 501}, 422),
        ],
    )
    async def test_a_report_that_makes_no_sense_is_refused(self, browser, change, status):
        assert (await browser(CENTRE).post("/api/incidents", json=self.BODY | change)).status_code == status
