"""Which days are worked: Chinese statutory holidays and make-up workdays, and what the operator says differently."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Protocol

import chinese_calendar

log = logging.getLogger(__name__)

MAX_ASKED = 4096
"""Days remembered: eleven years."""


class WorkCalendar(Protocol):
    """Tells whether a day (local date) is worked."""

    def is_working_day(self, day: date) -> bool: ...


class WeekdayCalendar:
    """Monday to Friday; the in-memory twin, and the rule for years no calendar knows yet."""

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < 5


class ChineseCalendar:
    """The State Council's yearly arrangement as `chinesecalendar` keeps it; `overrides` by the operator win.

    The arrangement of a year is announced in the November before. Until the library knows it, weekdays
    count as worked, and the log says so once for that year.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._unknown: set[int] = set()
        self._asked: dict[date, bool] = {}

    def is_working_day(self, day: date) -> bool:
        """Each day is looked up once: sweeps ask for the same few of them for every open incident."""
        if day not in self._asked:
            if len(self._asked) >= MAX_ASKED:
                self._asked.clear()
            self._asked[day] = self._look_up(day)
        return self._asked[day]

    def _look_up(self, day: date) -> bool:
        if day in self._overrides:
            return self._overrides[day]
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            self._tell_once(day.year)
            return WeekdayCalendar().is_working_day(day)

    def _tell_once(self, year: int) -> None:
        if year not in self._unknown:
            self._unknown.add(year)
            log.warning(
                "The calendar library does not know the holidays of %d yet: Monday to Friday count as worked. "
                "Upgrade chinesecalendar when they are announced.",
                year,
            )
