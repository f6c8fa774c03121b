"""Incidents: the list, one with its timeline, the next step, and an operator's own report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.refusals import refusal
from dashboard.reports import report
from dashboard.rights import Viewer
from dashboard.schemas import Identifier, IncidentDetail, IncidentOut, IncidentPage, ReportIn, StepIn
from dashboard.sessions import Anyone, Changer, Commander, OpenParts
from dashboard.views.directory import Directory
from dashboard.views.incidents import IncidentViews
from dispatch import queries, steps
from models.errors import NotFoundError, StepRefusedError
from models.ids import CellId, IncidentId, PictureHash, SubcategoryCode
from models.incidents import FINISHED, Incident, IncidentState

router = APIRouter(tags=["incidents"])

# A page of a list people scroll; 200 incidents are about 200 kB of JSON.
_PAGE = 50
_LONGEST_PAGE = 200


@router.get("/api/incidents")
def get_incidents(
    parts: OpenParts,
    viewer: Anyone,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    cell: Annotated[Identifier | None, Query()] = None,
    subcategory: Annotated[Identifier | None, Query()] = None,
    open_: Annotated[bool | None, Query(alias="open")] = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = _PAGE,
) -> IncidentPage:
    """Newest first. q: a number, or words of the reason, subcategory, camera or person."""
    cell_id = CellId(cell) if cell else None
    if cell_id and not viewer.sees_cell(cell_id):
        raise ApiError(404, "not_found")
    with parts.store.reading() as session:
        directory = Directory.read(session)
        found = queries.list_incidents(
            session,
            cells={cell_id} if cell_id else viewer.cells,
            states=_states(state, open_=open_),
            limit=limit + 1,
            before_number=before,
        )
    views = IncidentViews(directory, taxonomy=parts.taxonomy, now=parts.clock.now())
    page = found[:limit]
    return IncidentPage(
        incidents=[views.incident(incident, viewer=viewer) for incident in page],
        next_before=page[-1].number if len(found) > limit else None,
    )


@router.get("/api/incidents/{incident_id}")
def get_incident(incident_id: Identifier, parts: OpenParts, viewer: Anyone) -> IncidentDetail:
    raise NotImplementedError


@router.post("/api/incidents/{incident_id}/steps")
def post_step(incident_id: Identifier, body: StepIn, parts: OpenParts, viewer: Changer) -> IncidentOut:
    """409 `refused` with the incident's present state when the step is not possible now or not yours."""
    raise NotImplementedError


@router.post("/api/incidents", status_code=201)
def post_report(body: ReportIn, parts: OpenParts, viewer: Commander) -> IncidentOut:
    """A person's own find on a camera's latest picture; opens an incident or adds to the one already there."""
    raise NotImplementedError


def _states(chosen: list[IncidentState] | None, *, open_: bool | None) -> set[IncidentState] | None:
    states = set(chosen or IncidentState)
    if open_ is not None:
        states &= set(IncidentState) - FINISHED if open_ else FINISHED
    return states
