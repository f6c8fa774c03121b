"""Assessment (考核): the league of a week, month or quarter, its black flags, and the ledger to take away."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.routes.indicators import During
from dashboard.routes.indicators import Period as Stretch
from dashboard.schemas.assessment import ComparedRatio, FormulaOut, LeagueOut, PlaceOut, SpanOut, Unit
from dashboard.schemas.base import Identifier
from dashboard.schemas.incidents import IncidentPage
from dashboard.schemas.indicators import Ratio
from dashboard.sessions import Assessor, Book, OpenParts
from dashboard.views.incidents import IncidentViews
from dashboard.views.names import Names
from dispatch import accounts, indicators, queries
from dispatch.assessment import FORMULAS, Compared, ratio_of
from dispatch.deadlines import LOCAL
from dispatch.league import LEAST_RANKED, WEIGHTS, Place, black_flags, league
from dispatch.ledger import Cell, ledger
from dispatch.ledger_files import csv_lines, write_xlsx
from dispatch.people import list_departments
from dispatch.periods import Kind, Period, local_day, period_of
from models.ids import CellId, PersonId
from models.text import Text

router = APIRouter(tags=["assessment"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
XLSX_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {}}}}

# Before this year there are no records; a year further on nothing has happened yet.
_FIRST_YEAR = 2000
_MOST_FLAGGED = 100


def _period(parts: Parts, kind: Kind, day: date | None) -> Period:
    today = local_day(parts.clock.now())
    if day is not None and not (day.year >= _FIRST_YEAR and day <= today + timedelta(days=1)):
        raise ApiError(422, "bad_period", days=366)
    return period_of(kind, day or today)


@router.get("/api/assessment/league")
def get_league(
    parts: OpenParts,
    book: Book,
    viewer: Assessor,
    *,
    by: Unit = "cell",
    kind: Kind = Kind.WEEK,
    day: Annotated[date | None, Query(description="A local day in the period; today without.")] = None,
) -> LeagueOut:
    """Ranks with what they are made of, compared with the period before and the same one last year."""
    period, now = _period(parts, kind, day), parts.clock.now()
    with parts.store.reading() as session:
        places = league(session, by=by, period=period, at=now, cells=viewer.cells)
        departments = {str(one.department_id): Text(one.zh, one.en) for one in list_departments(session)}
    names = _names(book.names(), departments, by)
    return LeagueOut(
        kind=kind,
        by=by,
        first=period.first,
        after=period.after,
        since=period.since,
        until=period.until,
        judged_at=period.judged_at,
        at=now,
        least_ranked=LEAST_RANKED,
        formulas=_formulas(),
        rows=[_place(place, names(place.key)) for place in places],
    )


@router.get("/api/assessment/flagged")
def get_flagged(parts: OpenParts, book: Book, viewer: Assessor, by: Unit, key: Identifier) -> IncidentPage:
    """The incidents behind a unit's black flag, newest first."""
    now = parts.clock.now()
    with parts.store.reading() as session:
        ids = black_flags(session, by=by, at=now, cells=viewer.cells).get(key, ())
        found = queries.list_incidents(session, ids=list(ids), limit=_MOST_FLAGGED)
    views = IncidentViews(book.names(), parts.taxonomy, now)
    return IncidentPage(incidents=[views.incident(one, viewer=viewer) for one in found], next_before=None)


@router.get(
    "/api/assessment/ledger.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}}
)
def get_ledger_csv(parts: OpenParts, viewer: Assessor, period: During) -> Response:
    """The incidents found in the period, a line each (台账). Leaders: their own cells. Noted in the audit."""
    lines = _lines(parts, viewer, period)
    return StreamingResponse(csv_lines(lines), media_type="text/csv; charset=utf-8", headers=_file(period, "csv"))


@router.get("/api/assessment/ledger.xlsx", response_class=Response, responses=XLSX_FILE)
def get_ledger_xlsx(parts: OpenParts, viewer: Assessor, period: During) -> Response:
    """The same as a workbook with filters."""
    book = io.BytesIO()
    title = f"{parts.district_name.zh} 台账 {_days(period)}"
    write_xlsx(book, _lines(parts, viewer, period), title=title)
    return Response(book.getvalue(), media_type=XLSX, headers=_file(period, "xlsx"))


def _lines(parts: Parts, viewer: Viewer, period: Stretch) -> Collection[tuple[Cell, ...]]:
    """Read before the answer begins: a download that is not fetched must not hold the database open."""
    with parts.store.reading() as session:
        found = ledger(session, parts.taxonomy, since=period.since, until=period.until, cells=viewer.cells)
        lines = list(found)
    with parts.store.transaction() as session:
        accounts.audit(
            session,
            person_id=viewer.person.person_id,
            action="ledger_exported",
            subject=f"{_days(period)}, {len(lines)}",
            at=parts.clock.now(),
        )
    return lines


def _file(period: Stretch, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="ledger-{_days(period)}.{ending}"'}


def _days(period: Stretch) -> str:
    first, last = (moment.astimezone(LOCAL).date() for moment in (period.since, period.until - timedelta(seconds=1)))
    return f"{first.isoformat()}_{last.isoformat()}"


def _names(book: Names, departments: Mapping[str, Text], by: Unit) -> Callable[[str], Text]:
    def name(key: str) -> Text:
        if by == "department":
            return departments.get(key, Text(key, key))
        known = book.cells.get(CellId(key)) if by == "cell" else book.people.get(PersonId(key))
        return Text(known.name, known.name) if known else Text(key, key)

    return name


def _formulas() -> list[FormulaOut]:
    return [
        FormulaOut(
            name=formula.name,
            zh=formula.words.zh,
            en=formula.words.en,
            of=formula.numerator,
            among=formula.denominator,
            more_is_better=formula.more_is_better,
            weight=WEIGHTS.get(formula.name, 0),
        )
        for formula in FORMULAS
    ]


def _place(place: Place, words: Text) -> PlaceOut:
    compared = place.compared
    return PlaceOut(
        key=place.key,
        zh=words.zh,
        en=words.en,
        rank=place.rank,
        moved=place.moved,
        score=place.score,
        flags=len(place.flags),
        tasks=_ratio(place.tasks),
        opened=compared.now.counts["opened"],
        opened_previous=compared.previous.counts["opened"] if compared.previous else None,
        opened_last_year=compared.last_year.counts["opened"] if compared.last_year else None,
        ratios=_ratios(compared),
        spans=[
            SpanOut(
                name=name,
                mean_s=span.mean.total_seconds() if span.mean is not None else None,
                p90_s=span.p90.total_seconds() if span.p90 is not None else None,
            )
            for name, span in compared.now.spans.items()
        ],
    )


def _ratios(compared: Compared) -> list[ComparedRatio]:
    return [
        ComparedRatio(
            **_ratio(ratio_of(compared.now, formula)).model_dump(),
            name=formula.name,
            vs_previous=compared.change(formula.name, against="previous"),
            vs_last_year=compared.change(formula.name, against="last_year"),
        )
        for formula in FORMULAS
    ]


def _ratio(ratio: indicators.Ratio) -> Ratio:
    return Ratio(numerator=ratio.numerator, denominator=ratio.denominator, value=ratio.value)
