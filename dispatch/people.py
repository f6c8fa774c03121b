"""Departments, people and the duty roster, as kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.store.directory import DepartmentRow, DutyRow, PersonRow
from dispatch.store.revision import directory_changed
from models.ids import CellId, DepartmentId, PersonId
from models.people import Department, Duty, Person, Post, Role


def put_department(session: Session, department: Department) -> None:
    """Adds it or changes it."""
    session.merge(DepartmentRow(department_id=department.department_id, zh=department.zh, en=department.en))
    session.flush()


def list_departments(session: Session) -> list[Department]:
    rows = session.scalars(select(DepartmentRow).order_by(DepartmentRow.department_id))
    return [Department(DepartmentId(row.department_id), row.zh, row.en) for row in rows]


def put_person(session: Session, person: Person) -> None:
    """Adds the person or changes them; the department must be there already."""
    session.merge(
        PersonRow(
            person_id=person.person_id,
            name=person.name,
            role=person.role.value,
            department_id=person.department_id,
            cells=list(person.cells),
        )
    )
    session.flush()
    directory_changed(session)


def list_people(session: Session) -> list[Person]:
    return [person_of(row) for row in session.scalars(select(PersonRow).order_by(PersonRow.person_id))]


def put_roster(session: Session, duties: Iterable[Duty]) -> None:
    """Replaces the whole roster; earlier lines are asked before later ones of the same post."""
    session.execute(delete(DutyRow))
    session.add_all(_duty_row(duty) for duty in duties)
    session.flush()
    directory_changed(session)


def list_duties(session: Session) -> list[Duty]:
    return [_duty(row) for row in session.scalars(select(DutyRow).order_by(DutyRow.place))]


def person_of(row: PersonRow) -> Person:
    return Person(
        person_id=PersonId(row.person_id),
        name=row.name,
        role=Role(row.role),
        department_id=DepartmentId(row.department_id),
        cells=tuple(CellId(cell) for cell in row.cells),
    )


def _duty_row(duty: Duty) -> DutyRow:
    return DutyRow(
        cell_id=duty.cell_id,
        person_id=duty.person_id,
        post=duty.post.value,
        department_id=duty.department_id,
        weekdays=list(duty.weekdays),
        starts=duty.starts.isoformat(),
        ends=duty.ends.isoformat(),
    )


def _duty(row: DutyRow) -> Duty:
    return Duty(
        cell_id=CellId(row.cell_id),
        person_id=PersonId(row.person_id),
        post=Post(row.post),
        department_id=None if row.department_id is None else DepartmentId(row.department_id),
        weekdays=tuple(row.weekdays),
        starts=time.fromisoformat(row.starts),
        ends=time.fromisoformat(row.ends),
    )
