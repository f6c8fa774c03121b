"""A process that serves its share of the district on loopback, and the handle the benchmark holds it by."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from gridwarden.bench.served.script import Served, timetable
from gridwarden.bench.served.video import write_clips
from gridwarden.bench.served.views import Pictures, Views
from ingest.served_camera import ServedCamera
from ingest.served_rtsp import ServedRtsp
from ingest.served_snapshot import ServedSnapshot
from models.ids import CameraId

PROCESSES = 2
"""One per core while pictures are painted."""

READY_S = 600.0
"""Painting 1,438 cameras takes half a minute on two idle cores."""

USER, PASSWORD = "gridwarden", "bench"

NOFILE = 16_384
"""Open files per process: a listening socket per camera and a connection to each."""


@dataclass(slots=True)
class _Act:
    """When the timetable began (seconds since the epoch); before that nothing has changed."""

    began: float = float("inf")

    def changed(self, served: Served) -> bool:
        return served.change is not None and time.time() - self.began >= served.change.at_s


class ServedDistrict:
    """`with ServedDistrict(…) as district: district.addresses`; ends its processes at the end."""

    def __init__(self, count: int, seconds: float, *, footage: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.addresses: dict[CameraId, str] = {}
        self._pipes: list[Connection] = []
        self._processes = []
        for share in range(PROCESSES):
            mine, theirs = spawn.Pipe()
            process = spawn.Process(
                target=_serve, args=(theirs, count, seconds, share, footage), daemon=True, name=f"served-{share}"
            )
            process.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(process)

    def wait_ready(self) -> None:
        for pipe in self._pipes:
            if not pipe.poll(READY_S):
                raise TimeoutError("the served cameras were not ready in time")
            self.addresses.update(pipe.recv())

    def begin(self, epoch: float) -> None:
        """The timetable begins (again) at this moment."""
        for pipe in self._pipes:
            pipe.send(epoch)

    def cpu_s(self) -> float:
        """CPU-seconds the serving processes have used so far."""
        for pipe in self._pipes:
            pipe.send(None)
        return sum(float(pipe.recv()) for pipe in self._pipes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()


def allow_many_files() -> None:
    """As many open files as the system lets this process have, up to what 1,438 cameras need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _serve(pipe: Connection, count: int, seconds: float, share: int, footage: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark's Ctrl-C ends us by closing the pipe
    allow_many_files()
    mine = [served for served in timetable(count, seconds) if served.number % PROCESSES == share]
    act = _Act()
    with tempfile.TemporaryDirectory() as folder:
        cameras = list(_cameras(mine, act, footage, Path(folder)))
        asyncio.run(_run(pipe, cameras, act))


def _cameras(mine: Sequence[Served], act: _Act, footage: Path, folder: Path) -> list[tuple[Served, ServedCamera]]:
    views = Views(footage)
    return [
        (served, _rtsp(served, act, views, folder) if served.rtsp else _snapshot(served, act, views.pictures(served)))
        for served in mine
    ]


def _snapshot(served: Served, act: _Act, pictures: Pictures) -> ServedSnapshot:
    user, password = (USER, PASSWORD) if served.auth else ("", "")
    return ServedSnapshot(_cycle(served, act, pictures), user=user, password=password)


def _cycle(served: Served, act: _Act, pictures: Pictures) -> Callable[[], bytes]:
    """A busy scene goes on by the second, a quiet one has other noise at every look."""
    asked = 0

    def picture() -> bytes:
        nonlocal asked
        asked += 1
        shown = pictures.after if act.changed(served) else pictures.before
        return shown[(int(time.time()) if served.busy else asked) % len(shown)]

    return picture


def _rtsp(served: Served, act: _Act, views: Views, folder: Path) -> ServedRtsp:
    before, after = write_clips(served, views, folder)
    return ServedRtsp(before, later=after, switch=lambda: act.changed(served))


async def _run(pipe: Connection, cameras: Sequence[tuple[Served, ServedCamera]], act: _Act) -> None:
    """Serves until the benchmark closes its end of the pipe."""
    for _, camera in cameras:
        await camera.start()
    try:
        pipe.send({served.camera_id: camera.address for served, camera in cameras})
        loop = asyncio.get_running_loop()
        while True:
            told = await loop.run_in_executor(None, pipe.recv)
            if told is None:
                pipe.send(time.process_time())
            else:
                act.began = told
    except EOFError:
        pass
    finally:
        await asyncio.gather(*(camera.stop() for _, camera in cameras))
