"""The whole loop, measured: the demonstration district with every worker's phone subscribed over MQTT."""

from __future__ import annotations

import asyncio
import json
import resource
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.broker_access import worker_identity
from dispatch.mqtt import MqttClient
from dispatch.queries import list_incidents
from gridwarden.box import Box, BoxSettings, running
from gridwarden.box_broker import BrokerSettings
from gridwarden.data_folder import opened
from gridwarden.demo.district import demo_district
from gridwarden.demo.footage import Say
from gridwarden.detectors import warm_detector
from gridwarden.district import District
from models import wire
from models.incidents import IncidentState
from models.people import Role
from models.taxonomy import load_taxonomy

SETTLE_S = 3.0
"""After the time is up: what was seen in the last second still travels."""


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """incidents: those somebody is sent for; held: those that wait for an operator's word.

    lost: assigned incidents without a task at their worker; duplicated: the same task event told as new twice.
    """

    seconds: float
    cameras: int
    looks: int
    inferred: int
    cpu_s: float
    incidents: int
    held: int
    delivered: int
    lost: int
    duplicated: int
    latencies_ms: list[float]

    def to_json(self) -> dict[str, Any]:
        p50, p99 = np.percentile(self.latencies_ms, [50, 99]) if self.latencies_ms else (None, None)
        return {
            "seconds": round(self.seconds, 1),
            "cameras": self.cameras,
            "looks": self.looks,
            "looks_per_s": round(self.looks / self.seconds, 2),
            "inferred": self.inferred,
            "cpu_s_per_look": round(self.cpu_s / max(self.looks, 1), 4),
            "incidents": self.incidents,
            "held": self.held,
            "delivered": self.delivered,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "latency_ms": {"p50": _rounded(p50), "p99": _rounded(p99)},
        }


@dataclass(slots=True)
class Phones:
    """What has arrived at the workers' clients. `first`: picture taken → first task, ms, by incident."""

    first: dict[str, float] = field(default_factory=dict)
    told: Counter[tuple[str, int]] = field(default_factory=Counter)

    def note(self, payload: bytes, *, now: datetime) -> dict[str, Any]:
        task: dict[str, Any] = json.loads(payload)
        incident = task["incident"]
        taken = datetime.fromisoformat(incident["last_seen_at"])
        self.first.setdefault(incident["incident_id"], (now - taken).total_seconds() * 1000)
        self.told[incident["incident_id"], task["seq"]] += 1
        return task


async def measure(seconds: float, footage: Path, *, say: Say, tick: Callable[[float], None]) -> LoopFigures:
    """Runs the demonstration in a folder of its own for `seconds` and counts."""
    taxonomy = load_taxonomy()
    district = await asyncio.to_thread(lambda: demo_district(footage, [], taxonomy=taxonomy, say=say))
    say("loading the detector")
    detector = await asyncio.to_thread(warm_detector, None, cache=footage.parent / "compiled")
    settings = BoxSettings(port=0, broker=BrokerSettings(port=0, ws_port=0))
    with tempfile.TemporaryDirectory() as root, opened(Path(root)) as folder:
        async with running(folder, district, taxonomy, detector, settings) as box, AsyncExitStack() as stack:
            phones = Phones()
            await _subscribe(box, district, phones, stack)
            started = _cpu_s()
            for passed in range(int(seconds)):
                tick(passed)
                await asyncio.sleep(1)
            cpu_s, counters = _cpu_s() - started, dict(box.counters())
            await asyncio.sleep(SETTLE_S)
            with box.store.reading() as session:
                incidents = list_incidents(session, cells=None, states=None, limit=10_000)
            held = sum(incident.state is IncidentState.SUSPECTED for incident in incidents)
            assigned = {incident.incident_id for incident in incidents if incident.assignment}
            return LoopFigures(
                seconds=seconds,
                cameras=len(district.cameras),
                looks=int(counters.get("looks", 0)),
                inferred=int(counters.get("inferred", 0)),
                cpu_s=cpu_s,
                incidents=len(incidents) - held,
                held=held,
                delivered=len(phones.first),
                lost=len(assigned - phones.first.keys()),
                duplicated=sum(times - 1 for times in phones.told.values()),
                latencies_ms=list(phones.first.values()),
            )


async def _subscribe(box: Box, district: District, phones: Phones, stack: AsyncExitStack) -> None:
    group = await stack.enter_async_context(asyncio.TaskGroup())
    readers = []
    for person in district.people:
        if person.role not in (Role.WORKER, Role.LEADER):
            continue
        identity = worker_identity(person.person_id)
        client = MqttClient(
            box.mqtt_url,
            client_id=f"bench-{person.person_id}",
            username=identity,
            password=lambda who=identity: box.access.issue(who, expires_at=box.clock.now() + timedelta(hours=2)),  # type: ignore[misc]
            subscriptions=[wire.tasks_topic(person.person_id)],
        )
        await stack.enter_async_context(client)
        await client.wait_ready()
        readers.append(group.create_task(_read(client, wire.replies_topic(person.person_id), phones, box)))
    stack.callback(lambda: [reader.cancel() for reader in readers])


async def _read(client: MqttClient, replies: str, phones: Phones, box: Box) -> None:
    """A phone: notes what comes and says `receive`, as the worker's page does."""
    async for message in client.messages():
        task = phones.note(message.payload, now=box.clock.now())
        message.acknowledge()
        reply = {
            "v": wire.VERSION,
            "key": f"bench-{task['seq']}",
            "incident": task["incident"]["incident_id"],
            "step": "receive",
            "at": wire.moment(box.clock.now()),
            "data": {},
        }
        await client.publish(replies, json.dumps(reply).encode())


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 1)
