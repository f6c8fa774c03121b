"""Looks that wait for the detector: one place per camera, so that a box that cannot keep up falls behind evenly.

A newer routine look takes the place of an older one of the same camera and keeps its turn; promised looks go first and
are all kept. Nothing older than its deadline is inferred. Pure: time comes in as seconds.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from dataclasses import dataclass

from models.ids import CameraId
from models.pictures import Look, LookReason

STALE_S = 15.0
"""A picture older than one and a half usual intervals says nothing about now; its camera has long sent a newer one."""

MAX_PROMISED = 256
"""Promised looks that wait: five seconds of inference. Above it the oldest goes, its promise is renewed by whoever
asked for it."""


@dataclass(slots=True)
class _Waiting:
    look: Look
    since: float
    arrived: float


class WaitingRoom:
    """Used from one event loop. replaced: looks whose camera sent a newer one; stale: those that waited too long."""

    def __init__(self) -> None:
        self._routine: OrderedDict[CameraId, _Waiting] = OrderedDict()
        self._promised: deque[_Waiting] = deque()
        self.replaced = 0
        self.stale = 0

    def __len__(self) -> int:
        return len(self._routine) + len(self._promised)

    def __contains__(self, camera_id: CameraId) -> bool:
        """Whether a routine look of the camera waits."""
        return camera_id in self._routine

    def put(self, look: Look, *, now: float) -> None:
        if look.reason is not LookReason.ROUTINE:
            self._promised.append(_Waiting(look, now, now))
            if len(self._promised) > MAX_PROMISED:
                self._promised.popleft()
                self.stale += 1
            return
        waiting = self._routine.get(look.camera_id)
        if waiting is None:
            self._routine[look.camera_id] = _Waiting(look, now, now)
        else:
            waiting.look, waiting.arrived = look, now
            self.replaced += 1

    def leave(self, camera_id: CameraId) -> bool:
        """The camera's routine look need not be inferred any more: what moved has gone. Whether one was waiting."""
        return self._routine.pop(camera_id, None) is not None

    def oldest_s(self, *, now: float) -> float:
        """How long the one waiting longest has waited; 0 when nobody waits."""
        firsts = [self._promised[0].since] if self._promised else []
        firsts += [next(iter(self._routine.values())).since] if self._routine else []
        return now - min(firsts, default=now)

    def take(self, count: int, *, now: float, without: Container[CameraId] = ()) -> list[Look]:
        """At most so many, promised ones first, then whoever has waited longest; never two of one camera.

        without: cameras left waiting, because a look of theirs is being inferred.
        """
        taken: dict[CameraId, Look] = {}
        later: list[_Waiting] = []
        while self._promised and len(taken) < count:
            waiting = self._promised.popleft()
            if waiting.look.camera_id in taken or waiting.look.camera_id in without:
                later.append(waiting)
            elif self._is_fresh(waiting, now):
                taken[waiting.look.camera_id] = waiting.look
        self._promised.extendleft(reversed(later))
        for camera_id in self._next(count - len(taken), taken, without):
            waiting = self._routine.pop(camera_id)
            if self._is_fresh(waiting, now):
                taken[camera_id] = waiting.look
        return list(taken.values())

    def _next(self, count: int, taken: Container[CameraId], without: Container[CameraId]) -> list[CameraId]:
        found: list[CameraId] = []
        for camera_id in self._routine:
            if len(found) >= count:
                break
            if camera_id not in taken and camera_id not in without:
                found.append(camera_id)
        return found

    def _is_fresh(self, waiting: _Waiting, now: float) -> bool:
        if now - waiting.arrived <= STALE_S:
            return True
        self.stale += 1
        return False
