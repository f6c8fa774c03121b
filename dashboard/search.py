"""Looking through incidents within what a viewer may see."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.rights import Viewer
from dashboard.views.incidents import IncidentViews
from dispatch import queries
from dispatch.store.store import StoreSession
from models.ids import CellId
from models.incidents import Incident, IncidentState
from models.people import Role

# Words are matched here, not in the database: this many incidents are looked through for one page (some 50 ms),
# then the page goes out with what was found and a mark where to go on.
_LOOKED_THROUGH = 1000

_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class Search:
    """cell: only this one; words: all must occur where people would look for them; a bare number is an incident's."""

    states: frozenset[IncidentState]
    cell: CellId | None = None
    subcategory: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    incidents: list[Incident]
    next_before: int | None


def find(
    session: StoreSession,
    search: Search,
    *,
    viewer: Viewer,
    views: IncidentViews,
    before: int | None,
    limit: int,
) -> Found:
    """One page, newest first."""
    if search.words.strip().isdecimal():
        return Found(_by_number(session, search, viewer), None)
    wanted = search.words.casefold().split()
    depth = _LOOKED_THROUGH - 1 if wanted else limit
    candidates = _candidates(session, search, viewer=viewer, before=before, limit=depth + 1)
    seen = candidates[:depth]
    matching = [incident for incident in seen if _matches(incident, wanted, viewer=viewer, views=views)]
    page = matching[:limit]
    if len(matching) > limit:
        return Found(page, page[-1].number)
    return Found(page, seen[-1].number if len(candidates) > depth else None)


def _by_number(session: StoreSession, search: Search, viewer: Viewer) -> list[Incident]:
    """What people say on the phone; more digits than a database's integer takes are nobody's number."""
    digits = search.words.strip()
    incident = queries.incident_by_number(session, int(digits)) if len(digits) <= _LONGEST_NUMBER else None
    if incident is None or not viewer.sees(incident) or incident.state not in search.states:
        return []
    cell_fits = search.cell in (None, incident.cell_id)
    return [incident] if cell_fits and search.subcategory in (None, incident.subcategory) else []


def _candidates(
    session: StoreSession, search: Search, *, viewer: Viewer, before: int | None, limit: int
) -> list[Incident]:
    """Within the viewer's cells; a worker's own tasks too, wherever they are."""

    def listed(cells: frozenset[CellId] | None, person_id: str | None = None) -> list[Incident]:
        return queries.list_incidents(
            session,
            cells=cells,
            states=search.states,
            subcategory=search.subcategory,
            person_id=person_id,
            limit=limit,
            before_number=before,
        )

    chosen = None if search.cell is None else frozenset({search.cell})
    if viewer.cells is None:
        return listed(chosen)
    found = listed(viewer.cells if chosen is None else viewer.cells & chosen)
    if viewer.person.role is Role.WORKER:
        found += listed(chosen, viewer.person.person_id)
    unique = {incident.number: incident for incident in found}
    return [unique[number] for number in sorted(unique, reverse=True)[:limit]]


def _matches(incident: Incident, wanted: list[str], *, viewer: Viewer, views: IncidentViews) -> bool:
    if not wanted:
        return True
    shown = views.incident(incident, viewer=viewer)
    assignee = shown.assignment.person_name if shown.assignment else ""
    kind = shown.subcategory
    places = (shown.camera_name or "", shown.cell_name or "")
    text = " ".join((shown.why.zh, shown.why.en, kind.code, kind.zh, kind.en, assignee, *places)).casefold()
    return all(word in text for word in wanted)
