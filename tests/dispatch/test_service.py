"""The dispatcher running against real brokers: the embedded one and, where it is installed, Mosquitto."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import BrokerAccess
from dispatch.mqtt import MqttClient
from dispatch.nodes import list_nodes
from dispatch.queries import list_incidents, timeline
from dispatch.refused import refused_messages
from dispatch.service import DispatchService
from dispatch.store.store import Store
from dispatch.testing import NODE, PHOTO, WANG, observation
from dispatch.verify_log import verify_log
from models import wire
from models.clock import SystemClock
from models.incidents import IncidentState
from models.observations import Applied, Observation, Verdict, Verification
from models.text import Text

Password = Callable[[str], Callable[[], str]]
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[str]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(settings)], stderr=subprocess.DEVNULL)
    yield f"mqtt://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(params=["embedded", "mosquitto"])
def broker_url(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto":
        return str(request.getfixturevalue("mosquitto"))
    return str(request.getfixturevalue("broker").url)


@asynccontextmanager
async def running(store: Store, url: str, password: Password) -> AsyncIterator[DispatchService]:
    service = DispatchService(store, url, password("dispatch"), sweep_every_s=0.2)
    task = asyncio.create_task(service.run())
    await service.wait_ready()
    try:
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass
class Ear:
    """A client that keeps what it hears and lets a test wait for it."""

    mqtt: MqttClient
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for message in self.heard:
            if wanted(message):
                return message
        while True:
            (incoming,) = await self.mqtt.batch(1)
            incoming.acknowledge()
            message = json.loads(incoming.payload)
            self.heard.append(message)
            if wanted(message):
                return message

    async def say(self, topic: str, message: dict[str, Any]) -> None:
        await self.mqtt.publish(topic, json.dumps(message).encode())


@asynccontextmanager
async def listening(url: str, identity: str, password: Password, *topics: str) -> AsyncIterator[Ear]:
    client = MqttClient(url, client_id=identity, username=identity, password=password(identity), subscriptions=topics)
    async with client:
        await client.wait_ready()
        yield Ear(client)


def node(url: str, password: Password) -> Any:
    return listening(url, "node:node-1", password, wire.committed_topic(NODE), wire.requests_topic(NODE))


def wang(url: str, password: Password) -> Any:
    return listening(url, "worker:wang", password, wire.tasks_topic(WANG), wire.answers_topic(WANG))


async def tell(ear: Ear, seen: Observation) -> None:
    await ear.say(wire.observations_topic(NODE), wire.observation_message(seen))


def reply(incident: str, step: str, **data: str) -> dict[str, Any]:
    at = wire.moment(SystemClock().now())
    return {"v": 1, "key": f"{step}-{incident}", "incident": incident, "step": step, "at": at, "data": data}


async def test_a_find_reaches_the_worker_is_handled_checked_and_closed(
    live_store: Store, broker_url: str, password: Password
) -> None:
    async with (
        running(live_store, broker_url, password) as service,
        node(broker_url, password) as camera,
        wang(broker_url, password) as phone,
    ):
        seen = observation(SystemClock().now())
        await tell(camera, seen)
        await camera.until(lambda message: seen.key in message.get("keys", ()))
        task = await phone.until(lambda message: message.get("kind") == "assigned")
        incident = task["incident"]["incident_id"]
        for step, data in (("receive", {}), ("accept", {}), ("resolve", {"photo": PHOTO})):
            await phone.say(wire.replies_topic(WANG), reply(incident, step, **data))
            answer = await phone.until(lambda message, step=step: message.get("key") == f"{step}-{incident}")
            assert answer["ok"]
        request = await camera.until(lambda message: message.get("type") == "verify")
        await camera.say(wire.observations_topic(NODE), wire.verification_message(gone(request)))
        seq = service.feed.seq
        while (await state(live_store, incident)) is not IncidentState.CLOSED:
            seq = await service.changed(seq)
    assert verify_log(live_store).clean


async def test_nothing_here_masks_the_place_and_is_asked_until_applied(
    live_store: Store, broker: EmbeddedBroker, password: Password
) -> None:
    async with (
        running(live_store, broker.url, password),
        node(broker.url, password) as camera,
        wang(broker.ws_url, password) as phone,
    ):
        await tell(camera, observation(SystemClock().now()))
        task = await phone.until(lambda message: message.get("kind") == "assigned")
        await phone.say(wire.replies_topic(WANG), reply(task["incident"]["incident_id"], "nothing_here"))
        request = await camera.until(lambda message: message.get("type") == "suppress")
        applied = wire.applied_message(Applied(request["key"], NODE))
        await camera.say(wire.observations_topic(NODE), applied)
        await camera.until(lambda message: request["key"] in message.get("keys", ()))


async def test_what_cannot_be_used_is_kept_aside_and_the_rest_goes_on(
    live_store: Store, broker_url: str, password: Password
) -> None:
    good = observation(SystemClock().now(), key="good")
    async with (
        running(live_store, broker_url, password) as service,
        node(broker_url, password) as camera,
        wang(broker_url, password) as phone,
    ):
        topic = wire.observations_topic(NODE)
        for payload in (b"", b"\xff\x00", b"[" * 9000, b'{"v":1,"type":"observation","key":"half"}'):
            await camera.mqtt.publish(topic, payload)
        await camera.say(topic, wire.observation_message(good) | {"node": "another"})
        await phone.mqtt.publish(wire.replies_topic(WANG), b"not json")
        await tell(camera, good)
        await camera.until(lambda message: "good" in message.get("keys", ()))
        await camera.until(lambda message: "half" in message.get("keys", ()))
        await phone.until(lambda message: message.get("kind") == "assigned")
        assert service.counters()["committed"] == 1
    with live_store.reading() as session:
        assert len(refused_messages(session)) == 6
        assert all(message.reason for message in refused_messages(session))


async def test_repeated_and_mixed_up_messages_make_each_incident_once(
    live_store: Store, broker_url: str, password: Password
) -> None:
    from models.geometry import Box

    seen = [
        observation(SystemClock().now(), key=f"key-{place}", box=Box(0.1 * place, 0.1, 0.1 * place + 0.05, 0.2))
        for place in range(5)
    ]
    async with (
        running(live_store, broker_url, password),
        node(broker_url, password) as camera,
        wang(broker_url, password) as phone,
    ):
        for item in (*reversed(seen), *seen, *seen[::2]):
            await tell(camera, item)
        told: set[int] = set()
        while len(told) < 5:
            task = await phone.until(lambda message: message.get("seq") not in told)
            told.add(task["seq"])
    with live_store.reading() as session:
        assert [incident.sightings for incident in list_incidents(session)] == [1] * 5


async def test_a_node_that_goes_is_known_to_be_gone(
    live_store: Store, broker: EmbeddedBroker, password: Password
) -> None:
    async with running(live_store, broker.url, password) as service, node(broker.url, password) as camera:
        await camera.say(wire.status_topic(NODE), {"v": 1, "online": False, "at": "2026-11-23T02:00:00Z"})
        while not service.counters()["committed"]:  # noqa: ASYNC110 - a status is no event that the feed would tell
            await asyncio.sleep(0.01)
    with live_store.reading() as session:
        assert [(state.node_id, state.online) for state in list_nodes(session)] == [(NODE, False)]


async def test_the_broker_may_go_and_come_back_and_the_task_arrives(
    live_store: Store, access: BrokerAccess, password: Password
) -> None:
    clock = SystemClock()
    async with EmbeddedBroker("127.0.0.1", 0, 0, access, clock=clock) as first:
        port = first.port
        service = DispatchService(live_store, first.url, password("dispatch"))
        task = asyncio.create_task(service.run())
        await service.wait_ready()
    from dispatch.testing import see

    await asyncio.to_thread(see, live_store, observation(clock.now()))
    async with (
        EmbeddedBroker("127.0.0.1", port, 0, access, clock=clock) as second,
        wang(second.url, password) as phone,
    ):
        assert (await phone.until(lambda message: message.get("kind") == "assigned"))["seq"] == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_stops_when_cancelled_even_without_a_broker(live_store: Store, password: Password) -> None:
    service = DispatchService(live_store, "mqtt://127.0.0.1:1", password("dispatch"))
    task = asyncio.create_task(service.run())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5)
    assert not service.connected


def gone(request: dict[str, Any]) -> Verification:
    return Verification(
        key=request["key"],
        node_id=NODE,
        camera_id=request["camera"],
        incident_id=request["incident"],
        verdict=Verdict.GONE,
        captured_at=SystemClock().now(),
        why=Text("已清理", "gone"),
    )


async def state(store: Store, incident: str) -> IncidentState:
    with store.reading() as session:
        return timeline(session, incident)[-1].after
