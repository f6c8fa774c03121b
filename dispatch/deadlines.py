"""Until when: urgent hours run through, working hours and days only while the office is open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dispatch.calendars import WorkCalendar
from models.taxonomy import LimitKind, TimeLimit

LOCAL = ZoneInfo("Asia/Shanghai")
"""All of China keeps this one zone, without summer time."""

SESSIONS = ((time(8), time(12)), (time(14), time(18)))
"""Working hours as the public limit tables count them: eight a day, with the long midday break."""

HOURS_A_DAY = 8
"""One working day of a limit is eight working hours (GB/T 30428's tables)."""

LONGEST_SEARCH = timedelta(days=10 * 366)
"""The largest limit is 3660 working hours or days and suspensions last a year: a calendar with no working day
in ten years is a broken calendar, and a search has to end."""


def due_at(limit: TimeLimit, start: datetime, calendar: WorkCalendar) -> datetime:
    """The moment the limit is used up when the clock starts at `start` (UTC)."""
    return add(limit.kind, allowance(limit), start, calendar)


def allowance(limit: TimeLimit) -> timedelta:
    """The limit as running time of its own kind of clock."""
    hours = limit.amount * (HOURS_A_DAY if limit.kind is LimitKind.WORKING_DAYS else 1)
    return timedelta(hours=hours)


def add(kind: LimitKind, duration: timedelta, start: datetime, calendar: WorkCalendar) -> datetime:
    """The moment at which this kind of clock, started at `start`, has run for `duration`."""
    if kind is LimitKind.URGENT_HOURS:
        return start + duration
    left = duration
    for opens, closes in _sessions_from(start, calendar):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise ValueError(f"no {duration} of working time within ten years of {start:%Y-%m-%d}: check the calendar")


def between(kind: LimitKind, start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    """How long this kind of clock runs from start to end; zero when end is not later."""
    if kind is LimitKind.URGENT_HOURS or end <= start:
        return max(end - start, timedelta())
    total = timedelta()
    for opens, closes in _sessions_from(start, calendar):
        if opens >= end:
            break
        total += min(closes, end) - opens
    return total


def _sessions_from(start: datetime, calendar: WorkCalendar) -> Iterator[tuple[datetime, datetime]]:
    """Working sessions (UTC) that are not over at `start`; the first one begins at `start` if it is running."""
    first = start.astimezone(LOCAL).date()
    for number in range(LONGEST_SEARCH.days):
        day = first + timedelta(days=number)
        if calendar.is_working_day(day):
            yield from ((max(o, start), c) for o, c in _sessions_of(day) if c > start)


def _sessions_of(day: date) -> Iterator[tuple[datetime, datetime]]:
    for opens, closes in SESSIONS:
        yield _utc(day, opens), _utc(day, closes)


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LOCAL).astimezone(UTC)
