"""What the assessment page reads."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from dashboard.schemas.base import Out
from dashboard.schemas.indicators import Ratio
from dispatch.periods import Kind

Unit = Literal["cell", "person", "department"]


class FormulaOut(Out):
    """A ratio: `of` and `among` name the lists behind numerator and denominator (`/api/indicators/incidents`).

    weight: points of a hundred it has in the score, 0 where it is only shown.
    """

    name: str
    zh: str
    en: str
    of: str
    among: str
    more_is_better: bool
    weight: float


class ComparedRatio(Ratio):
    """vs_previous (环比), vs_last_year (同比): differences of the shares, null where either has no denominator."""

    name: str
    vs_previous: float | None
    vs_last_year: float | None


class SpanOut(Out):
    """Seconds; null when nobody got there. p90: what nine in ten stayed within."""

    name: str
    mean_s: float | None
    p90_s: float | None


class PlaceOut(Out):
    """A unit. rank: null when it had too few incidents to be ranked; moved: places won since the period before;
    flags: overdue incidents that nobody has done yet; tasks: of those unfinished at the start, done when judged."""

    key: str
    zh: str
    en: str
    rank: int | None
    moved: int | None
    score: float | None
    flags: int
    tasks: Ratio
    opened: int
    opened_previous: int | None
    opened_last_year: int | None
    ratios: list[ComparedRatio]
    spans: list[SpanOut]


class LeagueOut(Out):
    """first, after: local days [first, after); until: the moment the figures are of."""

    kind: Kind
    by: Unit
    first: date
    after: date
    since: AwareDatetime
    until: AwareDatetime
    judged_at: AwareDatetime
    at: AwareDatetime
    least_ranked: int
    formulas: list[FormulaOut]
    rows: list[PlaceOut]
