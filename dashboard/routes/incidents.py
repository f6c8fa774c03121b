"""Incidents: the list, one with its timeline, the next step, and an operator's own report."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.reports import report
from dashboard.rights import Viewer
from dashboard.schemas.base import Identifier, NumberBefore
from dashboard.schemas.incidents import IncidentDetail, IncidentOut, IncidentPage, ReportIn, StepIn
from dashboard.search import Search, find
from dashboard.sessions import Anyone, Book, Changer, Commander, OpenParts
from dashboard.views.incidents import IncidentViews
from dispatch import queries, steps
from dispatch.store.store import StoreSession
from models.errors import NotFoundError, StepRefusedError
from models.ids import CameraId, CellId, IncidentId
from models.incidents import FINISHED, Incident, IncidentState
from models.taxonomy import Taxonomy

router = APIRouter(tags=["incidents"])

# A page of a list people scroll; 200 incidents are about 200 kB of JSON.
_PAGE = 50
_LONGEST_PAGE = 200


@router.get("/api/incidents")
def get_incidents(
    parts: OpenParts,
    book: Book,
    viewer: Anyone,
    *,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    cell: Annotated[Identifier | None, Query()] = None,
    subcategory: Annotated[Identifier | None, Query()] = None,
    category: Annotated[Identifier | None, Query()] = None,
    open_: Annotated[bool | None, Query(alias="open")] = None,
    overdue: Annotated[bool, Query(description="Only those that are past their limit now.")] = False,
    since: Annotated[AwareDatetime | None, Query(description="Opened at this moment or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Opened before this moment.")] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    before: NumberBefore | None = None,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = _PAGE,
) -> IncidentPage:
    """Newest first. q: a number, or words that all occur in the reason, subcategory, camera, cell or person."""
    now = parts.clock.now()
    search = Search(
        states=_states(state, open_=open_),
        cell=CellId(cell) if cell else None,
        subcategories=_kinds(parts.taxonomy, subcategory=subcategory, category=category),
        since=since,
        until=until,
        overdue_at=now if overdue else None,
        words=q,
    )
    views = IncidentViews(book.names(), parts.taxonomy, now)
    with parts.store.reading() as session:
        found = find(session, search, viewer=viewer, before=before, limit=limit)
    return IncidentPage(
        incidents=[views.incident(incident, viewer=viewer) for incident in found.incidents],
        next_before=found.next_before,
    )


@router.get("/api/incidents/{incident_id}")
def get_incident(incident_id: Identifier, parts: OpenParts, book: Book, viewer: Anyone) -> IncidentDetail:
    with parts.store.reading() as session:
        incident = _visible(session, incident_id, viewer)
        timeline = queries.timeline(session, incident_id)
    views = IncidentViews(book.names(), parts.taxonomy, parts.clock.now())
    return views.detail(incident, timeline=timeline, viewer=viewer)


@router.post("/api/incidents/{incident_id}/steps")
def post_step(incident_id: Identifier, body: StepIn, parts: OpenParts, book: Book, viewer: Changer) -> IncidentOut:
    """409 `refused` with the incident's present state when the step is not possible now or not yours."""
    if body.data.photo and parts.pictures.get(body.data.photo) is None:
        raise ApiError(422, "unknown_picture")
    with parts.store.reading() as session:
        _visible(session, incident_id, viewer)
        if body.data.into:
            _visible(session, body.data.into, viewer)
    incident = _take(parts, incident_id, body, viewer)
    return IncidentViews(book.names(), parts.taxonomy, parts.clock.now()).incident(incident, viewer=viewer)


@router.post("/api/incidents", status_code=201)
def post_report(body: ReportIn, parts: OpenParts, book: Book, viewer: Commander) -> IncidentOut:
    """A person's own find on a camera's latest picture; it opens an incident like any other."""
    names = book.names()
    camera_id = CameraId(body.camera_id)
    if camera_id not in names.cameras or not viewer.sees_cell(names.cell_of[camera_id]):
        raise ApiError(404, "not_found")
    incident = report(parts, body, viewer=viewer)
    return IncidentViews(names, parts.taxonomy, parts.clock.now()).incident(incident, viewer=viewer)


def _take(parts: Parts, incident_id: str, body: StepIn, viewer: Viewer) -> Incident:
    data = body.data.model_dump(exclude_none=True)
    try:
        with parts.store.transaction() as session:
            steps.take_step(
                session,
                incident_id=IncidentId(incident_id),
                step=body.step,
                actor=viewer.actor,
                now=parts.clock.now(),
                # A key is the page's own: another person's equal key must not swallow this step.
                cause=f"api:{viewer.person.person_id}:{body.key}",
                data=data,
            )
            return queries.get_incident(session, incident_id)
    except StepRefusedError as error:
        raise ApiError(409, "refused", text=error.text, state=error.state) from error


def _visible(session: StoreSession, incident_id: str, viewer: Viewer) -> Incident:
    """The incident; one that is not the viewer's to see is as unknown as one that does not exist."""
    incident = queries.get_incident(session, incident_id)
    if not viewer.sees(incident):
        raise NotFoundError(f"There is no incident {incident_id!r}")
    return incident


def _states(chosen: list[IncidentState] | None, *, open_: bool | None) -> frozenset[IncidentState]:
    states = frozenset(chosen or IncidentState)
    if open_ is None:
        return states
    return states - FINISHED if open_ else states & FINISHED


def _kinds(taxonomy: Taxonomy, *, subcategory: str | None, category: str | None) -> frozenset[str] | None:
    """The subcategories asked for; None: all, and those that have left the taxonomy."""
    if category is None:
        return None if subcategory is None else frozenset({subcategory})
    of_it = {code for code, kind in taxonomy.subcategories.items() if kind.category == category}
    return frozenset(of_it if subcategory is None else of_it & {subcategory})
