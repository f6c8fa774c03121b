"""Twins of the seams in `ingest`, shipped so that users of the package can test with them.

Served cameras, real sockets that can be told to misbehave, are in `ingest.served_snapshot` and `ingest.served_rtsp`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from ingest.look_queue import LookQueue
from ingest.source import Shot
from models.clock import Clock
from models.errors import NotFoundError, SourceError
from models.ids import CameraId
from models.pictures import Image, Look, LookReason
from models.places import Camera, CameraCondition, CameraState, Trouble

__all__ = ["FakeFleet", "Promise", "RecordedSource"]


class RecordedSource:
    """A `Source` that gives its pictures one after the other, again and again; errors among them are raised."""

    def __init__(self, pictures: Iterable[Image | SourceError], *, clock: Clock, delay_s: float = 0.0) -> None:
        self._pictures = list(pictures)
        self._clock = clock
        self._delay_s = delay_s
        self.looks = 0
        self.closed = False

    async def look(self, *, deadline_s: float) -> Shot:
        await asyncio.sleep(min(self._delay_s, deadline_s))
        if self._delay_s > deadline_s:
            raise SourceError("The recorded camera is slower than the deadline.", reason=Trouble.TIMEOUT)
        picture = self._pictures[self.looks % len(self._pictures)]
        self.looks += 1
        if isinstance(picture, SourceError):
            raise picture
        return Shot(picture, self._clock.now())

    async def close(self) -> None:
        self.closed = True


@dataclass(frozen=True, slots=True)
class Promise:
    """A look somebody asked for."""

    camera_id: CameraId
    reason: LookReason
    within_s: float


class FakeFleet:
    """A `Fleet` without cameras: the test puts the looks in, and reads the promises out."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._queue = LookQueue(10_000)
        self._read = asyncio.Event()
        self._counts: dict[CameraId, list[int]] = {}
        self._cameras: dict[CameraId, Camera] = {}
        self._started_at = clock.now()
        self.promises: list[Promise] = []

    def put(self, camera_id: CameraId | str, image: Image, *, reason: LookReason = LookReason.ROUTINE) -> Look:
        """A look of now, as if the camera had given it."""
        known = CameraId(camera_id)
        counts = self._counts.setdefault(known, [0, 0])
        counts[0] += 1
        look = Look(known, image, self._clock.now(), counts[0], reason)
        self._queue.put(look)
        return look

    def end(self) -> None:
        """`looks()` ends once what was put in is read."""
        self._queue.close()

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]:
        self._cameras = {camera.camera_id: camera for camera in cameras}
        return {}

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self._queue.close()

    def looks(self) -> AsyncIterator[Look]:
        return self._queue.read(on_read=self._read)

    def promise(self, camera_id: CameraId, *, reason: LookReason, within_s: float) -> None:
        if camera_id not in self._cameras:
            raise NotFoundError(f"The camera {camera_id} is not watched by this node.")
        self.promises.append(Promise(camera_id, reason, within_s))

    def count_inferred(self, camera_id: CameraId) -> None:
        self._counts.setdefault(camera_id, [0, 0])[1] += 1

    def states(self) -> list[CameraState]:
        return [self._state(camera_id) for camera_id in self._cameras]

    def counters(self) -> dict[str, int | float]:
        looks = sum(counts[0] for counts in self._counts.values())
        return {
            "looks": looks,
            "dropped": self._queue.dropped,
            "failures": 0,
            "behind_s": 0.0,
            "cameras": len(self._cameras),
            "in_flight": 0,
            "queued": len(self._queue),
        }

    def _state(self, camera_id: CameraId) -> CameraState:
        looks, inferred = self._counts.get(camera_id, [0, 0])
        return CameraState(
            camera_id=camera_id,
            condition=CameraCondition.ONLINE if looks else CameraCondition.STARTING,
            since=self._started_at,
            looks=looks,
            inferred=inferred,
        )
