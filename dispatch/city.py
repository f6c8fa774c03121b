"""What the city decides besides people and places, with effect from a moment on: limits, days, leave, departments.

All of it is an operator's to edit (`dispatch.city_records`); it is read with the people and places. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from dispatch.calendars import WorkCalendar
from models.ids import CellId, DepartmentId, PersonId, SubcategoryCode
from models.taxonomy import Subcategory, TimeLimit


@dataclass(frozen=True, slots=True)
class Leave:
    """A person is away in [starts_at, ends_at); substitute_id: who is asked in their place, None: the next in line."""

    person_id: PersonId
    starts_at: datetime
    ends_at: datetime
    substitute_id: PersonId | None = None


@dataclass(frozen=True, slots=True)
class DatedLimit:
    """A subcategory's time limit from a moment on."""

    subcategory: SubcategoryCode
    effective_from: datetime
    limit: TimeLimit


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day the operator declares worked or free, whatever the calendar library says. note: why."""

    day: date
    working: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class CityRules:
    """All of it at one moment. exceptions: department by (cell, subcategory)."""

    limits: tuple[DatedLimit, ...] = ()
    days: tuple[CalendarDay, ...] = ()
    leaves: tuple[Leave, ...] = ()
    exceptions: Mapping[tuple[CellId, SubcategoryCode], DepartmentId] = field(default_factory=dict)

    def limit(self, subcategory: Subcategory, at: datetime) -> TimeLimit:
        """In force at that moment; the taxonomy's before the first change."""
        dated = [one for one in self.limits if one.subcategory == subcategory.code and one.effective_from <= at]
        return max(dated, key=lambda one: one.effective_from).limit if dated else subcategory.limit

    def calendar(self, usual: WorkCalendar) -> WorkCalendar:
        return DeclaredDays({one.day: one.working for one in self.days}, usual) if self.days else usual

    def away(self, person_id: PersonId, at: datetime) -> Leave | None:
        return next(
            (one for one in self.leaves if one.person_id == person_id and one.starts_at <= at < one.ends_at), None
        )

    def department(self, subcategory: Subcategory, cells: Iterable[CellId]) -> DepartmentId:
        """The nearest cell's exception (micro-grid before its cell), else the subcategory's own department."""
        found = (self.exceptions.get((cell, subcategory.code)) for cell in cells)
        return next((one for one in found if one is not None), subcategory.department)


@dataclass(frozen=True, slots=True)
class DeclaredDays:
    """A calendar in which the operator's word about a day wins."""

    declared: Mapping[date, bool]
    usual: WorkCalendar

    def is_working_day(self, day: date) -> bool:
        declared = self.declared.get(day)
        return self.usual.is_working_day(day) if declared is None else declared
