"""What is true about a camera, from its looks and failures. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.places import CameraCondition, Trouble

LATE_AFTER = 1.5
"""Intervals without a look after which a camera is late: one look lost is routine, half an interval more is not."""

GLITCHES = 1
"""Lost looks in a row a working camera is forgiven when it was only not reached; definite answers (wrong password,
missing file, no picture) count at once."""

_PASSING = frozenset({Trouble.UNREACHABLE, Trouble.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Health:
    """condition: as last decided, never LATE, which `lateness` adds when it is asked; since: when it began."""

    condition: CameraCondition
    since: datetime
    last_look_at: datetime | None = None
    trouble: Trouble | None = None
    message: str = ""
    looks: int = 0
    failures: int = 0
    failed_in_a_row: int = 0

    @classmethod
    def starting(cls, now: datetime) -> Health:
        return cls(CameraCondition.STARTING, now)


def seen(health: Health, now: datetime, *, remark: str = "") -> Health:
    """After a look that gave a picture; `remark` says what is odd about it (black, frozen)."""
    online = health.condition is CameraCondition.ONLINE
    return replace(
        health,
        condition=CameraCondition.ONLINE,
        since=health.since if online else now,
        last_look_at=now,
        trouble=None,
        message=remark,
        looks=health.looks + 1,
        failed_in_a_row=0,
    )


def failed(health: Health, now: datetime, *, trouble: Trouble, message: str) -> Health:
    """After a look that gave none."""
    in_a_row = health.failed_in_a_row + 1
    online = health.condition is CameraCondition.ONLINE
    forgiven = online and trouble in _PASSING and in_a_row <= GLITCHES
    condition = health.condition if forgiven else CameraCondition.OFFLINE
    return replace(
        health,
        condition=condition,
        since=health.since if condition is health.condition else now,
        trouble=trouble,
        message=message,
        failures=health.failures + 1,
        failed_in_a_row=in_a_row,
    )


def cut_off(health: Health, now: datetime, *, message: str) -> Health:
    """Not even tried, because the host behind it is down."""
    return replace(health, condition=CameraCondition.OFFLINE, since=now, trouble=Trouble.UNREACHABLE, message=message)


def lateness(health: Health, now: datetime, *, max_interval_s: float) -> Health:
    """The same health, LATE when an online camera has not been seen for too long."""
    if health.condition is not CameraCondition.ONLINE or health.last_look_at is None:
        return health
    late_at = health.last_look_at + timedelta(seconds=max_interval_s * LATE_AFTER)
    if now <= late_at:
        return health
    return replace(health, condition=CameraCondition.LATE, since=late_at)
