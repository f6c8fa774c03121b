"""The event log's next stretch, with each event's incident as it is now."""

from __future__ import annotations

from dashboard.live.messages import Delta
from dashboard.parts import Parts
from dashboard.views.incidents import IncidentViews
from dashboard.views.names import NameBook
from dispatch import queries


def read_deltas(parts: Parts, book: NameBook, *, after: int, limit: int) -> list[Delta]:
    """Blocking. Events and incidents are read in one transaction: an incident is never older than its event."""
    with parts.store.reading() as session:
        events = queries.events_after(session, after, limit)
        ids = {event.incident_id for event in events}
        incidents = queries.list_incidents(session, ids=ids, limit=limit) if ids else []
    views = IncidentViews(book.names(), parts.taxonomy, parts.clock.now())
    found = {incident.incident_id: incident for incident in incidents}
    return [Delta(views.event(event), found[event.incident_id], views) for event in events]
