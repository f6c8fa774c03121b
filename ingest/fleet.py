"""All cameras of one watch node: looks are taken when they are owed, and handed on in one bounded queue.

The fleet lives in one event loop: everything here is called from that loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime, timedelta

from ingest.addresses import parse
from ingest.backoff import REFUSED_RETRY_S, Hosts
from ingest.kept_views import KeptViews
from ingest.look_queue import LookQueue
from ingest.means import Means
from ingest.open_source import open_source
from ingest.scheduler import Scheduler, Turn
from ingest.source import Source
from ingest.watched import Watched, same_pictures
from models.clock import Clock
from models.errors import NotFoundError, SourceError
from models.ids import CameraId
from models.pictures import Look, LookReason
from models.places import Camera, CameraState, Trouble

log = logging.getLogger(__name__)

WORKERS = 160
"""Looks under way at once: 144 looks a second (1,438 cameras at 10 s) of 0.1 to 0.3 s each need 15 to 45, the others
wait for cameras that do not answer. A look under way costs a socket and its JPEG; decoding has its own limit."""

RETRY_SHARE = 3 / 5
"""At most this share of the workers waits for cameras that failed last time: 96 that each use up their 8 s ask 720 dead
cameras a minute (measured with a quarter of 64: a camera back among 300 dead ones waited up to 150 s)."""

QUEUE_SIZE = 224
"""Looks waiting to be sorted: more than `WORKERS`, because looks under way still land when it is full (with 64 a
starved box dropped a sixth of its looks). JPEG snapshots wait undecoded, 30 kB each; RTSP pictures are 0.7 MB."""

DEADLINE_S = 8.0
"""For one look: opening RTSP takes 2 s, then one keyframe interval (up to 4 s on most cameras) is waited for."""

LONGEST_SLEEP_S = 1.0
"""The loop looks up at least this often, though it is woken for everything it should notice."""

CLOSING_S = 0.5
"""Sources are given this long to hang up properly when the fleet stops."""

KEEP_VIEWS_S = 600.0
"""The right view changes by 2 % twice a minute at most: what a power cut loses is learnt again in as long."""


class Fleet:
    """Watches cameras. `run` in one task, read `looks()` in others, change cameras at any time."""

    def __init__(
        self,
        *,
        clock: Clock,
        allow_private: bool = False,
        workers: int = WORKERS,
        queue_size: int = QUEUE_SIZE,
        deadline_s: float = DEADLINE_S,
        seed: int | None = None,
        opener: Callable[[Camera], Source] | None = None,
        views: KeptViews | None = None,
    ) -> None:
        """opener: other sources than those of `ingest.open_source`, for tests and benchmarks; views: where the cameras'
        right views outlive a restart, None: nowhere."""
        self._clock = clock
        self._allow_private = allow_private
        self._workers = workers
        self._deadline_s = deadline_s
        self._means = Means()
        self._views = views
        self._open_source = opener or self._open_usual
        self._scheduler = Scheduler(seed=seed)
        self._hosts = Hosts()
        self._queue = LookQueue(queue_size)
        self._watched: dict[CameraId, Watched] = {}
        self._flying: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._leaving: list[Watched] = []
        self._retrying = 0
        self._wake = asyncio.Event()
        self._looks = 0
        self._failures = 0

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]:
        """These and no others from now on; unchanged ones are not disturbed.

        Returns what is wrong, a sentence by camera: of two with one id the first is watched, one with an unusable
        address is shown offline. The rest goes on.
        """
        problems: dict[CameraId, str] = {}
        wanted: dict[CameraId, Camera] = {}
        for camera in cameras:
            if camera.camera_id in wanted:
                problems[camera.camera_id] = f"Two cameras have the id {camera.camera_id}; the first is watched."
                continue
            wanted[camera.camera_id] = camera
            problem = _problem(camera)
            if problem is not None:
                problems[camera.camera_id] = problem
        for camera_id in self._watched.keys() - wanted.keys():
            self._remove(camera_id)
        for camera in wanted.values():
            self._set(camera)
        self._watched = {camera_id: self._watched[camera_id] for camera_id in wanted}
        self._hosts.keep_only({watched.endpoint for watched in self._watched.values()})
        self._wake.set()
        return problems

    async def run(self) -> None:
        """Takes looks until cancelled; then all is closed within a second, whatever the cameras do. Once only."""
        keeping = self._keep(self._closing, self._keep_views_now_and_then())
        try:
            while True:
                self._wake.clear()
                self._start_owed()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._sleep_s()):
                        await self._wake.wait()
        finally:
            keeping.cancel()
            self._keep_views()
            await self._stop()

    def looks(self) -> AsyncIterator[Look]:
        """Looks as they come, until the fleet stops. Several readers share them."""
        return self._queue.read(on_read=self._wake)

    def promise(self, camera_id: CameraId, *, reason: LookReason, within_s: float) -> None:
        """Owes the camera a look within this time, ahead of routine ones; kept until one succeeds.

        Raises NotFoundError when the camera is not watched here.
        """
        if camera_id not in self._watched:
            raise NotFoundError(f"The camera {camera_id} is not watched by this node.")
        self._scheduler.promise(camera_id, reason=reason, within_s=within_s, now=time.monotonic())
        self._wake.set()

    def count_inferred(self, camera_id: CameraId) -> None:
        """Told by whoever infers, so that `states` can show it."""
        watched = self._watched.get(camera_id)
        if watched is not None:
            watched.inferred += 1

    def states(self) -> list[CameraState]:
        """The truth about every camera now, in the order they were given."""
        now = self._clock.now()
        return [watched.state(now, next_look_at=self._next_look_at(id_, now)) for id_, watched in self._watched.items()]

    def counters(self) -> dict[str, int | float]:
        """Since start: looks, dropped, failures; now: behind_s, cameras, in_flight, queued."""
        return {
            "looks": self._looks,
            "dropped": self._queue.dropped,
            "failures": self._failures,
            "behind_s": round(self._scheduler.behind_s(time.monotonic()), 3),
            "cameras": len(self._watched),
            "in_flight": len(self._flying),
            "queued": len(self._queue),
        }

    def _open_usual(self, camera: Camera) -> Source:
        return open_source(camera, clock=self._clock, allow_private=self._allow_private, means=self._means)

    def _set(self, camera: Camera) -> None:
        present = self._watched.get(camera.camera_id)
        if present is not None and same_pictures(present.camera, camera):
            present.retuned(camera)
        else:
            if present is not None:
                self._remove(camera.camera_id)
            references = self._views.load(camera) if self._views else None
            self._watched[camera.camera_id] = Watched(
                camera, clock=self._clock, open_source=self._open_source, references=references
            )
        self._scheduler.add(camera.camera_id, max_interval_s=camera.max_interval_s, now=time.monotonic())

    def _remove(self, camera_id: CameraId) -> None:
        self._scheduler.remove(camera_id)
        self._leaving.append(self._watched.pop(camera_id))

    def _start_owed(self) -> None:
        """Starts every look that is owed and has a free worker; says goodbye to removed cameras."""
        while self._leaving:
            self._keep(self._closing, _retired(self._leaving.pop()))
        while len(self._flying) < self._workers:
            now = time.monotonic()
            turn = self._scheduler.take(now, retries=self._may_retry, routine=not self._queue.full)
            if turn is None:
                return
            self._start(turn, now=now)

    def _start(self, turn: Turn, *, now: float) -> None:
        watched = self._watched[turn.camera_id]
        wait_s = self._hosts.wait_s(watched.endpoint, now=now)
        if wait_s > 0:
            self._scheduler.postponed(turn.camera_id, until=now + wait_s)
            if self._hosts.is_open(watched.endpoint):
                watched.host_is_down()
            return
        self._retrying += turn.retry
        watched.task = self._keep(self._flying, self._take(turn, watched=watched))

    async def _take(self, turn: Turn, *, watched: Watched) -> None:
        """One look from start to queue. The outermost edge of a look: whatever goes wrong costs only this look."""
        reached: bool | None = None
        look: Look | None = None
        try:
            look = await watched.look(turn.reason, deadline_s=self._deadline_s)
            reached = True
        except SourceError as error:
            reached = error.reason not in (Trouble.UNREACHABLE, Trouble.TIMEOUT)
        except Exception:
            log.exception("A look at the camera %s failed in a way it should not", turn.camera_id)
            watched.fail(Trouble.UNREACHABLE, "The look failed by a fault of gridwarden; the log has the details.")
        finally:
            watched.task = None
            self._retrying -= turn.retry
            self._hosts.ended(watched.endpoint, reached=reached, now=time.monotonic())
            self._wake.set()
        self._landed(turn, watched=watched, look=look)

    def _landed(self, turn: Turn, *, watched: Watched, look: Look | None) -> None:
        now = time.monotonic()
        self._looks += look is not None
        self._failures += look is None
        if self._watched.get(turn.camera_id) is not watched:
            return
        if look is None:
            refused = watched.health.trouble is Trouble.REFUSED
            self._scheduler.failed(turn.camera_id, now=now, at_least_s=REFUSED_RETRY_S if refused else 0.0)
        else:
            self._scheduler.succeeded(turn.camera_id, now=now)
            self._queue.put(look)

    async def _keep_views_now_and_then(self) -> None:
        """Half a millisecond a camera, between looks."""
        if self._views is None:
            return
        with contextlib.suppress(OSError):  # what cannot be read cannot be old either; saving tells
            self._views.forget_old()
        while True:
            await asyncio.sleep(KEEP_VIEWS_S)
            for watched in list(self._watched.values()):
                if not self._keep_view(watched):
                    break
                await asyncio.sleep(0)

    def _keep_views(self) -> None:
        for watched in self._watched.values():
            if not self._keep_view(watched):
                break

    def _keep_view(self, watched: Watched) -> bool:
        """False when the disk takes nothing; the next round tries again."""
        try:
            if self._views is not None:
                self._views.save(watched.camera, watched.view())
        except OSError as error:
            log.warning("The cameras' right views cannot be kept (%s); they would be learnt anew at a restart.", error)
            return False
        return True

    @property
    def _may_retry(self) -> bool:
        return self._retrying < max(int(self._workers * RETRY_SHARE), 1)

    def _sleep_s(self) -> float:
        """Until the next look is owed; when all workers are busy, until one of them wakes the loop."""
        if len(self._flying) >= self._workers:
            return LONGEST_SLEEP_S
        next_at = self._scheduler.next_at(retries=self._may_retry, routine=not self._queue.full)
        if next_at is None:
            return LONGEST_SLEEP_S
        return min(max(next_at - time.monotonic(), 0.0), LONGEST_SLEEP_S)

    def _next_look_at(self, camera_id: CameraId, now: datetime) -> datetime:
        wait_s = max(self._scheduler.next_look_at(camera_id) - time.monotonic(), 0.0)
        return now + timedelta(seconds=wait_s)

    def _keep(self, tasks: set[asyncio.Task[None]], work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def _stop(self) -> None:
        for task in self._flying:
            task.cancel()
        ending = [*self._flying, *self._closing]
        ending += [asyncio.ensure_future(_retired(one)) for one in (*self._watched.values(), *self._leaving)]
        self._leaving.clear()
        if ending:
            _, unfinished = await asyncio.wait(ending, timeout=CLOSING_S)
            for task in unfinished:
                task.cancel()
        self._means.close()
        self._queue.close()


async def _retired(watched: Watched) -> None:
    """Ends the look under way and closes the source."""
    if watched.task is not None:
        watched.task.cancel()
        await asyncio.wait([watched.task])
    try:
        await watched.close()
    except Exception:
        log.exception("The camera %s did not close cleanly", watched.camera.camera_id)


def _problem(camera: Camera) -> str | None:
    try:
        parse(camera.source)
    except SourceError as error:
        return str(error)
    return None
