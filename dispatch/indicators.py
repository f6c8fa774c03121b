"""Figures of the assessment, all counted from the event log; each can name the incidents behind it.

A period's figures are those of the incidents opened in it (a cohort): what became of them until now. So no later
stage can hold more than an earlier one, and a figure and the list behind it always agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from dispatch.store.tables import EventRow, IncidentRow
from models.ids import CellId, IncidentId, PersonId, SubcategoryCode
from models.incidents import Happening
from models.lifecycle import Step

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share with what it is made of; `value` is None when there is nothing to divide by, never 0 or 100 %."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many incidents got how far. reported: sightings and reports, several of which may be one incident."""

    reported: int
    opened: int
    received: int
    accepted: int
    resolved: int
    verified: int
    closed: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one cell, person or subcategory; `key` None gathers incidents that have none.

    handled: resolved of opened (处置率); on_time: resolved before the deadline, of resolved (按期处置率);
    closed: closed of opened (结案率); rework: sent back, of verified (返工率); returned: returned, of opened (回退率);
    false_alarms: rejected, of those found by cameras (误报率); times: means over the incidents that got there.
    """

    key: str | None
    funnel: Funnel
    handled: Ratio
    on_time: Ratio
    closed: Ratio
    rework: Ratio
    returned: Ratio
    false_alarms: Ratio
    mean_to_accept: timedelta | None
    mean_to_resolve: timedelta | None
    mean_to_close: timedelta | None


@dataclass(frozen=True, slots=True)
class Life:
    """One incident's way as far as it has come: the first moment of each stage."""

    incident_id: IncidentId
    cell_id: CellId | None
    subcategory: SubcategoryCode
    person_id: PersonId | None
    by_camera: bool
    opened: datetime
    due: datetime | None
    sightings: int
    received: datetime | None
    accepted: datetime | None
    resolved: datetime | None
    gone: datetime | None
    still_there: datetime | None
    rejected: datetime | None
    returned: datetime | None
    state: str


def funnel(session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None) -> Funnel:
    return _funnel(lives(session, since=since, until=until, cells=cells))


def by_cell(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    return _rows(lives(session, since=since, until=until, cells=cells), lambda life: life.cell_id)


def by_person(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    """By who has it now, or had it last."""
    return _rows(lives(session, since=since, until=until, cells=cells), lambda life: life.person_id)


def by_subcategory(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    return _rows(lives(session, since=since, until=until, cells=cells), lambda life: life.subcategory)


def incident_ids(
    session: Session,
    indicator: str,
    *,
    since: datetime,
    until: datetime,
    cells: Collection[CellId] | None = None,
    person_id: str | None = None,
    subcategory: str | None = None,
) -> list[IncidentId]:
    """The incidents counted by a figure: a name of `INDICATORS`. Raises KeyError for another."""
    counted = INDICATORS[indicator]
    return [
        life.incident_id
        for life in lives(session, since=since, until=until, cells=cells)
        if counted(life) and person_id in (None, life.person_id) and subcategory in (None, life.subcategory)
    ]


INDICATORS: Mapping[str, Callable[[Life], bool]] = {
    "reported": lambda life: True,
    "opened": lambda life: True,
    "received": lambda life: bool(life.received or life.accepted or life.resolved),
    "accepted": lambda life: bool(life.accepted or life.resolved),
    "resolved": lambda life: life.resolved is not None,
    "verified": lambda life: bool(life.gone or life.still_there),
    "closed": lambda life: life.state == "closed",
    "rejected": lambda life: life.state == "rejected",
    "on_time": lambda life: life.resolved is not None and (life.due is None or life.resolved <= life.due),
    "rework": lambda life: life.still_there is not None,
    "returned": lambda life: life.returned is not None,
    "camera": lambda life: life.by_camera,
    "false_alarms": lambda life: life.by_camera and life.state == "rejected",
}
"""What each figure counts. Who accepts has received, who resolves has accepted: the app may have been offline."""


def lives(session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None) -> list[Life]:
    """Every incident opened in [since, until), in the order of opening."""
    query = _lives(since, until)
    if cells is not None:
        query = query.where(IncidentRow.cell_id.in_(list(cells)))
    return [Life(**row) for row in session.execute(query).mappings()]


def _lives(since: datetime, until: datetime) -> Select[*tuple[object, ...]]:
    return (
        select(
            IncidentRow.incident_id,
            IncidentRow.cell_id,
            IncidentRow.subcategory,
            IncidentRow.assignee_id.label("person_id"),
            IncidentRow.due_at.label("due"),
            IncidentRow.state,
            (func.max(case((EventRow.kind == Step.OPEN, EventRow.actor_role))) == "camera").label("by_camera"),
            func.count().filter(EventRow.kind.in_((Step.OPEN, Happening.ATTACHED))).label("sightings"),
            _first(Step.OPEN).label("opened"),
            _first(Step.RECEIVE).label("received"),
            _first(Step.ACCEPT).label("accepted"),
            _first(Step.RESOLVE).label("resolved"),
            _first(Step.CONFIRM_GONE).label("gone"),
            _first(Step.CONFIRM_STILL_THERE).label("still_there"),
            _first(Step.NOTHING_HERE).label("rejected"),
            _first(Step.RETURN).label("returned"),
        )
        .join(EventRow, EventRow.incident_id == IncidentRow.incident_id)
        .where(IncidentRow.opened_at >= since, IncidentRow.opened_at < until)
        .group_by(IncidentRow.incident_id)
        .order_by(IncidentRow.number)
    )


def _first(kind: str) -> ColumnElement[datetime | None]:
    return func.min(case((EventRow.kind == kind, EventRow.at)), type_=EventRow.at.type)


def _funnel(cohort: Collection[Life]) -> Funnel:
    return Funnel(
        reported=sum(life.sightings for life in cohort),
        opened=len(cohort),
        received=_count(cohort, "received"),
        accepted=_count(cohort, "accepted"),
        resolved=_count(cohort, "resolved"),
        verified=_count(cohort, "verified"),
        closed=_count(cohort, "closed"),
        rejected=_count(cohort, "rejected"),
    )


def _rows(cohort: Iterable[Life], key: Callable[[Life], K]) -> list[Row]:
    groups: dict[K, list[Life]] = {}
    for life in cohort:
        groups.setdefault(key(life), []).append(life)
    return [_row(None if group is None else str(group), members) for group, members in groups.items()]


def _row(key: str | None, cohort: Collection[Life]) -> Row:
    figures = _funnel(cohort)
    return Row(
        key=key,
        funnel=figures,
        handled=Ratio(figures.resolved, figures.opened),
        on_time=Ratio(_count(cohort, "on_time"), figures.resolved),
        closed=Ratio(figures.closed, figures.opened),
        rework=Ratio(_count(cohort, "rework"), figures.verified),
        returned=Ratio(_count(cohort, "returned"), figures.opened),
        false_alarms=Ratio(_count(cohort, "false_alarms"), _count(cohort, "camera")),
        mean_to_accept=_mean((life.opened, life.accepted) for life in cohort),
        mean_to_resolve=_mean((life.opened, life.resolved) for life in cohort),
        mean_to_close=_mean((life.opened, life.gone) for life in cohort),
    )


def _count(cohort: Iterable[Life], indicator: str) -> int:
    return sum(1 for life in cohort if INDICATORS[indicator](life))


def _mean(spans: Iterable[tuple[datetime, datetime | None]]) -> timedelta | None:
    seconds = [(end - start).total_seconds() for start, end in spans if end is not None]
    return timedelta(seconds=fmean(seconds)) if seconds else None
