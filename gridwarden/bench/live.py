"""The live feed under many viewers: from a change in the record to every open page, a full district behind it.

The server is a process of its own, as in `gridwarden up`; the viewers are real connections that read as browsers do.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from dashboard.server import DashboardServer
from dashboard.sessions import COOKIE
from dashboard.testing import SmallDashboard, small_dashboard
from dispatch.people import put_person
from dispatch.places import put_camera
from dispatch.testing import observation, see
from gridwarden.bench.served.server import allow_many_files
from models.clock import SystemClock
from models.errors import GridwardenError
from models.geometry import Box
from models.ids import CameraId, DepartmentId, NodeId, PersonId
from models.people import Person, Role
from models.places import Camera, CameraCondition, CameraState

ARRIVES_WITHIN_S = 15.0
"""After the last change; what has not reached a viewer by then is lost."""

OPENS_WITHIN_S = 60.0
"""For all viewers to have the first snapshot; they ask at the same moment, as after a restart."""

DEPARTMENT = DepartmentId("SQ")

MOST_BYTES = 32 * 1024 * 1024
"""Of one line; a snapshot of a large district takes a few of them."""

GROUND = (120.0, 30.0)
"""Where the cameras stand, a hundred metres apart: no two see the same ground."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """changes: new incidents after all viewers have their snapshot, so many a second."""

    viewers: int = 200
    changes: int = 100
    per_s: float = 5.0
    cameras: int = 1438
    incidents: int = 500


@dataclass(slots=True)
class Viewer:
    """arrivals: when each `seq` came; first_s: until the whole snapshot was there; first_bytes: its size as sent."""

    arrivals: dict[int, float] = field(default_factory=dict)
    first_s: float = 0.0
    first_bytes: int = 0


def measure(settings: LiveSettings, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Raises GridwardenError when the server does not come up."""
    allow_many_files()
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(theirs, settings), name="live-server", daemon=True)
    server.start()
    theirs.close()
    try:
        say(f"filling a district: {settings.cameras} cameras, {settings.incidents} open incidents")
        return asyncio.run(_watch(mine, settings, say=say))
    except EOFError as error:
        raise GridwardenError("The benchmark's server ended before it was ready; see its words above.") from error
    finally:
        server.terminate()
        server.join(5)


async def _watch(pipe: Connection, settings: LiveSettings, *, say: Callable[[str], None]) -> dict[str, Any]:
    url, cookies = await asyncio.to_thread(pipe.recv)
    say(f"{settings.viewers} viewers open the page")
    viewers = [Viewer() for _ in range(settings.viewers)]
    ready = [asyncio.Event() for _ in viewers]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=MOST_BYTES,
    ) as session:
        tasks = [
            asyncio.create_task(_view(session, url, cookie, viewer=viewer, opened=opened))
            for cookie, viewer, opened in zip(cookies, viewers, ready, strict=True)
        ]
        await _all_open(tasks, ready)
        say(f"{settings.changes} incidents are opened")
        pipe.send("go")
        changes, used = await asyncio.to_thread(pipe.recv)
        await _all_there(viewers, changes)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return _figures(settings, viewers, changes, used)


async def _all_open(tasks: list[asyncio.Task[None]], ready: list[asyncio.Event]) -> None:
    """Raises what kept a viewer out."""
    until = time.monotonic() + OPENS_WITHIN_S
    while not all(opened.is_set() for opened in ready):
        ended, _ = await asyncio.wait(tasks, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        if time.monotonic() > until:
            raise GridwardenError(f"Not every viewer had its snapshot after {OPENS_WITHIN_S:g} s.")


async def _view(
    session: aiohttp.ClientSession, url: str, cookie: str, *, viewer: Viewer, opened: asyncio.Event
) -> None:
    asked = time.monotonic()
    # in a header: aiohttp's jar keeps no cookies of bare addresses
    headers = {"Accept": "text/event-stream", "Cookie": f"{COOKIE}={cookie}"}
    async with session.get(f"{url}/api/live", headers=headers) as response:
        response.raise_for_status()
        name, seq = "", 0
        while line := await _line(response):
            if not opened.is_set():
                viewer.first_bytes += len(line)
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"id: "):
                seq = int(line[4:])
            elif line == b"\n" and name == "snapshot" and not opened.is_set():
                viewer.first_s = time.monotonic() - asked
                opened.set()
            elif line == b"\n" and name == "incident":
                viewer.arrivals[seq] = time.monotonic()


async def _line(response: aiohttp.ClientResponse) -> bytes:
    """A whole line; a snapshot is one of a megabyte."""
    return await response.content.readuntil(b"\n")


async def _all_there(viewers: list[Viewer], changes: list[tuple[int, float]]) -> None:
    last = changes[-1][0]
    until = time.monotonic() + ARRIVES_WITHIN_S
    while time.monotonic() < until and any(last not in viewer.arrivals for viewer in viewers):  # noqa: ASYNC110 - viewers share no event
        await asyncio.sleep(0.1)


def _figures(
    settings: LiveSettings, viewers: list[Viewer], changes: list[tuple[int, float]], used: dict[str, float]
) -> dict[str, Any]:
    delays = list(_delays(viewers, changes))
    wanted = len(viewers) * len(changes)
    firsts = [viewer.first_s for viewer in viewers]
    return {
        "viewers": settings.viewers,
        "cameras": settings.cameras,
        "open_incidents": settings.incidents,
        "changes": len(changes),
        "delivered": len(delays),
        "lost": wanted - len(delays),
        "latency_ms": _percentiles(delays),
        "first_snapshot_ms": _percentiles(firsts),
        "first_snapshot_kb": round(max((viewer.first_bytes for viewer in viewers), default=0) / 1024, 1),
        "server_cpu_ms_per_delivery": round(used["cpu_s"] * 1000 / max(len(delays), 1), 3),
        "server_cpu_share_of_a_core": round(used["cpu_s"] / used["seconds"], 3),
        "server_rss_mb": round(used["rss_mb"]),
    }


def _delays(viewers: list[Viewer], changes: list[tuple[int, float]]) -> Iterator[float]:
    for viewer in viewers:
        for seq, began in changes:
            if seq in viewer.arrivals:
                yield viewer.arrivals[seq] - began


def _percentiles(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p99": None}
    return {f"p{share}": round(float(np.percentile(seconds, share)) * 1000, 1) for share in (50, 99)}


def _serve(pipe: Connection, settings: LiveSettings) -> None:
    allow_many_files()
    with tempfile.TemporaryDirectory() as folder:
        dashboard = small_dashboard(Path(folder), clock=SystemClock())
        spots = _fill(dashboard, settings)
        asyncio.run(_serving(pipe, dashboard, spots, settings))


def _fill(dashboard: SmallDashboard, settings: LiveSettings) -> Iterator[tuple[CameraId, Box]]:
    """Cameras that are all well, and open incidents; returns places where further ones may be opened."""
    store, now = dashboard.parts.store, dashboard.clock.now()
    cameras = [_camera(number) for number in range(settings.cameras)]
    with store.transaction() as session:
        for camera in cameras:
            put_camera(session, camera)
    dashboard.states.extend(
        CameraState(camera.camera_id, CameraCondition.ONLINE, now, last_look_at=now, next_look_at=now)
        for camera in cameras
    )
    boxes = [Box(0.1 * column, 0.1, 0.1 * column + 0.05, 0.2) for column in range(9)]
    spots = ((camera.camera_id, box) for box in boxes for camera in cameras)
    for number in range(settings.incidents):
        _open_one(dashboard, next(spots), key=f"before-{number}")
    return spots


def _signed_in(dashboard: SmallDashboard, count: int) -> list[str]:
    """The cookies of so many operators: a person may have a few pages open, not two hundred."""
    people = [Person(PersonId(f"viewer-{number}"), f"{number}", Role.OPERATOR, DEPARTMENT) for number in range(count)]
    with dashboard.parts.store.transaction() as session:
        for person in people:
            put_person(session, person)
    return [dashboard.cookie(person.person_id)[COOKIE] for person in people]


def _camera(number: int) -> Camera:
    position = (GROUND[0] + number % 40 * 1e-3, GROUND[1] + number // 40 * 1e-3)
    return Camera(CameraId(f"live-{number:04d}"), f"路口 {number}", "file:none.mp4", position, NodeId("n1"))


def _open_one(dashboard: SmallDashboard, spot: tuple[CameraId, Box], *, key: str) -> None:
    camera, box = spot
    see(dashboard.parts.store, observation(dashboard.clock.now(), key=key, camera=camera, subcategory="B1", box=box))


async def _serving(
    pipe: Connection, dashboard: SmallDashboard, spots: Iterator[tuple[CameraId, Box]], settings: LiveSettings
) -> None:
    server = DashboardServer(dashboard.app)
    server.bind()
    running = asyncio.create_task(server.run())
    await server.started.wait()
    pipe.send((server.url, _signed_in(dashboard, settings.viewers)))
    await asyncio.to_thread(pipe.recv)
    began, cpu_s = time.monotonic(), time.process_time()
    changes = []
    for number in range(settings.changes):
        await asyncio.sleep(max(began + number / settings.per_s - time.monotonic(), 0))
        spot, told = next(spots), time.monotonic()
        await asyncio.to_thread(_open_one, dashboard, spot, key=f"change-{number}")
        changes.append((dashboard.parts.store.feed.seq, told))
    await asyncio.sleep(1)
    used = {
        "cpu_s": time.process_time() - cpu_s,
        "seconds": time.monotonic() - began,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    pipe.send((changes, used))
    await asyncio.gather(running)
