"""The attention budget: which camera is looked at next. Pure: time comes in as seconds, nothing is awaited.

Three lanes, each a heap ordered by when the look is owed: promised looks (verification, follow-up, operator) go
first, routine looks by earliest deadline, and cameras that failed wait in a lane of their own so that the dead can
never take the slots of the living. Every decision is O(log n).
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from enum import IntEnum

from ingest.backoff import retry_delay_s
from models.ids import CameraId
from models.pictures import LookReason

AIM = 0.9
"""Routine looks are aimed at this share of the hard maximum interval: the rest pays for queueing and the network."""

MIN_GAP_S = 0.5
"""Least time between two looks of one camera, promised ones included: a rule that asks again and again in one breath
gets two pictures a second, not a stream."""

MIN_INTERVAL_S = 0.04
"""Least routine interval, one frame of ordinary video: a camera set to 0 s must not take the whole box."""

PROMISED_IN_A_ROW = 4
"""After so many promised looks one overdue routine look has its turn: follow-ups take at most 4/5 of the budget."""

_WEIGHT = {LookReason.ROUTINE: 0, LookReason.FOLLOW_UP: 1, LookReason.OPERATOR: 2, LookReason.VERIFICATION: 3}
"""Which reason a look carries when several asked for it."""


class Lane(IntEnum):
    """Where a camera waits for its next look."""

    PROMISED = 0
    ROUTINE = 1
    RETRY = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """A camera whose look is to be taken now; `owed_at`: when it should have been, `retry`: it failed last time."""

    camera_id: CameraId
    reason: LookReason
    owed_at: float
    retry: bool


@dataclass(slots=True)
class _Plan:
    """One camera's place in the schedule.

    reason, promised_at: what is promised; carried: the promise the look under way is meant to keep;
    version: makes entries left behind in a heap void; settled: has had its first, shortened interval.
    """

    interval_s: float
    due_at: float
    last_at: float = float("-inf")
    failures: int = 0
    reason: LookReason | None = None
    promised_at: float = float("inf")
    carried: LookReason | None = None
    version: int = 0
    waiting_until: float = 0.0
    flying: bool = False
    settled: bool = False


class Scheduler:
    """Cameras and when each is owed a look. Not thread-safe: used from one event loop."""

    def __init__(self, *, seed: int | None = None) -> None:
        self._plans: dict[CameraId, _Plan] = {}
        self._lanes: dict[Lane, list[tuple[float, int, CameraId]]] = {lane: [] for lane in Lane}
        self._random = random.Random(seed)  # noqa: S311 - spreads load, guards nothing
        self._promised_in_a_row = 0
        self._versions = 0

    def __len__(self) -> int:
        return len(self._plans)

    def add(self, camera_id: CameraId, *, max_interval_s: float, now: float) -> None:
        """Watches a camera, first look owed now; for one already watched only the interval changes."""
        plan = self._plans.get(camera_id)
        if plan is None:
            plan = self._plans[camera_id] = _Plan(interval_s=max_interval_s, due_at=now)
        # This order also turns "not a number" into the least interval.
        plan.interval_s = max(MIN_INTERVAL_S, max_interval_s)
        plan.due_at = min(plan.due_at, now + plan.interval_s * AIM)
        self._enter(camera_id, plan)

    def remove(self, camera_id: CameraId) -> None:
        """Forgets the camera and what was promised about it."""
        self._plans.pop(camera_id, None)

    def promise(self, camera_id: CameraId, *, reason: LookReason, within_s: float, now: float) -> None:
        """Owes the camera a look within this time; kept until a look succeeds. Raises KeyError when not watched.

        It is taken half way: late enough that a follow-up sees another moment, early enough to be kept. A second
        promise before the first is kept only makes it sooner and its reason weightier.
        """
        plan = self._plans[camera_id]
        before = (plan.promised_at, plan.reason)
        _owe(plan, reason=reason, at=now + within_s / 2)
        if (plan.promised_at, plan.reason) != before:
            self._enter(camera_id, plan)

    def take(self, now: float, *, retries: bool = True, routine: bool = True) -> Turn | None:
        """The camera most owed a look that may be taken now, or None; it then counts as being looked at.

        retries, routine: False keeps that lane waiting (its share of slots is used up, or the queue is full).
        """
        lane = self._pick(now, retries=retries, routine=routine)
        if lane is None:
            return None
        owed_at, _, camera_id = heapq.heappop(self._lanes[lane])
        self._promised_in_a_row = self._promised_in_a_row + 1 if lane is Lane.PROMISED else 0
        plan = self._plans[camera_id]
        plan.flying = True
        reason = _reason(plan, now)
        if reason is not LookReason.ROUTINE:
            plan.carried, plan.reason, plan.promised_at = reason, None, float("inf")
        plan.last_at = now
        return Turn(camera_id, reason, owed_at, retry=plan.failures > 0)

    def succeeded(self, camera_id: CameraId, *, now: float) -> None:
        """The look gave a picture: plans the next."""
        plan = self._landed(camera_id)
        if plan is None:
            return
        plan.failures = 0
        plan.carried = None
        aim = plan.interval_s * AIM
        if not plan.settled:
            # Cameras added together would be looked at together for ever: the first interval is cut at random.
            aim, plan.settled = aim * self._random.uniform(0.5, 1.0), True
        plan.due_at = max(plan.last_at + aim, now)
        self._enter(camera_id, plan)

    def failed(self, camera_id: CameraId, *, now: float, at_least_s: float = 0.0) -> None:
        """The look gave none: tried again after a growing, jittered delay, which `at_least_s` makes longer."""
        plan = self._landed(camera_id)
        if plan is None:
            return
        plan.failures += 1
        _hand_back(plan)
        plan.due_at = now + retry_delay_s(plan.failures, draw=self._random.random(), at_least_s=at_least_s)
        self._enter(camera_id, plan)

    def postponed(self, camera_id: CameraId, *, until: float) -> None:
        """The look was not even tried (its host is busy or its circuit open): nothing is learnt about the camera."""
        plan = self._landed(camera_id)
        if plan is not None:
            plan.waiting_until = until
            _hand_back(plan)
            self._enter(camera_id, plan)

    def next_at(self, *, retries: bool = True, routine: bool = True) -> float | None:
        """When `take` will next have something, None when nothing is waiting."""
        lanes = self._open_lanes(retries=retries, routine=routine)
        return min((top for lane in lanes if (top := self._top(lane)) is not None), default=None)

    def next_look_at(self, camera_id: CameraId) -> float:
        """When this camera's next look is owed. Raises KeyError when it is not watched."""
        plan = self._plans[camera_id]
        return min(when for _, when in _entries(plan))

    def behind_s(self, now: float) -> float:
        """How late the most overdue look of a working camera is; 0 when the box keeps up."""
        tops = [top for lane in (Lane.PROMISED, Lane.ROUTINE) if (top := self._top(lane)) is not None]
        return max(now - min(tops, default=now), 0.0)

    def _pick(self, now: float, *, retries: bool, routine: bool) -> Lane | None:
        due = [
            lane
            for lane in self._open_lanes(retries=retries, routine=routine)
            if (top := self._top(lane)) is not None and top <= now
        ]
        if due[:2] == [Lane.PROMISED, Lane.ROUTINE] and self._promised_in_a_row >= PROMISED_IN_A_ROW:
            return Lane.ROUTINE
        return due[0] if due else None

    def _open_lanes(self, *, retries: bool, routine: bool) -> list[Lane]:
        allowed = {Lane.PROMISED: True, Lane.ROUTINE: routine, Lane.RETRY: retries}
        return [lane for lane in Lane if allowed[lane]]

    def _top(self, lane: Lane) -> float | None:
        heap = self._lanes[lane]
        while heap:
            when, version, camera_id = heap[0]
            plan = self._plans.get(camera_id)
            if plan is not None and plan.version == version and not plan.flying:
                return when
            heapq.heappop(heap)
        return None

    def _enter(self, camera_id: CameraId, plan: _Plan) -> None:
        """Puts the camera into its lanes; its former entries become void. One in flight is entered when it lands."""
        if plan.flying:
            return
        self._versions += 1
        plan.version = self._versions
        for lane, when in _entries(plan):
            heapq.heappush(self._lanes[lane], (when, plan.version, camera_id))

    def _landed(self, camera_id: CameraId) -> _Plan | None:
        plan = self._plans.get(camera_id)
        if plan is None or not plan.flying:
            return None
        plan.flying = False
        plan.waiting_until = 0.0
        return plan


def _reason(plan: _Plan, now: float) -> LookReason:
    """A look taken when a promise is owed keeps it, also when it comes from another lane."""
    if plan.reason is not None and (plan.promised_at <= now or plan.failures > 0):
        return plan.reason
    return LookReason.ROUTINE


def _owe(plan: _Plan, *, reason: LookReason, at: float) -> None:
    plan.promised_at = min(plan.promised_at, at)
    if plan.reason is None or _WEIGHT[reason] > _WEIGHT[plan.reason]:
        plan.reason = reason


def _hand_back(plan: _Plan) -> None:
    """The look that should have kept a promise gave no picture: it is still owed."""
    if plan.carried is not None:
        _owe(plan, reason=plan.carried, at=plan.last_at)
        plan.carried = None


def _entries(plan: _Plan) -> list[tuple[Lane, float]]:
    """The lanes a camera waits in, and until when.

    One with a promise waits in two, so that the promise is kept ahead of routine looks even when its own routine look
    is overdue; whichever comes first voids the other.
    """
    if plan.failures > 0:
        return [(Lane.RETRY, max(plan.due_at, plan.waiting_until))]
    entries = [(Lane.ROUTINE, max(plan.due_at, plan.waiting_until))]
    if plan.reason is not None:
        promised = max(plan.promised_at, plan.last_at + MIN_GAP_S, plan.waiting_until)
        entries.append((Lane.PROMISED, promised))
    return entries
