"""Counts and shares."""

from __future__ import annotations

from pydantic import AwareDatetime

from dashboard.schemas.base import Out


class Ratio(Out):
    """value: null where the denominator is 0; show "–", never 0 or 100 %."""

    numerator: int
    denominator: int
    value: float | None


class Funnel(Out):
    reported: int
    opened: int
    received: int
    accepted: int
    resolved: int
    verified: int
    closed: int
    rejected: int


class FunnelOut(Out):
    since: AwareDatetime
    until: AwareDatetime
    cell: str | None
    funnel: Funnel


class IndicatorRow(Out):
    """One cell, person or subcategory; `key` null gathers incidents that have none (outside every cell, say).

    handled: resolved of opened; on_time: resolved before the deadline, of resolved; closed: closed of opened;
    rework: sent back, of verified; returned: returned, of opened; false_alarms: rejected, of those cameras found.
    Means are seconds over the incidents that got there, null when none did.
    """

    key: str | None
    zh: str
    en: str
    funnel: Funnel
    handled: Ratio
    on_time: Ratio
    closed: Ratio
    rework: Ratio
    returned: Ratio
    false_alarms: Ratio
    mean_to_accept_s: float | None
    mean_to_resolve_s: float | None
    mean_to_close_s: float | None


class IndicatorTable(Out):
    since: AwareDatetime
    until: AwareDatetime
    rows: list[IndicatorRow]
