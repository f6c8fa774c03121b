"""What the figures count: one line per incident, made of its events, and for each figure whether it counts there.

All of it is SQL that SQLite and PostgreSQL both understand, so that a million events are folded where they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Float, and_, case, false, func, literal, not_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from dispatch.store.tables import EventRow, IncidentRow
from models.ids import CellId
from models.incidents import OWED_STATES, Happening, IncidentState
from models.lifecycle import Step
from models.people import Role

FILING = timedelta(minutes=15)
"""Accept within a quarter of an hour (the published tables of 立案 time limits): what a held find may wait."""

NOT_FILED = (IncidentState.SUSPECTED, IncidentState.REJECTED, IncidentState.MERGED)
"""After-states that do not mean that a find was taken up (立案): a held find that an operator throws out never was."""

UNFINISHED = (*OWED_STATES, IncidentState.OPENED, IncidentState.RETURNED)
"""Somebody still has to work on it and its clock runs: what can be overdue."""

VOID = (IncidentState.REJECTED.value, IncidentState.MERGED.value)
"""Nothing had to be resolved there after all."""

MACHINES = (Role.CAMERA.value, Role.SYSTEM.value)

Flag = Callable[[CTE, datetime], ColumnElement[bool]]


class Seconds(FunctionElement[float]):
    """Seconds from the first moment to the second."""

    type = Float()
    inherit_cache = True
    name = "seconds_between"


@compiles(Seconds, "sqlite")
def _on_sqlite(element: Seconds, compiler: Any, **words: Any) -> str:
    start, end = (compiler.process(clause, **words) for clause in element.clauses)
    return f"ROUND((julianday({end}) - julianday({start})) * 86400.0, 3)"


@compiles(Seconds, "postgresql")
def _on_postgresql(element: Seconds, compiler: Any, **words: Any) -> str:
    start, end = (compiler.process(clause, **words) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({end} - {start})) AS DOUBLE PRECISION)"


def lives(*, since: datetime, until: datetime, cells: Collection[CellId] | None = None) -> CTE:
    """Incidents found in [since, until) and the moments of their stages: the first of each, `done` the last."""
    row, event = IncidentRow, EventRow
    query = (
        select(
            row.incident_id,
            row.number,
            row.cell_id,
            row.subcategory,
            row.assignee_id.label("person_id"),
            row.department_id,
            row.camera_id,
            row.state,
            row.due_at.label("due"),
            case((row.state == IncidentState.CLOSED.value, row.closed_at)).label("closed"),
            func.max(case((event.kind == Step.OPEN, event.actor_role))).label("found_by_role"),
            func.max(case((event.kind == Step.OPEN, event.actor_id))).label("reporter"),
            func.count().filter(event.kind.in_((Step.OPEN, Happening.ATTACHED))).label("sightings"),
            _first(Step.OPEN).label("found"),
            _moment(func.min(case((event.after.not_in(NOT_FILED), event.at)))).label("filed"),
            _moment(func.max(case((event.kind == Step.RESOLVE, event.at)))).label("done"),
            *(_first(step).label(step.value) for step in STAGES),
        )
        .join(event, event.incident_id == row.incident_id)
        .where(row.opened_at >= since, row.opened_at < until)
        .group_by(row.incident_id)
    )
    if cells is not None:
        query = query.where(row.cell_id.in_(list(cells)))
    return query.cte("life")


STAGES = (
    Step.ASSIGN,
    Step.RECEIVE,
    Step.ACCEPT,
    Step.RESOLVE,
    Step.RETURN,
    Step.EXTEND,
    Step.SUSPEND,
    Step.CONFIRM_GONE,
    Step.CONFIRM_STILL_THERE,
)


def _first(step: Step) -> ColumnElement[datetime | None]:
    return _moment(func.min(case((EventRow.kind == step, EventRow.at))))


def _moment(column: Any) -> ColumnElement[datetime | None]:
    column.type = EventRow.at.type
    return column  # type: ignore[no-any-return]


def _filed(life: CTE) -> ColumnElement[bool]:
    return life.c.filed.is_not(None)


def _has(step: Step) -> Flag:
    return lambda life, at: _filed(life) & life.c[step.value].is_not(None)


def _either(*steps: Step) -> Flag:
    return lambda life, at: _filed(life) & or_(false(), *(life.c[step.value].is_not(None) for step in steps))


def _by_camera(life: CTE) -> ColumnElement[bool]:
    return life.c.found_by_role.in_(MACHINES)


def _in_time(life: CTE) -> ColumnElement[bool]:
    return life.c.resolve.is_not(None) & or_(life.c.due.is_(None), life.c.resolve <= life.c.due)


def _due(life: CTE, at: datetime) -> ColumnElement[bool]:
    """Had to be resolved by now: the time is up, or it is done already. Suspended work has no time that is up."""
    running = life.c.state != IncidentState.SUSPENDED.value
    ended = or_(life.c.resolve.is_not(None), and_(life.c.due <= at, running))
    return _filed(life) & life.c.state.not_in(VOID) & ended


def _due_to_close(life: CTE, at: datetime) -> ColumnElement[bool]:
    running = life.c.state != IncidentState.SUSPENDED.value
    return _filed(life) & life.c.state.not_in(VOID) & or_(life.c.closed.is_not(None), and_(life.c.due <= at, running))


def _overdue(life: CTE, at: datetime) -> ColumnElement[bool]:
    return _filed(life) & life.c.state.in_(UNFINISHED) & (life.c.due <= at)


INDICATORS: Mapping[str, Flag] = {
    "reported": lambda life, at: life.c.found.is_not(None),
    "opened": lambda life, at: _filed(life),
    "filed_on_time": lambda life, at: _filed(life) & (Seconds(life.c.found, life.c.filed) <= FILING.total_seconds()),
    "assigned": _has(Step.ASSIGN),
    "dispatched_right": lambda life, at: _filed(life) & life.c.assign.is_not(None) & life.c["return"].is_(None),
    "received": _either(Step.RECEIVE, Step.ACCEPT, Step.RESOLVE),
    "accepted": _either(Step.ACCEPT, Step.RESOLVE),
    "resolved": _has(Step.RESOLVE),
    "verified": _either(Step.CONFIRM_GONE, Step.CONFIRM_STILL_THERE),
    "passed": lambda life, at: _filed(life) & life.c.confirm_gone.is_not(None) & life.c.confirm_still_there.is_(None),
    "closed": lambda life, at: life.c.state == IncidentState.CLOSED.value,
    "rejected": lambda life, at: life.c.state == IncidentState.REJECTED.value,
    "merged": lambda life, at: life.c.state == IncidentState.MERGED.value,
    "on_time": lambda life, at: _filed(life) & _in_time(life),
    "due": _due,
    "due_done": lambda life, at: _due(life, at) & life.c.resolve.is_not(None),
    "due_on_time": lambda life, at: _due(life, at) & _in_time(life),
    "due_to_close": _due_to_close,
    "closed_due": lambda life, at: _due_to_close(life, at) & life.c.closed.is_not(None),
    "closed_on_time": lambda life, at: (
        _due_to_close(life, at)
        & life.c.closed.is_not(None)
        & or_(life.c.due.is_(None), func.coalesce(life.c.done, life.c.closed) <= life.c.due)
    ),
    "overdue": _overdue,
    "rework": _has(Step.CONFIRM_STILL_THERE),
    "returned": _has(Step.RETURN),
    "extended": _has(Step.EXTEND),
    "suspended": _has(Step.SUSPEND),
    "camera": lambda life, at: _by_camera(life),
    "false_alarms": lambda life, at: _by_camera(life) & (life.c.state == IncidentState.REJECTED.value),
    "missed": lambda life, at: _true_find(life) & not_(_by_camera(life)) & life.c.camera_id.is_not(None),
    "in_view": lambda life, at: _true_find(life) & life.c.camera_id.is_not(None),
}
"""What each figure counts. Who accepts has received, who resolves has accepted: the app may have been offline.

reported: finds and reports, held ones included; opened: those taken up (立案); due: had to be resolved by now;
passed: gone at the first check; overdue: not done, and its time is up; missed: found by a person where a camera
looks; in_view: real ones where a camera looks.
"""


def _true_find(life: CTE) -> ColumnElement[bool]:
    return _filed(life) & life.c.state.not_in(VOID)


SPANS: Mapping[str, tuple[str, str]] = {
    "to_receive": ("filed", "receive"),
    "to_accept": ("filed", "accept"),
    "to_resolve": ("filed", "resolve"),
    "to_close": ("filed", "closed"),
}
"""Times that are averaged: from which moment to which."""


def span(life: CTE, name: str) -> ColumnElement[float]:
    start, end = SPANS[name]
    return Seconds(life.c[start], life.c[end])


GROUPS: Mapping[str, Callable[[CTE], ColumnElement[Any]]] = {
    "whole": lambda life: literal("all"),
    "cell": lambda life: life.c.cell_id,
    "department": lambda life: life.c.department_id,
    "person": lambda life: life.c.person_id,
    "subcategory": lambda life: life.c.subcategory,
    "reporter": lambda life: life.c.reporter,
}
"""By what figures can be told apart. person, department: who has it now, or had it last; reporter: camera or person."""
