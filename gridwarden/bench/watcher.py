"""The process that watches the served district by the product's own path, and what it cost."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from detect.detector import Detector
from detect.node import WatchNode
from gridwarden.bench.errand import Errand
from gridwarden.bench.finds import Told, told
from gridwarden.bench.served.script import timetable, watched
from gridwarden.bench.served.server import allow_many_files
from gridwarden.detectors import warm_detector
from ingest.fleet import Fleet
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import SystemClock
from models.ids import CameraId, NodeId
from models.pictures import Look
from models.places import CameraState
from models.taxonomy import load_taxonomy

log = logging.getLogger(__name__)

NODE = NodeId("bench")

FIRST_LOOKS_S = 180.0
"""The timetable begins at the latest after this, whether all cameras were looked at or not."""

SETTLE_S = 30.0
"""Between the last first look and the start of measuring: half a minute of inferring every camera once."""

PRESENT = frozenset({"behind_s", "connected", "spool", "verifying", "waiting", "waiting_s"})
"""Counters that tell how it stands, not how often something happened."""


@dataclass(slots=True)
class WatchedFigures:
    """What the watcher measured, between the timetable's start and its end unless said otherwise.

    looked_at: seconds after the timetable's start, by camera; cpu_s: of this process alone; inference_s: CPU of one
    inference, measured before the start; start_s: until every camera was looked at, None when some never were.
    """

    seconds: float
    start_s: float | None
    looked_at: dict[CameraId, list[float]]
    inferred: dict[CameraId, int]
    cpu_s: float
    inference_s: float
    rss_mb: float
    counters: dict[str, float]
    epoch: float
    told: list[Told]


@dataclass(slots=True)
class _Notes:
    looked_at: dict[CameraId, list[float]] = field(default_factory=dict)


class NotedFleet(Fleet):
    """A `Fleet` that writes down when each look was taken."""

    notes: _Notes

    async def looks(self) -> AsyncIterator[Look]:
        async for look in super().looks():
            self.notes.looked_at.setdefault(look.camera_id, []).append(look.captured_at.timestamp())
            yield look


def start(errand: Errand) -> tuple[Any, Connection]:
    """The watcher's process and the pipe to it: it says how many seconds the first looks took, is told when the
    timetable began, and answers with `WatchedFigures`.
    """
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_watch, args=(theirs, errand), name="watcher", daemon=True)
    process.start()
    theirs.close()
    return process, mine


def _watch(pipe: Connection, errand: Errand) -> None:
    allow_many_files()
    logging.basicConfig(level=logging.WARNING)
    detector = warm_detector(errand.weights, cache=errand.cache)
    inference_s = _inference_s(detector)
    with tempfile.TemporaryDirectory() as root:
        fleet = NotedFleet(clock=SystemClock(), allow_private=True)
        fleet.notes = _Notes()
        node = _node(errand, fleet, detector, Path(root))
        figures = asyncio.run(_measure(pipe, node, fleet, errand.seconds))
        spooled = _spooled(Path(root) / "spool.db")
    figures.inference_s = inference_s
    began = datetime.fromtimestamp(figures.epoch, UTC)
    figures.told = [told(message, began=began) for message in spooled if message.get("type") == "observation"]
    pipe.send(figures)


def _node(errand: Errand, fleet: Fleet, detector: Detector, root: Path) -> WatchNode:
    cameras = [
        watched(
            served, errand.addresses[served.camera_id],
            interval_s=errand.interval_s, seconds=errand.seconds, node_id=NODE,
        )
        for served in timetable(errand.cameras, errand.seconds)
    ]  # fmt: skip
    return WatchNode(
        node_id=NODE, cameras=cameras, fleet=fleet, detector=detector, taxonomy=load_taxonomy(),
        pictures=PictureStore(root / "pictures"), latest=LatestPictures(), broker_url=None, password=None,
        data_dir=root, clock=SystemClock(),
    )  # fmt: skip


async def _measure(pipe: Connection, node: WatchNode, fleet: NotedFleet, seconds: float) -> WatchedFigures:
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    running = loop.create_task(node.run())
    start_s = await _all_looked_at(fleet, started, running)
    await asyncio.sleep(SETTLE_S)
    pipe.send(start_s)
    epoch = await loop.run_in_executor(None, pipe.recv)
    before, cpu_s, states = node.counters(), time.process_time(), fleet.states()
    await asyncio.wait([running], timeout=max(epoch + seconds - time.time(), 0))
    cpu_s = time.process_time() - cpu_s
    after = node.counters()
    figures = WatchedFigures(
        seconds=seconds,
        start_s=start_s,
        looked_at={
            camera: [at - epoch for at in times if 0 <= at - epoch <= seconds]
            for camera, times in fleet.notes.looked_at.items()
        },
        inferred=_since(states, fleet.states()),
        cpu_s=cpu_s,
        inference_s=0.0,
        rss_mb=_rss_mb(),
        counters={name: after[name] - (0 if name in PRESENT else before.get(name, 0)) for name in after},
        epoch=epoch,
        told=[],
    )
    running.cancel()
    await asyncio.wait([running])
    return figures


async def _all_looked_at(fleet: Fleet, started: float, running: asyncio.Task[None]) -> float | None:
    while time.monotonic() - started < FIRST_LOOKS_S and not running.done():
        if all(state.looks for state in fleet.states()):
            return time.monotonic() - started
        await asyncio.sleep(0.5)
    missing = [state for state in fleet.states() if not state.looks]
    log.warning("%d cameras were never looked at, for example %s", len(missing), missing[:3])
    return None


def _since(before: Sequence[CameraState], after: Sequence[CameraState]) -> dict[CameraId, int]:
    known = {state.camera_id: state.inferred for state in before}
    return {state.camera_id: state.inferred - known.get(state.camera_id, 0) for state in after}


def _inference_s(detector: Detector) -> float:
    """CPU-seconds of one inference, on noise: the network's cost does not depend on the picture."""
    picture = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    detector.detect([picture] * 4)
    begun = time.process_time()
    detector.detect([picture] * 24)
    return (time.process_time() - begun) / 24


def _spooled(path: Path) -> list[dict[str, Any]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database:
        return [json.loads(body) for (body,) in database.execute("select body from message order by seq")]


def _rss_mb() -> float:
    """Resident memory now, of this process."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
