"""In-memory twins of the seams in `models`, shipped so that users of the package can test with them."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock` that moves only when told to.

    >>> clock = FakeClock()
    >>> before = clock.now()
    >>> clock.advance(seconds=5)
    >>> (clock.now() - before).total_seconds()
    5.0
    """

    def __init__(self, start: datetime = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self._now += timedelta(seconds=seconds, minutes=minutes, hours=hours)

    def set(self, moment: datetime) -> None:
        self._now = moment
