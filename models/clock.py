"""Time as an argument: nothing in gridwarden asks the operating system for the time but `SystemClock`."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. `now()` is timezone-aware UTC; it may jump, as wall clocks do."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)
