"""What the crash tests share: a dispatcher to kill, a watch node's spool, a worker's phone, the account afterwards."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dispatch.mqtt import BrokerGoneError, MqttClient
from dispatch.queries import list_incidents, timeline
from dispatch.store.store import Store
from dispatch.testing import NODE, WANG, observation
from dispatch.verify_log import verify_log
from models import wire
from models.clock import SystemClock
from models.geometry import Box
from models.observations import Observation

DISPATCHER = """
import asyncio, os, resource, signal, sys
from dispatch.service import DispatchService
from dispatch.store.store import Store
from models.clock import SystemClock

async def main(database, broker, password, largest_file):
    store = Store.open(database, clock=SystemClock())
    if int(largest_file):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), resource.RLIM_INFINITY))
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGUSR1,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
        )
    service = DispatchService(store, broker, password)
    running = asyncio.create_task(service.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await service.wait_ready()
    print("ready", flush=True)
    async def tell():
        failed = 0
        while True:
            if service.counters()["failed"] > failed:
                failed = service.counters()["failed"]
                print("failed", flush=True)
            await asyncio.sleep(0.05)
    telling = asyncio.create_task(tell())
    try:
        await running
    except asyncio.CancelledError:
        store.close()

asyncio.run(main(*sys.argv[1:]))
"""

Password = Callable[[str], Callable[[], str]]


STARTED: list[Process] = []
"""So that none outlives its test, however that ends."""


async def start(database: str, broker: str, password: str, *, largest_file: int = 0) -> Process:
    arguments = (database, broker, password, str(largest_file))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DISPATCHER, *arguments, stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    STARTED.append(process)
    await says(process, b"ready\n")
    return process


async def says(process: Process, wanted: bytes) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line == wanted:
            return
    raise AssertionError(f"the dispatcher ended before it said {wanted!r}")


async def kill(process: Process, how: signal.Signals = signal.SIGKILL) -> None:
    if process.returncode is None:
        process.send_signal(how)
    await process.wait()


def finds(number: int, subcategory: str = "B1") -> list[Observation]:
    """At that many places of one picture."""
    boxes = [Box(0.05 * x, 0.05 * y, 0.05 * x + 0.03, 0.05 * y + 0.03) for y in range(19) for x in range(19)]
    now = SystemClock().now()
    return [
        observation(now, key=f"{subcategory}-{place}", box=box, subcategory=subcategory)
        for place, box in enumerate(boxes[:number])
    ]


@dataclass
class Street:
    """A watch node that tells its finds until they are committed, and a phone that hears of tasks."""

    camera: MqttClient
    phone: MqttClient
    waiting: dict[str, Observation] = field(default_factory=dict)
    tasks: dict[int, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, seen: list[Observation]) -> None:
        self.waiting.update((str(item.key), item) for item in seen)

    async def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.changed.clear()
            await self.changed.wait()

    async def spool(self) -> None:
        while True:
            for item in list(self.waiting.values())[:20]:
                try:
                    body = json.dumps(wire.observation_message(item)).encode()
                    await self.camera.publish(wire.observations_topic(NODE), body)
                except BrokerGoneError:
                    await asyncio.sleep(0.2)
            await asyncio.sleep(0.1)

    async def hear_committed(self) -> None:
        async for message in self.camera.messages():
            message.acknowledge()
            for key in json.loads(message.payload)["keys"]:
                self.waiting.pop(key, None)
            self.changed.set()

    async def hear_tasks(self) -> None:
        async for message in self.phone.messages():
            message.acknowledge()
            task = json.loads(message.payload)
            self.tasks[task["seq"]] = task["incident"]["incident_id"]
            self.changed.set()


@asynccontextmanager
async def street(url: str, password: Password) -> AsyncIterator[Street]:
    def client(identity: str, *topics: str) -> MqttClient:
        return MqttClient(url, client_id=identity, username=identity, password=password(identity), subscriptions=topics)

    async with (
        client("node:node-1", wire.committed_topic(NODE)) as camera,
        client("worker:wang", wire.tasks_topic(WANG)) as phone,
    ):
        await asyncio.gather(camera.wait_ready(), phone.wait_ready())
        there = Street(camera, phone)
        work = [asyncio.create_task(one()) for one in (there.spool, there.hear_committed, there.hear_tasks)]
        try:
            yield there
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


def account(store: Store, there: Street, number: int) -> None:
    """Every find is one incident and one task, told to the phone; the record follows from its log."""
    with store.reading() as session:
        incidents = list_incidents(session, limit=1000)
        assert len(incidents) == number
        assert all(incident.sightings == 1 for incident in incidents)
        for incident in incidents:
            kinds = [event.kind for event in timeline(session, incident.incident_id)]
            assert kinds.count("open") == kinds.count("assign") == 1
    assert sorted(there.tasks.values()) == sorted(incident.incident_id for incident in incidents)
    assert verify_log(store).clean
