"""The weekly league (考核): every unit's score and rank, Monday's tasks as Friday judges them, and black flags.

A black flag stays on a unit until its overdue incident is done. A unit with few incidents is shown, never ranked:
one late task of two says nothing about a unit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from dispatch.assessment import FORMULA, Compared, assess, ratio_of
from dispatch.indicator_lives import INDICATORS, SPANS, UNFINISHED
from dispatch.indicators import Counted, Ratio, Span
from dispatch.periods import Period
from dispatch.store.tables import EventRow, IncidentRow
from models.ids import CellId, IncidentId
from models.incidents import FINISHED, IncidentState
from models.lifecycle import Step

WEIGHTS: Mapping[str, float] = {"handled_on_time": 40, "closing": 30, "rework": 15, "returned": 15}
"""Points of a hundred: most districts weigh what was done in time first, then what was closed, then what came back.
A share that cannot be divided leaves its points to the others."""

LEAST_RANKED = 5
"""Incidents a unit must have had to be ranked; below, a share is chance, not performance."""

UNITS = ("cell", "person", "department")
"""Who competes; the rows of a league are one of these."""


@dataclass(frozen=True, slots=True)
class Place:
    """A unit in the league. score: 0..100; rank: None when it is not ranked; moved: places won (+) since the period
    before; flags: overdue incidents nobody has done yet; tasks: of Monday's, how many were done on Friday."""

    key: str
    compared: Compared
    score: float | None
    rank: int | None
    moved: int | None
    flags: tuple[IncidentId, ...]
    tasks: Ratio


def league(
    session: Session,
    *,
    by: str,
    period: Period,
    at: datetime,
    cells: Collection[CellId] | None = None,
    weights: Mapping[str, float] = WEIGHTS,
) -> list[Place]:
    """Best first, the unranked last. Units with a black flag or a task are in it even without a new incident."""
    rows = {row.now.key: row for row in assess(session, by=by, period=period, at=at, cells=cells)}
    flags = black_flags(session, by=by, at=min(at, period.until), cells=cells)
    tasks = monday_tasks(session, by=by, period=period, at=at, cells=cells)
    ranks = _ranks({key: row.now for key, row in rows.items()}, weights)
    before = _ranks({key: row.previous for key, row in rows.items() if row.previous}, weights)
    places = []
    for key in {*rows, *flags, *tasks} - {None}:
        row = rows.get(key) or Compared(_nothing(key), None, None)
        now, then = ranks.get(key), before.get(key)
        places.append(
            Place(
                key=str(key),
                compared=row,
                score=score(row.now, weights),
                rank=now,
                moved=then - now if now and then else None,
                flags=flags.get(key, ()),
                tasks=tasks.get(key, Ratio(0, 0)),
            )
        )
    return sorted(places, key=lambda place: (place.rank or len(places) + 1, place.key))


def score(counted: Counted, weights: Mapping[str, float] = WEIGHTS) -> float | None:
    """0..100, weighted; a share of which less is better counts by what is missing to 1. None when nothing divides."""
    shares = {name: ratio_of(counted, FORMULA[name]).value for name in weights}
    given = {name: share for name, share in shares.items() if share is not None}
    if not given:
        return None
    good = {name: share if FORMULA[name].more_is_better else 1 - share for name, share in given.items()}
    return 100 * sum(weights[name] * share for name, share in good.items()) / sum(weights[name] for name in given)


def _ranks(counted: Mapping[str | None, Counted], weights: Mapping[str, float]) -> dict[str | None, int]:
    """Units with the same score share the better rank."""
    scores = {
        key: points
        for key, one in counted.items()
        if key is not None and one.counts["opened"] >= LEAST_RANKED and (points := score(one, weights)) is not None
    }
    return {key: 1 + sum(other > points + 1e-9 for other in scores.values()) for key, points in scores.items()}


def black_flags(
    session: Session, *, by: str, at: datetime, cells: Collection[CellId] | None = None
) -> dict[str | None, tuple[IncidentId, ...]]:
    """The overdue incidents that were not done at that moment, by unit, oldest deadline first."""
    done = _last(Step.RESOLVE, Step.NOTHING_HERE, Step.MERGE)
    open_then = or_(IncidentRow.state.in_(UNFINISHED), done > at)
    query = (
        _of_units(by, cells)
        .where(IncidentRow.due_at <= at, IncidentRow.opened_at <= at)
        .where(IncidentRow.state.not_in((IncidentState.SUSPENDED.value, IncidentState.SUSPECTED.value)), open_then)
        .order_by(IncidentRow.due_at, IncidentRow.number)
    )
    flags: dict[str | None, tuple[IncidentId, ...]] = {}
    for key, incident_id in session.execute(query).all():
        flags[key] = (*flags.get(key, ()), IncidentId(incident_id))
    return flags


def monday_tasks(
    session: Session, *, by: str, period: Period, at: datetime, cells: Collection[CellId] | None = None
) -> dict[str | None, Ratio]:
    """What was unfinished when the period began, and how much of it was done when it was judged (or is by now)."""
    ended, judged = _last(Step.RESOLVE, Step.NOTHING_HERE, Step.MERGE), min(at, period.judged_at)
    carried = and_(
        IncidentRow.opened_at < period.since,
        IncidentRow.state != IncidentState.SUSPECTED.value,
        or_(IncidentRow.closed_at.is_(None), IncidentRow.closed_at >= period.since),
        or_(ended.is_(None), ended >= period.since, IncidentRow.state.in_(UNFINISHED)),
    )
    done = and_(ended <= judged, IncidentRow.state.in_((*FINISHED, IncidentState.RESOLVED, IncidentState.VERIFYING)))
    unit = _unit(by)
    query = select(unit, func.count().filter(done), func.count()).where(carried).group_by(unit)
    if cells is not None:
        query = query.where(IncidentRow.cell_id.in_(list(cells)))
    return {key: Ratio(numerator, denominator) for key, numerator, denominator in session.execute(query)}


def _of_units(by: str, cells: Collection[CellId] | None) -> Select[*tuple[Any, ...]]:
    query = select(_unit(by), IncidentRow.incident_id)
    return query if cells is None else query.where(IncidentRow.cell_id.in_(list(cells)))


def _unit(by: str) -> ColumnElement[str | None]:
    columns = {
        "cell": IncidentRow.cell_id,
        "person": IncidentRow.assignee_id,
        "department": IncidentRow.department_id,
    }
    return columns[by].expression


def _last(*steps: Step) -> Any:
    """The last time one of these steps was taken on the incident."""
    taken = EventRow.kind.in_([step.value for step in steps])
    # The kinds are no condition: SQLite would then walk its index of kinds for every incident.
    last = select(func.max(case((taken, EventRow.at)))).where(EventRow.incident_id == IncidentRow.incident_id)
    scalar = last.correlate(IncidentRow).scalar_subquery()
    scalar.type = EventRow.at.type
    return scalar


def _nothing(key: str | None) -> Counted:
    return Counted(key, 0, dict.fromkeys(INDICATORS, 0), {name: Span(None, None) for name in SPANS})
