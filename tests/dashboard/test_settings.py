"""What operators and administrators look after."""

from __future__ import annotations

import json

import pytest

from dashboard.testing import ADMINISTRATOR
from dispatch import accounts, queries
from dispatch.inbox import Inbox
from dispatch.mqtt import Incoming
from dispatch.places import put_camera
from dispatch.testing import CENTRE, NODE, WANG, observation, see
from models.ids import CameraId
from models.places import Camera
from models.wire import observation_message

NEW_CAMERA = CameraId("not-yet-there")


def arrive(dashboard, topic: str, payload: bytes) -> None:
    Inbox(dashboard.parts.store).take([Incoming(topic, payload, lambda: None)])


def incidents_of(dashboard) -> int:
    with dashboard.parts.store.reading() as session:
        return len(queries.list_incidents(session))


class TestQuarantine:
    async def test_a_message_that_could_not_be_used_is_shown_with_its_reason(self, browser, dashboard):
        arrive(dashboard, "gw/v1/observations/node-1", b'{"camera": "\xe6')
        (one,) = (await browser(CENTRE).get("/api/quarantine")).json()
        assert one["topic"] == "gw/v1/observations/node-1"
        assert one["outcome"] == "waiting"
        assert one["reason"]

    async def test_what_still_cannot_be_used_stays_waiting_and_says_why(self, browser, dashboard):
        arrive(dashboard, "gw/v1/observations/node-1", b"[]")
        answer = await browser(CENTRE).post("/api/quarantine/1/redrive")
        assert answer.status_code == 422
        assert (await browser(CENTRE).get("/api/quarantine")).json()[0]["outcome"] == "waiting"

    async def test_a_find_of_a_camera_that_was_unknown_is_driven_again_once_it_is_known(self, browser, dashboard):
        found = observation(dashboard.clock.now(), camera=NEW_CAMERA)
        arrive(dashboard, "gw/v1/observations/node-1", json.dumps(observation_message(found)).encode())
        assert (await browser(CENTRE).post("/api/quarantine/1/redrive")).status_code in {404, 409, 422}
        with dashboard.parts.store.transaction() as session:
            put_camera(session, Camera(NEW_CAMERA, "新装", "file:new.mp4", (120.05, 30.05), NODE))
        assert (await browser(CENTRE).post("/api/quarantine/1/redrive")).status_code == 204
        assert incidents_of(dashboard) == 1
        assert (await browser(CENTRE).get("/api/quarantine")).json()[0]["decided_by"] == "指挥中心"

    async def test_what_is_discarded_is_decided_once(self, browser, dashboard):
        arrive(dashboard, "gw/v1/observations/node-1", b"[]")
        assert (await browser(CENTRE).post("/api/quarantine/1/discard")).status_code == 204
        assert (await browser(CENTRE).post("/api/quarantine/1/discard")).status_code == 404
        with dashboard.parts.store.reading() as session:
            assert accounts.audit_entries(session)[0].action == "message_discard"


class TestAudit:
    async def test_it_is_read_page_by_page_and_by_kind(self, browser, dashboard):
        now = dashboard.clock.now()
        with dashboard.parts.store.transaction() as session:
            for number in range(5):
                accounts.audit(session, person_id=WANG, action="view_picture", subject=str(number), at=now)
            accounts.audit(session, person_id=None, action="sign_in_refused", subject="x", at=now)
        client = browser(ADMINISTRATOR)
        first = (await client.get("/api/audit", params={"action": "view_picture", "limit": 3})).json()
        assert [one["subject"] for one in first["entries"]] == ["4", "3", "2"]
        assert first["entries"][0]["person"] == "王伟"
        rest = await client.get(
            "/api/audit", params={"action": "view_picture", "limit": 3, "before": first["next_before"]}
        )
        assert [one["subject"] for one in rest.json()["entries"]] == ["1", "0"]
        assert rest.json()["next_before"] is None


class TestAccess:
    async def test_a_lost_phone_is_signed_out_and_its_renewal_audited(self, browser, dashboard):
        phone = browser(WANG)
        assert (await phone.get("/api/tasks")).status_code == 200
        answer = await browser(ADMINISTRATOR).post(f"/api/broker-access/worker:{WANG}/renew")
        assert answer.status_code == 204
        assert (await phone.get("/api/tasks")).status_code == 401
        shown = {one["identity"]: one for one in (await browser(ADMINISTRATOR).get("/api/broker-access")).json()}
        assert shown[f"worker:{WANG}"]["changed_at"]
        assert not shown[f"worker:{WANG}"]["revoked"]
        with dashboard.parts.store.reading() as session:
            assert accounts.audit_entries(session)[0].action == "broker_renew"

    @pytest.mark.parametrize("identity", ["worker:nobody", "dispatch", "worker:centre"])
    async def test_who_does_not_connect_cannot_be_revoked(self, browser, identity):
        assert (await browser(ADMINISTRATOR).post(f"/api/broker-access/{identity}/revoke")).status_code == 404


class TestCalendar:
    async def test_a_declared_holiday_moves_the_deadlines_that_run_through_it(self, browser, dashboard):
        see(dashboard.parts.store, observation(dashboard.clock.now()))
        client = browser(ADMINISTRATOR)
        due = (await client.get("/api/incidents")).json()["incidents"][0]["assignment"]["due_at"]
        put = await client.post(f"/api/calendar/{due[:10]}", json={"working": False, "note": "台风停工"})
        assert put.json()["changed"] == 1
        assert put.json()["days"][0]["note"] == "台风停工"
        assert (await client.get("/api/incidents")).json()["incidents"][0]["assignment"]["due_at"] > due
        back = await client.post(f"/api/calendar/{due[:10]}/remove")
        assert back.json() == {"days": [], "changed": 1}
        assert (await client.get("/api/incidents")).json()["incidents"][0]["assignment"]["due_at"] == due

    async def test_a_day_that_does_not_exist_is_refused(self, browser):
        answer = await browser(ADMINISTRATOR).post("/api/calendar/2026-02-30", json={"working": True})
        assert answer.status_code == 422
