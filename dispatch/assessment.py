"""The indicators of the assessment (考核) as public tables define them, compared with other periods.

A ratio is two names of `INDICATORS`: both can be opened. What cannot be divided is no figure ("–"), and neither is
its change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.indicators import Counted, Ratio, count
from dispatch.periods import Period
from models.ids import CellId
from models.text import Text


@dataclass(frozen=True, slots=True)
class Formula:
    """A ratio: what it is called, which figures it is made of, and whether more of it is better."""

    name: str
    numerator: str
    denominator: str
    words: Text
    more_is_better: bool = True


FORMULAS: tuple[Formula, ...] = (
    Formula("filing", "opened", "reported", Text("立案率", "taken up")),
    Formula("filed_on_time", "filed_on_time", "opened", Text("按时立案率", "taken up in time")),
    Formula("dispatched_right", "dispatched_right", "assigned", Text("准确派遣率", "dispatched right first time")),
    Formula("handled", "due_done", "due", Text("处置率", "resolved of due")),
    Formula("handled_on_time", "due_on_time", "due", Text("按期处置率", "resolved in time of due")),
    Formula("closing", "closed", "opened", Text("结案率", "closed")),
    Formula("closed_on_time", "closed_on_time", "due_to_close", Text("按期结案率", "closed in time of due")),
    Formula("rework", "rework", "verified", Text("返工率", "sent back"), more_is_better=False),
    Formula("extended", "extended", "opened", Text("延期率", "extended"), more_is_better=False),
    Formula("suspended", "suspended", "opened", Text("挂账率", "suspended"), more_is_better=False),
    Formula("returned", "returned", "opened", Text("回退率", "returned"), more_is_better=False),
    Formula("passed", "passed", "verified", Text("核查通过率", "passed at first check")),
    Formula("merged", "merged", "reported", Text("重复率", "duplicates"), more_is_better=False),
    Formula("missed", "missed", "in_view", Text("漏报率", "missed by cameras"), more_is_better=False),
    Formula("false_alarms", "false_alarms", "camera", Text("误报率", "false alarms"), more_is_better=False),
)
"""立案率 … 误报率, in the order of the public tables."""

FORMULA = {formula.name: formula for formula in FORMULAS}


@dataclass(frozen=True, slots=True)
class Compared:
    """One group in this period, in the one before (环比) and a year ago (同比); None where it had no incidents."""

    now: Counted
    previous: Counted | None
    last_year: Counted | None

    def ratios(self) -> Mapping[str, Ratio]:
        return {formula.name: ratio_of(self.now, formula) for formula in FORMULAS}

    def change(self, name: str, *, against: str) -> float | None:
        """Difference of the shares, -1..1; against: "previous" or "last_year". None when either is no figure."""
        other: Counted | None = getattr(self, against)
        if other is None:
            return None
        now, then = ratio_of(self.now, FORMULA[name]).value, ratio_of(other, FORMULA[name]).value
        return None if now is None or then is None else now - then


def ratio_of(counted: Counted, formula: Formula) -> Ratio:
    return counted.ratio(formula.numerator, formula.denominator)


def assess(
    session: Session, *, by: str, period: Period, at: datetime, cells: Collection[CellId] | None = None
) -> list[Compared]:
    """Every group with incidents in the period. at: now; a finished period is judged by what is due now."""
    now, previous, last_year = (
        {one.key: one for one in count(session, by=by, since=p.since, until=p.until, at=at, cells=cells)}
        for p in (period, period.previous, period.last_year)
    )
    return [Compared(one, previous.get(key), last_year.get(key)) for key, one in now.items()]
