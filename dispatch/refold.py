"""The present state made anew from the log, where a new release folds more out of old events."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import Connection, bindparam, select, update

from dispatch.projection import apply
from dispatch.rows import EVENT, INCIDENT, event_of, incident_columns
from models.incidents import Incident

_CHANGE = update(INCIDENT).where(INCIDENT.c.incident_id == bindparam("changed"))


def refold(connection: Connection) -> None:
    """Writes every incident as its events tell it; one incident at a time in memory."""
    rows = connection.execute(select(EVENT).order_by(EVENT.c.incident_id, EVENT.c.seq)).all()
    for incident_id, group in groupby((event_of(row) for row in rows), key=lambda event: event.incident_id):
        folded: Incident | None = None
        for event in group:
            folded = apply(folded, event)
        if folded is not None:
            connection.execute(_CHANGE, {"changed": incident_id, **incident_columns(folded)})
