"""Assessment: every figure from the event log, every figure openable."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.schemas.base import Identifier, NumberBefore
from dashboard.schemas.incidents import IncidentPage
from dashboard.schemas.indicators import Funnel, FunnelOut, IndicatorRow, IndicatorTable, Ratio
from dashboard.sessions import Assessor, Book, OpenParts
from dashboard.views.incidents import IncidentViews
from dispatch import indicators, queries
from dispatch.store.store import StoreSession
from models.ids import CellId, PersonId, SubcategoryCode
from models.text import Text

router = APIRouter(tags=["indicators"])

IndicatorName = Literal[
    "reported", "opened", "filed_on_time", "assigned", "dispatched_right", "received", "accepted", "resolved",
    "verified", "passed", "closed", "rejected", "merged", "on_time", "due", "due_done", "due_on_time", "due_to_close",
    "closed_due", "closed_on_time", "overdue", "rework", "returned", "extended", "suspended", "camera",
    "false_alarms", "missed", "in_view",
]  # fmt: skip

# The weekly review is the shortest meeting that looks at these; a leap year is the longest period compared.
_USUAL = timedelta(days=7)
_LONGEST_DAYS = 366

_PAGE = 100
# Ids go into one query; SQLite takes 32,766 values there.
_MOST_BEHIND = 10_000
_NOWHERE = Text("未划入", "none")


class Period:
    """`since` ≤ moment < `until`; without them, the last seven days."""

    def __init__(
        self,
        parts: OpenParts,
        since: Annotated[AwareDatetime | None, Query()] = None,
        until: Annotated[AwareDatetime | None, Query()] = None,
    ) -> None:
        # `until` itself is outside; what happened this very moment is not.
        self.until: datetime = until or parts.clock.now() + timedelta(seconds=1)
        self.since: datetime = since or self.until - _USUAL
        if not timedelta() < self.until - self.since <= timedelta(days=_LONGEST_DAYS):
            raise ApiError(422, "bad_period", days=_LONGEST_DAYS)


During = Annotated[Period, Depends()]


class _Table(Protocol):
    def __call__(
        self, session: StoreSession, *, since: datetime, until: datetime, cells: Collection[CellId] | None = None
    ) -> list[indicators.Row]: ...


@router.get("/api/indicators/funnel")
def get_funnel(parts: OpenParts, viewer: Assessor, period: During, cell: Identifier | None = None) -> FunnelOut:
    """How far the incidents opened in the period have come. Leaders: their own cells."""
    cells = _cells(viewer, cell)
    with parts.store.reading() as session:
        figures = indicators.funnel(session, since=period.since, until=period.until, cells=cells)
    return FunnelOut(since=period.since, until=period.until, cell=cell, funnel=Funnel(**asdict(figures)))


@router.get("/api/indicators/by-cell")
def get_by_cell(parts: OpenParts, book: Book, viewer: Assessor, period: During) -> IndicatorTable:
    cells = book.names().cells

    def name(key: str) -> Text:
        cell = cells.get(CellId(key))
        return Text(cell.name, cell.name) if cell else Text(key, key)

    return _table(indicators.by_cell, name, parts=parts, viewer=viewer, period=period)


@router.get("/api/indicators/by-person")
def get_by_person(parts: OpenParts, book: Book, viewer: Assessor, period: During) -> IndicatorTable:
    """By who has each incident now, or had it last."""
    people = book.names().people

    def name(key: str) -> Text:
        person = people.get(PersonId(key))
        return Text(person.name, person.name) if person else Text(key, key)

    return _table(indicators.by_person, name, parts=parts, viewer=viewer, period=period)


@router.get("/api/indicators/by-subcategory")
def get_by_subcategory(parts: OpenParts, viewer: Assessor, period: During) -> IndicatorTable:
    subcategories = parts.taxonomy.subcategories

    def name(key: str) -> Text:
        item = subcategories.get(SubcategoryCode(key))
        return Text(item.zh, item.en) if item else Text(key, key)

    return _table(indicators.by_subcategory, name, parts=parts, viewer=viewer, period=period)


@router.get("/api/indicators/incidents")
def get_incidents_behind(
    parts: OpenParts,
    book: Book,
    viewer: Assessor,
    *,
    period: During,
    indicator: IndicatorName,
    cell: Identifier | None = None,
    person: Identifier | None = None,
    subcategory: Identifier | None = None,
    department: Identifier | None = None,
    before: NumberBefore | None = None,
) -> IncidentPage:
    """The incidents behind a number, newest first."""
    with parts.store.reading() as session:
        counted = indicators.incident_ids(
            session,
            indicator,
            since=period.since,
            until=period.until,
            cells=_cells(viewer, cell),
            person_id=person,
            subcategory=subcategory,
            department_id=department,
            at=parts.clock.now(),
        )
        found = queries.list_incidents(session, ids=counted[-_MOST_BEHIND:], limit=_PAGE + 1, before_number=before)
    views = IncidentViews(book.names(), parts.taxonomy, parts.clock.now())
    page = found[:_PAGE]
    return IncidentPage(
        incidents=[views.incident(incident, viewer=viewer) for incident in page],
        next_before=page[-1].number if len(found) > _PAGE else None,
    )


def _table(
    table: _Table, name: Callable[[str], Text], *, parts: Parts, viewer: Viewer, period: Period
) -> IndicatorTable:
    with parts.store.reading() as session:
        rows = table(session, since=period.since, until=period.until, cells=viewer.cells)
    return IndicatorTable(since=period.since, until=period.until, rows=[_row(row, name) for row in rows])


def _row(row: indicators.Row, name: Callable[[str], Text]) -> IndicatorRow:
    words = _NOWHERE if row.key is None else name(row.key)
    return IndicatorRow(
        key=row.key,
        zh=words.zh,
        en=words.en,
        funnel=Funnel(**asdict(row.funnel)),
        handled=_ratio(row.handled),
        on_time=_ratio(row.on_time),
        closed=_ratio(row.closed),
        rework=_ratio(row.rework),
        returned=_ratio(row.returned),
        false_alarms=_ratio(row.false_alarms),
        mean_to_accept_s=_seconds(row.mean_to_accept),
        mean_to_resolve_s=_seconds(row.mean_to_resolve),
        mean_to_close_s=_seconds(row.mean_to_close),
    )


def _ratio(ratio: indicators.Ratio) -> Ratio:
    return Ratio(numerator=ratio.numerator, denominator=ratio.denominator, value=ratio.value)


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _cells(viewer: Viewer, cell: str | None) -> frozenset[CellId] | None:
    """The one asked for, when it is the viewer's; otherwise all of theirs."""
    if cell is None:
        return viewer.cells
    if not viewer.sees_cell(CellId(cell)):
        raise ApiError(404, "not_found")
    return frozenset({CellId(cell)})
