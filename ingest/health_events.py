"""What an operator is told about cameras: each trouble once when it begins and once when it is over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.ids import CameraId
from models.places import CameraCondition, CameraState, Flaw

OFFLINE, LATE = CameraCondition.OFFLINE.value, CameraCondition.LATE.value

SETTLED = timedelta(seconds=60)
"""A camera is back when it has been back this long: one that flaps is one event, not a hundred a day."""

LATE_FOR = timedelta(seconds=30)
"""Late is told after this: when a whole box is busy for a moment, nobody needs 1,438 lines about it."""


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """kind: offline, late, or a `Flaw`; reason: the `Trouble` behind offline, "" otherwise; ended_at: None while on."""

    camera_id: CameraId
    kind: str
    reason: str
    message: str
    began_at: datetime
    ended_at: datetime | None = None


Open = Mapping[tuple[CameraId, str], HealthEvent]
"""Events that are on, by camera and kind."""


def happenings(present: Open, states: Iterable[CameraState], now: datetime) -> list[HealthEvent]:
    """Events that begin or end now; an event that ends comes again with its `ended_at`.

    A camera that is no longer watched has no trouble any more.
    """
    found: list[HealthEvent] = []
    by_camera: dict[CameraId, dict[str, HealthEvent]] = {}
    for (camera_id, kind), event in present.items():
        by_camera.setdefault(camera_id, {})[kind] = event
    for state in states:
        showing = _showing(state, now)
        on = by_camera.pop(state.camera_id, {})
        found += [event for kind, event in showing.items() if kind not in on]
        if state.condition is not CameraCondition.STARTING:
            found += [
                replace(e, ended_at=now) for kind, e in on.items() if kind not in showing and _over(e, state, now)
            ]
    gone = [event for on in by_camera.values() for event in on.values()]
    return found + [replace(event, ended_at=now) for event in gone]


def _showing(state: CameraState, now: datetime) -> dict[str, HealthEvent]:
    showing: dict[str, HealthEvent] = {}
    if state.condition is CameraCondition.OFFLINE:
        reason = state.trouble.value if state.trouble else ""
        showing[OFFLINE] = HealthEvent(state.camera_id, OFFLINE, reason, state.message, state.since)
    if state.condition is CameraCondition.LATE and now - state.since >= LATE_FOR:
        message = "not looked at for longer than its interval; the box is behind or the camera is slow"
        showing[LATE] = HealthEvent(state.camera_id, LATE, "", message, state.since)
    for flaw in state.flaws:
        showing[flaw.value] = HealthEvent(state.camera_id, flaw.value, "", state.message, now)
    return showing


def _over(event: HealthEvent, state: CameraState, now: datetime) -> bool:
    """Flaws of an offline camera go on: nobody has seen them end."""
    if event.kind in tuple(Flaw):
        return state.condition is not CameraCondition.OFFLINE
    return state.condition is CameraCondition.ONLINE and now - state.since >= SETTLED
