"""The processes of `gridwarden bench dispatch`: broker, dispatcher, watch node, workers' phones.

Each is started as `python -m gridwarden.bench.dispatch_parts ROLE SETTINGS`, says one JSON line when it is ready, and
one with what it has counted when it ends.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import DISPATCH, BrokerAccess, node_identity, worker_identity
from dispatch.mqtt import MqttClient
from dispatch.people import put_department, put_person, put_roster
from dispatch.places import put_camera, put_cell
from dispatch.service import DispatchService
from dispatch.store.store import Store
from dispatch.testing import NODE, observation
from models import wire
from models.clock import SystemClock
from models.geometry import Box, Polygon
from models.ids import CameraId, CellId, DepartmentId, PersonId
from models.observations import Observation
from models.people import Duty, Person, Post, Role
from models.places import Camera, GridCell
from models.taxonomy import load_taxonomy

SECRET = b"the secret of a throw-away benchmark"

IN_FLIGHT = 400
"""Finds told and not yet committed while catching up: the windows of eight watch nodes (`detect.publisher.WINDOW`)."""

CAMERAS = 400
"""A third of a sub-district's: an incident is compared with those of its camera, so few cameras would not be alike."""

STRIPS = 20
"""Workers with a phone each, as many as are on duty at once in a small sub-district."""

STRIP_DEGREES = 0.0015

AGAIN_S = 5.0
"""A find not committed by then is told again, as the spool does."""

CLOCK = SystemClock()


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


def client(url: str, identity: str, *topics: str) -> MqttClient:
    access = BrokerAccess(SECRET)
    return MqttClient(
        url,
        client_id=identity,
        username=identity,
        password=lambda: access.issue(identity, expires_at=CLOCK.now() + timedelta(hours=2)),
        subscriptions=topics,
    )


async def stopped() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


async def broker(_settings: dict[str, Any]) -> None:
    async with EmbeddedBroker("127.0.0.1", 0, 0, BrokerAccess(SECRET), clock=CLOCK) as running:
        say(ready=running.url)
        await stopped()


async def dispatcher(settings: dict[str, Any]) -> None:
    access = BrokerAccess(SECRET)
    store = Store.open(settings["database"], clock=CLOCK)
    service = DispatchService(
        store, settings["broker"], lambda: access.issue(DISPATCH, expires_at=CLOCK.now() + timedelta(hours=2))
    )
    running = asyncio.create_task(service.run())
    await service.wait_ready()
    say(ready=True)
    await stopped()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    say(counters=service.counters())
    store.close()


def fill(store: Store) -> None:
    """Strips of a street grid, each with its worker, its cameras and a leader over all."""
    with store.transaction() as session:
        for department in store.practice.taxonomy.departments.values():
            put_department(session, department)
        for strip in range(STRIPS):
            west = 120.0 + strip * STRIP_DEGREES
            corners = ((west, 30.0), (west + STRIP_DEGREES, 30.0), (west + STRIP_DEGREES, 30.1), (west, 30.1))
            put_cell(session, GridCell(CellId(f"strip-{strip}"), f"S{strip}", f"{strip}", Polygon(corners)))
            put_person(session, Person(worker_of(strip), f"{strip}", Role.WORKER, DepartmentId("CG")))
        put_roster(session, [Duty(CellId(f"strip-{n}"), worker_of(n), Post.WORKER) for n in range(STRIPS)])
        for number in range(CAMERAS):
            put_camera(session, _camera(number))


def worker_of(strip: int) -> PersonId:
    return PersonId(f"worker-{strip}")


def _camera(number: int) -> Camera:
    """So far apart that none sees another's ground."""
    position = (120.0 + (number % STRIPS + 0.5) * STRIP_DEGREES, 30.002 + number // STRIPS * 0.0012)
    return Camera(CameraId(f"bench-{number}"), f"{number}", "file:none.mp4", position, NODE)


def places() -> Iterator[tuple[CameraId, str, Box]]:
    """Camera, subcategory and box, no two of which are one problem; each camera has its turn."""
    boxes = [Box(0.1 * x, 0.1 * y, 0.1 * x + 0.05, 0.1 * y + 0.05) for y in range(9) for x in range(9)]
    codes = sorted(load_taxonomy().subcategories)
    yield from (
        (CameraId(f"bench-{number}"), code, box) for box in boxes for code in codes for number in range(CAMERAS)
    )


@dataclass(slots=True)
class Node:
    """A watch node with a spool: what is not committed is told again."""

    mqtt: MqttClient
    waiting: dict[str, tuple[float, Observation]] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)
    told: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, seen: Observation) -> None:
        self.waiting[seen.key] = asyncio.get_running_loop().time(), seen
        self.told += 1
        body = json.dumps(wire.observation_message(seen), ensure_ascii=False)
        await self.mqtt.publish(wire.observations_topic(NODE), body.encode())

    async def hear(self) -> None:
        async for message in self.mqtt.messages():
            message.acknowledge()
            for key in json.loads(message.payload)["keys"]:
                self.waiting.pop(key, None)
                self.committed.add(key)
            self.changed.set()

    async def repeat(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            late = asyncio.get_running_loop().time() - AGAIN_S
            for seen in [seen for told, seen in self.waiting.values() if told < late][:100]:
                if seen.key in self.waiting:
                    await self.tell(seen)

    async def fewer_than(self, number: int) -> None:
        while len(self.waiting) >= number:
            self.changed.clear()
            await self.changed.wait()


async def watcher(settings: dict[str, Any]) -> None:
    """First at an even rate, then a backlog as fast as it is taken."""
    rate, seconds, backlog = settings["rate"], settings["seconds"], settings["backlog"]
    loop, spots = asyncio.get_running_loop(), places()
    async with client(settings["broker"], node_identity(NODE), wire.committed_topic(NODE)) as mqtt:
        await mqtt.wait_ready()
        node = Node(mqtt)
        helpers = [asyncio.create_task(node.hear()), asyncio.create_task(node.repeat())]
        say(ready=True)
        begun = loop.time()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            await node.tell(_find(number, spots))
        await node.fewer_than(1)
        steady = loop.time() - begun
        say(steady=True, sent=len(node.committed), seconds=steady)
        begun = loop.time()
        telling: set[asyncio.Task[None]] = set()
        for number in range(int(rate * seconds), int(rate * seconds) + backlog):
            await node.fewer_than(IN_FLIGHT)
            task = asyncio.create_task(node.tell(_find(number, spots)))
            telling.add(task)
            task.add_done_callback(telling.discard)
            if number % 50 == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*telling)
        await node.fewer_than(1)
        say(sent=len(node.committed), told=node.told, catch_up_s=loop.time() - begun)
        for helper in helpers:
            helper.cancel()


def _find(number: int, spots: Iterator[tuple[CameraId, str, Box]]) -> Observation:
    camera, code, box = next(spots)
    return observation(CLOCK.now(), key=f"find-{number}", camera=camera, subcategory=code, box=box)


async def phones(settings: dict[str, Any]) -> None:
    """Every worker's phone, subscribed and answering `receive` as the page does."""
    told: Counter[tuple[str, int]] = Counter()
    first: dict[str, float] = {}

    async def listen(person: str) -> None:
        async with client(settings["broker"], worker_identity(person), wire.tasks_topic(person)) as mqtt:
            await mqtt.wait_ready()
            waiting.discard(person)
            if not waiting:
                say(ready=True)
            async for message in mqtt.messages():
                task = json.loads(message.payload)
                incident = task["incident"]
                taken = datetime.fromisoformat(incident["last_seen_at"])
                first.setdefault(incident["incident_id"], (CLOCK.now() - taken).total_seconds() * 1000)
                told[incident["incident_id"], task["seq"]] += 1
                message.acknowledge()
                reply = asyncio.create_task(mqtt.publish(wire.replies_topic(person), _received(task)))
                replies.add(reply)
                reply.add_done_callback(replies.discard)

    replies: set[asyncio.Task[None]] = set()
    waiting = {str(worker_of(strip)) for strip in range(STRIPS)}
    tasks = [asyncio.create_task(listen(person)) for person in sorted(waiting)]
    stop = asyncio.create_task(stopped())
    while not stop.done():
        await asyncio.wait([stop], timeout=0.5)
        say(delivered=len(first))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    say(first=first, repeated=sum(times - 1 for times in told.values()))


def _received(task: dict[str, Any]) -> bytes:
    reply = {
        "v": wire.VERSION,
        "key": f"bench-{task['seq']}",
        "incident": task["incident"]["incident_id"],
        "step": "receive",
        "at": wire.moment(CLOCK.now()),
        "data": {},
    }
    return json.dumps(reply).encode()


ROLES = {"broker": broker, "dispatcher": dispatcher, "watcher": watcher, "phones": phones}

if __name__ == "__main__":
    asyncio.run(ROLES[sys.argv[1]](json.loads(sys.argv[2])))
