"""What a transaction has decided and not yet sent to the database.

An opened incident that is assigned at once is two events, a row and a delivery: written one by one they are six round
trips, gathered over a batch of messages they are three statements for all of them. Nothing here outlives its
transaction, and it is written out before anything is read that could see it and before the commit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, insert, update

from dispatch.rows import EVENT, INCIDENT, event_columns, incident_columns
from dispatch.store.tables import Base, DeliveryRow
from models.incidents import Incident, IncidentEvent

DELIVERY = Base.metadata.tables[DeliveryRow.__tablename__]
"""Read and written by Core only, as incidents are."""

# Made once: building a statement costs more than SQLite takes to carry it out.
_ADD_EVENT = insert(EVENT)
_ADD_INCIDENT = insert(INCIDENT)
_ADD_DELIVERY = insert(DELIVERY)
_SETTLE = update(DELIVERY).where(
    DELIVERY.c.incident_id == bindparam("incident"),
    DELIVERY.c.person_id == bindparam("person"),
    DELIVERY.c.received_at.is_(None),
)
_CHANGE_INCIDENT = update(INCIDENT).where(INCIDENT.c.incident_id == bindparam("changed"))


@dataclass(slots=True)
class Pending:
    """events: of this transaction not yet sent; causes: of all its events, for who asks whether it is done already.

    deliveries: owed and settled ones, in order, those of one kind together; opened, told: incidents this transaction
    has opened, and told somebody of; writes: counts all it has decided.
    """

    events: list[IncidentEvent] = field(default_factory=list)
    causes: dict[tuple[str, str], IncidentEvent] = field(default_factory=dict)
    changed: dict[str, tuple[Incident | None, Incident]] = field(default_factory=dict)
    deliveries: list[tuple[Executable, list[dict[str, Any]]]] = field(default_factory=list)
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
        self.told.add(delivery["incident_id"])
        self._deliver(_ADD_DELIVERY, delivery)

    def settle(self, settled: dict[str, Any]) -> None:
        """What has been owed until now; what is owed after it is not touched."""
        self._deliver(_SETTLE, settled)

    def _deliver(self, statement: Executable, row: dict[str, Any]) -> None:
        self.writes += 1
        if not self.deliveries or self.deliveries[-1][0] is not statement:
            self.deliveries.append((statement, []))
        self.deliveries[-1][1].append(row)

    def write_out(self, line: Connection) -> None:
        if self.events:
            self._write_incidents(line)
            events, self.events = self.events, []
            line.execute(_ADD_EVENT, [event_columns(event) for event in events])
        deliveries, self.deliveries = self.deliveries, []
        for statement, rows in deliveries:
            line.execute(statement, rows)

    def _write_incidents(self, line: Connection) -> None:
        changed, self.changed = self.changed, {}
        if new := [incident_columns(after) for before, after in changed.values() if before is None]:
            line.execute(_ADD_INCIDENT, new)
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for before, after in changed.values():
            if before is not None and (changes := _changes(before, after)):
                alike[tuple(changes)].append({"changed": after.incident_id, **changes})
        for rows in alike.values():
            line.execute(_CHANGE_INCIDENT, rows)


def _changes(before: Incident, after: Incident) -> dict[str, Any]:
    """Only these are written: an index whose column is named is written anew even when the value is the same."""
    old = incident_columns(before)
    return {name: value for name, value in incident_columns(after).items() if value != old[name]}
