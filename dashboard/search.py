"""Looking through incidents within what a viewer may see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from dashboard.rights import Viewer
from dispatch import queries
from dispatch.store.store import StoreSession
from dispatch.text_search import mentions
from models.ids import CellId
from models.incidents import Incident, IncidentState
from models.people import Role

_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class Search:
    """cell: only this one; since, until: when it was opened; overdue_at: past its limit at this moment.

    words: all must occur where people would look for them; a bare number is an incident's.
    """

    states: frozenset[IncidentState]
    cell: CellId | None = None
    subcategories: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    overdue_at: datetime | None = None
    words: str = ""

    @property
    def number(self) -> int | None:
        """What people say on the phone; more digits than a database's integer takes are nobody's number."""
        digits = self.words.strip().removeprefix("#")
        return int(digits) if digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else None


@dataclass(frozen=True, slots=True)
class Found:
    incidents: list[Incident]
    next_before: int | None


def find(session: StoreSession, search: Search, *, viewer: Viewer, before: int | None, limit: int) -> Found:
    """One page, newest first."""
    if (number := search.number) is not None:
        newest = _candidates(session, search, viewer=viewer, before=number + 1, limit=1)
        return Found([incident for incident in newest if incident.number == number], None)
    found = _candidates(session, search, viewer=viewer, before=before, limit=limit + 1)
    page = found[:limit]
    return Found(page, page[-1].number if len(found) > limit else None)


def _candidates(
    session: StoreSession, search: Search, *, viewer: Viewer, before: int | None, limit: int
) -> list[Incident]:
    """Within the viewer's cells; a worker's own tasks too, wherever they are."""
    words = search.words.split() if search.number is None else []
    mentioning = mentions(words, session.practice.taxonomy) if words else None

    def listed(cells: frozenset[CellId] | None, person_id: str | None = None) -> list[Incident]:
        return queries.list_incidents(
            session,
            cells=cells,
            states=search.states,
            subcategories=search.subcategories,
            person_id=person_id,
            since=search.since,
            until=search.until,
            overdue_at=search.overdue_at,
            mentioning=mentioning,
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
