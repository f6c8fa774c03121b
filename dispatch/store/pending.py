"""What a transaction has decided and not yet sent to the database.

An opened incident that is assigned at once is two events, a row and a delivery: written one by one they are six round
trips, gathered over a batch of messages they are three statements for all of them. Nothing here outlives its
transaction, and it is written out before anything is read that could see it and before the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from dispatch.rows import EVENT, INCIDENT, event_columns, incident_columns
from dispatch.store.tables import Base, DeliveryRow
from models.incidents import Incident, IncidentEvent

DELIVERY = Base.metadata.tables[DeliveryRow.__tablename__]
"""Read and written by Core only, as incidents are."""

# Made once: building a statement costs more than SQLite takes to carry it out.
_ADD_EVENT = insert(EVENT)
_ADD_INCIDENT = insert(INCIDENT)
_ADD_DELIVERY = insert(DELIVERY)
_CHANGE_INCIDENT = update(INCIDENT).where(INCIDENT.c.incident_id == bindparam("changed"))


@dataclass(slots=True)
class Pending:
    """events: of this transaction not yet sent; causes: of all its events, for who asks whether it is done already.

    opened, told: incidents this transaction has opened, and told somebody of; writes: counts all it has decided.
    """

    events: list[IncidentEvent] = field(default_factory=list)
    causes: dict[tuple[str, str], IncidentEvent] = field(default_factory=dict)
    changed: dict[str, tuple[Incident | None, Incident]] = field(default_factory=dict)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    writes: int = 0

    def note(self, event: IncidentEvent, before: Incident | None, after: Incident) -> None:
        self.writes += 1
        self.events.append(event)
        if event.cause:
            self.causes.setdefault((event.cause, ""), event)
            self.causes.setdefault((event.cause, event.incident_id), event)
        if before is None:
            self.opened.add(event.incident_id)
        first = self.changed[event.incident_id][0] if event.incident_id in self.changed else before
        self.changed[event.incident_id] = first, after

    def owe(self, delivery: dict[str, Any]) -> None:
        self.writes += 1
        self.told.add(delivery["incident_id"])
        self.deliveries.append(delivery)

    def write_out(self, line: Connection) -> None:
        if self.events:
            self._write_incidents(line)
            events, self.events = self.events, []
            line.execute(_ADD_EVENT, [event_columns(event) for event in events])
        if self.deliveries:
            deliveries, self.deliveries = self.deliveries, []
            line.execute(_ADD_DELIVERY, deliveries)

    def _write_incidents(self, line: Connection) -> None:
        changed, self.changed = self.changed, {}
        if new := [incident_columns(after) for before, after in changed.values() if before is None]:
            line.execute(_ADD_INCIDENT, new)
        for before, after in changed.values():
            if before is not None and (changes := _changes(before, after)):
                line.execute(_CHANGE_INCIDENT, {"changed": after.incident_id, **changes})


def _changes(before: Incident, after: Incident) -> dict[str, Any]:
    """Only these are written: an index whose column is named is written anew even when the value is the same."""
    old = incident_columns(before)
    return {name: value for name, value in incident_columns(after).items() if value != old[name]}
