"""Figures of the assessment, all counted from the event log by the database; each can name the incidents behind it.

A period's figures are those of the incidents found in it (a cohort): what became of them until now. So no later
stage can hold more than an earlier one, and a figure and the list behind it always agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from dispatch.indicator_lives import GROUPS, INDICATORS, SPANS, lives, span
from models.ids import CellId, IncidentId


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
    """How many incidents got how far. reported: sightings and reports, several of which may be one incident; opened:
    taken up, so without finds that are held for an operator's word."""

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
class Span:
    """How long something took: the mean, and what nine in ten stayed within (nearest rank). None: nobody got there."""

    mean: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Everything counted for one group. counts: by name of `INDICATORS`; spans: by name of `SPANS`."""

    key: str | None
    sightings: int
    counts: Mapping[str, int]
    spans: Mapping[str, Span]

    def ratio(self, numerator: str, denominator: str) -> Ratio:
        return Ratio(self.counts[numerator], self.counts[denominator])


def count(
    session: Session,
    *,
    by: str,
    since: datetime,
    until: datetime,
    at: datetime,
    cells: Collection[CellId] | None = None,
) -> list[Counted]:
    """Each group that has incidents in the period. by: a name of `GROUPS`; at: the moment that decides what is due."""
    query = _counting(lives(since=since, until=until, cells=cells), by, at)
    return [_counted(row) for row in session.execute(query).mappings()]


def funnel(session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None) -> Funnel:
    whole = count(session, by="whole", since=since, until=until, at=until, cells=cells)
    return _funnel(whole[0]) if whole else Funnel(0, 0, 0, 0, 0, 0, 0, 0)


def by_cell(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    return [_row(one) for one in count(session, by="cell", since=since, until=until, at=until, cells=cells)]


def by_person(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    """By who has it now, or had it last."""
    return [_row(one) for one in count(session, by="person", since=since, until=until, at=until, cells=cells)]


def by_subcategory(
    session: Session, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
) -> list[Row]:
    return [_row(one) for one in count(session, by="subcategory", since=since, until=until, at=until, cells=cells)]


def incident_ids(
    session: Session,
    indicator: str,
    *,
    since: datetime,
    until: datetime,
    cells: Collection[CellId] | None = None,
    person_id: str | None = None,
    subcategory: str | None = None,
    department_id: str | None = None,
    at: datetime | None = None,
) -> list[IncidentId]:
    """The incidents counted by a figure: a name of `INDICATORS`. Raises KeyError for another."""
    life = lives(since=since, until=until, cells=cells)
    query = select(life.c.incident_id).where(INDICATORS[indicator](life, at or until)).order_by(life.c.number)
    wanted = {"person": person_id, "subcategory": subcategory, "department": department_id}
    for group, key in wanted.items():
        if key is not None:
            query = query.where(GROUPS[group](life) == key)
    return [IncidentId(one) for one in session.scalars(query)]


def _counting(life: CTE, by: str, at: datetime) -> Select[Any]:
    key = GROUPS[by](life).label("key")
    flags = [case((flag(life, at), 1), else_=0).label(name) for name, flag in INDICATORS.items()]
    columns: list[ColumnElement[Any]] = [key, life.c.sightings, *flags]
    for name in SPANS:
        length = span(life, name)
        columns += [
            length.label(name),
            func.row_number().over(partition_by=GROUPS[by](life), order_by=length.nulls_last()).label(f"{name}_rank"),
            func.count(length).over(partition_by=GROUPS[by](life)).label(f"{name}_n"),
        ]
    one = select(*columns).subquery("one")
    figures: list[ColumnElement[Any]] = [one.c.key, func.sum(one.c.sightings).label("sightings")]
    figures += [func.sum(one.c[name]).label(name) for name in INDICATORS]
    for name in SPANS:
        ninth = one.c[f"{name}_rank"] == (9 * one.c[f"{name}_n"] + 9) // 10
        figures += [func.avg(one.c[name]).label(name), func.max(case((ninth, one.c[name]))).label(f"{name}_p90")]
    return select(*figures).group_by(one.c.key).order_by(one.c.key)


def _counted(row: Mapping[Any, Any]) -> Counted:
    return Counted(
        key=row["key"],
        sightings=int(row["sightings"]),
        counts={name: int(row[name]) for name in INDICATORS},
        spans={name: Span(_span(row[name]), _span(row[f"{name}_p90"])) for name in SPANS},
    )


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))


def _funnel(one: Counted) -> Funnel:
    stages = ("opened", "received", "accepted", "resolved", "verified", "closed", "rejected")
    return Funnel(one.sightings, *(one.counts[stage] for stage in stages))


def _row(one: Counted) -> Row:
    return Row(
        key=one.key,
        funnel=_funnel(one),
        handled=one.ratio("resolved", "opened"),
        on_time=one.ratio("on_time", "resolved"),
        closed=one.ratio("closed", "opened"),
        rework=one.ratio("rework", "verified"),
        returned=one.ratio("returned", "opened"),
        false_alarms=one.ratio("false_alarms", "camera"),
        mean_to_accept=one.spans["to_accept"].mean,
        mean_to_resolve=one.spans["to_resolve"].mean,
        mean_to_close=one.spans["to_close"].mean,
    )
