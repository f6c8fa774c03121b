"""Assessment: every figure from the event log, every figure openable."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from dashboard.schemas import FunnelOut, Identifier, IncidentPage, IndicatorTable
from dashboard.sessions import Assessor, OpenParts

router = APIRouter(tags=["indicators"])

Moment = Annotated[AwareDatetime | None, Query()]
IndicatorName = Literal["reported", "opened", "received", "accepted", "resolved", "verified", "closed", "rejected"]


@router.get("/api/indicators/funnel")
def get_funnel(
    parts: OpenParts, viewer: Assessor, since: Moment = None, until: Moment = None, cell: Identifier | None = None
) -> FunnelOut:
    """Without a period: the last seven days. Leaders: their own cells."""
    raise NotImplementedError


@router.get("/api/indicators/by-cell")
def get_by_cell(parts: OpenParts, viewer: Assessor, since: Moment = None, until: Moment = None) -> IndicatorTable:
    raise NotImplementedError


@router.get("/api/indicators/by-person")
def get_by_person(parts: OpenParts, viewer: Assessor, since: Moment = None, until: Moment = None) -> IndicatorTable:
    raise NotImplementedError


@router.get("/api/indicators/by-subcategory")
def get_by_subcategory(parts: OpenParts, viewer: Assessor, since: Moment = None, until: Moment = None) -> IndicatorTable:
    raise NotImplementedError


@router.get("/api/indicators/incidents")
def get_incidents_behind(
    parts: OpenParts,
    viewer: Assessor,
    indicator: IndicatorName,
    since: Moment = None,
    until: Moment = None,
    cell: Identifier | None = None,
    person: Identifier | None = None,
    subcategory: Identifier | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> IncidentPage:
    """The incidents behind a number, newest first."""
    raise NotImplementedError
