"""The city's decisions as kept: time limits with their dates, calendar days, leave, departments by cell."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.city import CalendarDay, CityRules, DatedLimit, Leave
from dispatch.store.directory import CalendarDayRow, DepartmentExceptionRow, LeaveRow, TimeLimitRow
from dispatch.store.revision import directory_changed
from models.errors import PayloadError
from models.ids import CellId, DepartmentId, PersonId, SubcategoryCode
from models.taxonomy import TimeLimit


def put_limit(session: Session, limit: DatedLimit) -> None:
    """Clocks that are running keep the limit they started with."""
    session.merge(
        TimeLimitRow(subcategory=limit.subcategory, effective_from=limit.effective_from, amount=str(limit.limit))
    )
    _changed(session)


def put_calendar_day(session: Session, day: CalendarDay) -> None:
    """`dispatch.clocks.recompute` then brings running clocks in line."""
    session.merge(CalendarDayRow(day=day.day.isoformat(), working=day.working, note=day.note))
    _changed(session)


def remove_calendar_day(session: Session, day: date) -> None:
    session.execute(delete(CalendarDayRow).where(CalendarDayRow.day == day.isoformat()))
    _changed(session)


def put_leave(session: Session, leave: Leave) -> None:
    """Raises PayloadError for one that ends before it starts, or a substitute who is the same person."""
    if leave.ends_at <= leave.starts_at or leave.substitute_id == leave.person_id:
        raise PayloadError("a leave must end after it starts, and its substitute must be somebody else")
    session.add(
        LeaveRow(
            person_id=leave.person_id,
            starts_at=leave.starts_at,
            ends_at=leave.ends_at,
            substitute_id=leave.substitute_id,
        )
    )
    _changed(session)


def end_leaves(session: Session, person_id: str, *, at: datetime) -> None:
    """Back early: leaves that have not ended are taken off."""
    session.execute(delete(LeaveRow).where(LeaveRow.person_id == person_id, LeaveRow.ends_at > at))
    _changed(session)


def put_department_exception(session: Session, cell_id: str, subcategory: str, department_id: str | None) -> None:
    """None: the cell is as everywhere else again."""
    where = (DepartmentExceptionRow.cell_id == cell_id, DepartmentExceptionRow.subcategory == subcategory)
    session.execute(delete(DepartmentExceptionRow).where(*where))
    if department_id is not None:
        session.add(DepartmentExceptionRow(cell_id=cell_id, subcategory=subcategory, department_id=department_id))
    _changed(session)


def read_city(session: Session) -> CityRules:
    limits, days = session.scalars(select(TimeLimitRow)), session.scalars(select(CalendarDayRow))
    leaves = session.scalars(select(LeaveRow).order_by(LeaveRow.leave_id))
    return CityRules(
        limits=tuple(
            DatedLimit(SubcategoryCode(row.subcategory), row.effective_from, TimeLimit.parse(row.amount))
            for row in limits
        ),
        days=tuple(CalendarDay(date.fromisoformat(row.day), row.working, row.note) for row in days),
        leaves=tuple(
            Leave(
                PersonId(row.person_id),
                row.starts_at,
                row.ends_at,
                None if row.substitute_id is None else PersonId(row.substitute_id),
            )
            for row in leaves
        ),
        exceptions={
            (CellId(row.cell_id), SubcategoryCode(row.subcategory)): DepartmentId(row.department_id)
            for row in session.scalars(select(DepartmentExceptionRow))
        },
    )


def _changed(session: Session) -> None:
    session.flush()
    directory_changed(session)
