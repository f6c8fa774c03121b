"""What the worker's phone asks for when it comes back."""

from __future__ import annotations

from dataclasses import replace

import httpx

from dashboard.app import create_app
from dashboard.testing import small_dashboard
from dispatch.broker_access import BrokerAccess
from dispatch.testing import EAST_CAMERA, SUN, WANG, observation, see


async def test_everything_owed_is_there_once_oldest_first(browser, dashboard):
    now = dashboard.clock.now()
    see(dashboard.parts.store, observation(now))
    see(dashboard.parts.store, observation(now, subcategory="B2"))
    see(dashboard.parts.store, observation(now, camera=EAST_CAMERA))
    mine = (await browser(WANG).get("/api/tasks")).json()
    assert [task["number"] for task in mine["tasks"]] == [1, 2]
    assert mine["seq"] == dashboard.parts.feed.seq
    assert [task["number"] for task in (await browser(SUN).get("/api/tasks")).json()["tasks"]] == [3]


async def test_what_is_handled_is_owed_no_more(browser, dashboard):
    see(dashboard.parts.store, observation(dashboard.clock.now()))
    client = browser(WANG)
    task = (await client.get("/api/tasks")).json()["tasks"][0]
    step = {"step": "nothing_here", "key": "k"}
    assert (await client.post(f"/api/incidents/{task['incident_id']}/steps", json=step)).status_code == 200
    assert (await client.get("/api/tasks")).json()["tasks"] == []


async def test_the_brokers_password_is_for_ones_own_topics_and_ends_with_the_shift(browser, dashboard):
    given = (await browser(WANG).get("/api/mqtt")).json()
    access, now = dashboard.parts.broker_access, dashboard.clock.now()
    assert given["ws_url"] == "ws://gridwarden.test:9001/mqtt"
    assert given["tasks_topic"] == "gw/v1/workers/wang/tasks"
    assert access.verify(given["username"], given["password"], now)
    assert access.may(given["username"], "subscribe", given["tasks_topic"])
    assert access.may(given["username"], "publish", given["replies_topic"])
    assert not access.may(given["username"], "subscribe", "gw/v1/workers/sun/tasks")
    dashboard.clock.advance(hours=14)
    assert not access.verify(given["username"], given["password"], dashboard.clock.now())


async def test_who_was_revoked_gets_no_password_and_is_told_so(dashboard):
    revoked = BrokerAccess(b"a secret of enough bytes", lambda identity: None if identity == f"worker:{WANG}" else 0)
    app = create_app(replace(dashboard.parts, broker_access=revoked))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", cookies=dashboard.cookie(WANG)) as client:
        answer = await client.get("/api/mqtt")
        assert (await client.get("/api/tasks")).status_code == 200
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_revoked")


async def test_two_pages_get_two_client_ids(browser):
    client = browser(WANG)
    ids = {(await client.get("/api/mqtt")).json()["client_id"] for _ in range(2)}
    assert len(ids) == 2


async def test_without_a_broker_the_page_is_told_to_pull(tmp_path):
    made = small_dashboard(tmp_path)
    transport = httpx.ASGITransport(made.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", cookies=made.cookie(WANG)) as client:
        answer = await client.get("/api/mqtt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_mqtt")
    made.parts.store.close()
