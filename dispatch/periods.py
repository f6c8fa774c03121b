"""Weeks, months and quarters as districts assess them: local days, Monday first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dispatch.deadlines import LOCAL

JUDGED = time(18)
"""Friday's judgement is at the end of the working day."""

_FRIDAY = 4


class Kind(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True)
class Period:
    """Local days [first, after)."""

    kind: Kind
    first: date
    after: date

    @property
    def since(self) -> datetime:
        return _midnight(self.first)

    @property
    def until(self) -> datetime:
        return _midnight(self.after)

    @property
    def previous(self) -> Period:
        """环比 is measured against the one right before."""
        return period_of(self.kind, self.first - timedelta(days=1))

    @property
    def last_year(self) -> Period:
        """同比 is measured against the same one a year ago: the week 52 weeks back, the month of the same name."""
        if self.kind is Kind.WEEK:
            return period_of(self.kind, self.first - timedelta(weeks=52))
        return period_of(self.kind, self.first.replace(year=self.first.year - 1))

    @property
    def judged_at(self) -> datetime:
        """A week's Monday tasks are judged on Friday evening; longer periods at their end."""
        if self.kind is not Kind.WEEK:
            return self.until
        friday = self.first + timedelta(days=_FRIDAY)
        return datetime.combine(friday, JUDGED, LOCAL).astimezone(UTC)


def period_of(kind: Kind, day: date) -> Period:
    """The week, month or quarter this local day lies in."""
    if kind is Kind.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(weeks=1))
    length = 1 if kind is Kind.MONTH else 3
    first = day.replace(day=1, month=(day.month - 1) // length * length + 1)
    return Period(kind, first, _months_on(first, length))


def local_day(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()


def _months_on(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)
