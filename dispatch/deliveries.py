"""Task messages owed to workers: written with the event they tell, taken off when the worker's app has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from dispatch.store.pending import DELIVERY
from dispatch.store.store import StoreSession
from models.ids import IncidentId
from models.incidents import IncidentEvent

_OPEN = (
    DELIVERY.c.incident_id == bindparam("incident"),
    DELIVERY.c.person_id == bindparam("person"),
    DELIVERY.c.received_at.is_(None),
)
_SETTLE = update(DELIVERY).where(*_OPEN)
_FIND_OPEN = select(DELIVERY).where(*_OPEN)


def owe(session: StoreSession, event: IncidentEvent, *, person_id: str, kind: str) -> None:
    """The person's app is to be told of this event. What it was owed about the incident before is outdated."""
    if not _is_first(session, event):
        settle(session, incident_id=event.incident_id, person_id=person_id, at=event.at)
    session.pending.owe(
        {
            "seq": event.seq,
            "person_id": person_id,
            "incident_id": event.incident_id,
            "kind": kind,
            "created_at": event.at,
            "attempts": 0,
            "next_at": event.at,
            "published_at": None,
            "received_at": None,
        }
    )


def _is_first(session: StoreSession, event: IncidentEvent) -> bool:
    """An incident opened in this very transaction, of which nothing has been owed to anybody."""
    return event.incident_id in session.pending.opened and event.incident_id not in session.pending.told


def recall(session: StoreSession, event: IncidentEvent, person_id: str) -> None:
    """The incident leaves this person; when they did it themselves their app knows."""
    if event.actor.actor_id == person_id:
        settle(session, incident_id=event.incident_id, person_id=person_id, at=event.at)
    else:
        owe(session, event, person_id=person_id, kind="recalled")


def received(session: StoreSession, *, incident_id: IncidentId, person_id: str, at: datetime) -> None:
    """The person's app has shown that it knows the incident as it is now."""
    settle(session, incident_id=incident_id, person_id=person_id, at=at)


def settle(session: StoreSession, *, incident_id: str, person_id: str, at: datetime) -> None:
    found = {"incident": incident_id, "person": person_id}
    session.pending.writes += 1
    session.core.execute(_SETTLE, {**found, "received_at": at, "next_at": None})


def open_delivery(session: StoreSession, *, incident_id: str, person_id: str) -> Row[Any] | None:
    """What this person's app has not confirmed yet about the incident."""
    return session.core.execute(_FIND_OPEN, {"incident": incident_id, "person": person_id}).first()
