"""`kill -9` during handling: nothing decided is lost, nothing is told twice."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from dispatch.mqtt import MqttClient
from models.clock import SystemClock
from models.wire import moment
from tests.whole.conftest import Camera, RunningBox, start_box, until

pytestmark = pytest.mark.timeout(240)


async def subscribed_phone(box: RunningBox) -> tuple[MqttClient, dict[str, Any]]:
    """The worker's own credentials, as the app gets them."""
    async with box.signed_in("worker") as client:
        access = (await client.get("/api/mqtt")).raise_for_status().json()
    phone = MqttClient(
        box.mqtt,
        client_id=access["client_id"],
        username=access["username"],
        password=lambda: str(access["password"]),
        subscriptions=[access["tasks_topic"]],
    )
    return phone, access


async def test_a_killed_box_starts_again_with_every_incident_and_no_task_doubled(
    tmp_path: Path, camera: Camera, street: dict[str, bytes]
) -> None:
    first = await start_box(tmp_path / "data", camera.address)
    try:
        phone, access = await subscribed_phone(first)
        async with phone:
            await phone.wait_ready()
            (task,) = await asyncio.wait_for(phone.batch(1), 60)
            task.acknowledge()
            told = json.loads(task.payload)
            await phone.publish(access["replies_topic"], _received(told))
            incident = told["incident"]["incident_id"]
            async with first.signed_in("worker") as worker:
                await until(worker, f"/api/incidents/{incident}", lambda one: one["state"] == "received")
                step = {"step": "accept", "key": "accept-1", "data": {}}
                accepted = await worker.post(f"/api/incidents/{incident}/steps", json=step)
                assert accepted.json()["state"] == "accepted"
                photo = await worker.post("/api/pictures", files={"file": ("p.jpg", street["empty"], "image/jpeg")})
                resolve = {"step": "resolve", "key": "resolve-1", "data": {"photo": photo.json()["picture"]}}
                sending = asyncio.create_task(worker.post(f"/api/incidents/{incident}/steps", json=resolve))
                await asyncio.sleep(0)
                await first.stop(signal.SIGKILL)
                await asyncio.gather(sending, return_exceptions=True)
    finally:
        await first.stop(signal.SIGKILL)

    camera.picture = street["empty"]
    second = await start_box(tmp_path / "data", camera.address)
    try:
        async with second.signed_in("worker") as worker:
            again = await worker.post(f"/api/incidents/{incident}/steps", json=resolve)
            assert again.status_code in (200, 409)  # 409: it had been committed, and checked, before the kill
            closed = await until(worker, f"/api/incidents/{incident}", lambda one: one["state"] == "closed")
            kinds = [event["kind"] for event in closed["timeline"]]  # type: ignore[index,attr-defined]
            assert [kinds.count(kind) for kind in ("open", "accept")] == [1, 1]
            assert kinds.count("resolve") == 1
            listed = (await worker.get("/api/incidents?limit=50")).json()["incidents"]
        assert [one["incident_id"] for one in listed] == [incident]
        assert await second.stop(signal.SIGINT) == 0
    finally:
        await second.stop(signal.SIGKILL)


def _received(told: dict[str, Any]) -> bytes:
    reply = {
        "v": 1,
        "key": "received-1",
        "incident": told["incident"]["incident_id"],
        "step": "receive",
        "at": moment(SystemClock().now()),
        "data": {},
    }
    return json.dumps(reply).encode()
