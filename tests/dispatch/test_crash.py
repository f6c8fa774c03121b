"""The dispatcher is killed in the middle of its work, again and again: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from dispatch.broker import EmbeddedBroker
from dispatch.mqtt import MqttClient
from dispatch.queries import list_incidents, timeline
from dispatch.store.store import Store
from dispatch.testing import NODE, WANG, observation
from dispatch.verify_log import verify_log
from models import wire
from models.clock import SystemClock
from models.geometry import Box
from models.observations import Observation

ROUNDS = 5
FINDS = 120

DISPATCHER = """
import asyncio, sys
from dispatch.service import DispatchService
from dispatch.store.store import Store
from models.clock import SystemClock

async def main(database, broker, password):
    service = DispatchService(Store.open(database, clock=SystemClock()), broker, password)
    running = asyncio.create_task(service.run())
    await service.wait_ready()
    print("ready", flush=True)
    await running

asyncio.run(main(*sys.argv[1:]))
"""

Password = Callable[[str], Callable[[], str]]


async def start(database: str, broker: str, password: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DISPATCHER, database, broker, password, stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


def finds() -> list[Observation]:
    places = [
        Box(0.05 * column, 0.1 * row, 0.05 * column + 0.02, 0.1 * row + 0.05)
        for row in range(6)
        for column in range(20)
    ]
    return [observation(SystemClock().now(), key=f"find-{number}", box=box) for number, box in enumerate(places)]


async def test_killed_again_and_again_every_find_becomes_one_incident_and_one_task(
    live_store: Store, broker: EmbeddedBroker, password: Password, tmp_path: Path
) -> None:
    seen = finds()
    assert len(seen) == FINDS
    waiting = {str(item.key): item for item in seen}
    tasks: dict[int, str] = {}
    database = f"sqlite:///{tmp_path / 'record.db'}"

    async def spool(camera: MqttClient) -> None:
        """As a watch node does: everything is told again until dispatch has committed it."""
        while waiting:
            for item in list(waiting.values())[:20]:
                await camera.publish(wire.observations_topic(NODE), json.dumps(wire.observation_message(item)).encode())
            await asyncio.sleep(0.1)

    async def hear_committed(camera: MqttClient) -> None:
        async for message in camera.messages():
            message.acknowledge()
            for key in json.loads(message.payload)["keys"]:
                waiting.pop(key, None)

    async def hear_tasks(phone: MqttClient) -> None:
        async for message in phone.messages():
            message.acknowledge()
            task = json.loads(message.payload)
            tasks[task["seq"]] = task["incident"]["incident_id"]

    async def kill_and_restart() -> Process:
        process = await start(database, broker.url, password("dispatch")())
        for _ in range(ROUNDS):
            await asyncio.sleep(random.uniform(0.05, 0.4))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await start(database, broker.url, password("dispatch")())
        return process

    def client(identity: str, *topics: str) -> MqttClient:
        return MqttClient(
            broker.url, client_id=identity, username=identity, password=password(identity), subscriptions=topics
        )

    async with (
        client("node:node-1", wire.committed_topic(NODE)) as camera,
        client("worker:wang", wire.tasks_topic(WANG)) as phone,
    ):
        await asyncio.gather(camera.wait_ready(), phone.wait_ready())
        ears = [asyncio.create_task(hear_committed(camera)), asyncio.create_task(hear_tasks(phone))]
        telling = asyncio.create_task(spool(camera))
        process = await kill_and_restart()
        await telling
        while len(tasks) < FINDS:  # noqa: ASYNC110 - the tasks come from another process
            await asyncio.sleep(0.05)
        process.terminate()
        await process.wait()
        for ear in ears:
            ear.cancel()

    with live_store.reading() as session:
        incidents = list_incidents(session, limit=1000)
        assert len(incidents) == FINDS
        assert all(incident.sightings == 1 for incident in incidents)
        for incident in incidents:
            kinds = [event.kind for event in timeline(session, incident.incident_id)]
            assert kinds.count("open") == kinds.count("assign") == 1
    assert sorted(tasks.values()) == sorted(incident.incident_id for incident in incidents)
    assert verify_log(live_store).clean
