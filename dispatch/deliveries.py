"""Task messages owed to workers: written with the event they tell, taken off when the worker's app has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from dispatch.store.pending import DELIVERY
from dispatch.store.store import StoreSession
from models.ids import IncidentId
from models.incidents import IncidentEvent

_OPEN = (
    DELIVERY.c.incident_id == bindparam("incident"),
    DELIVERY.c.person_id == bindparam("person"),
    DELIVERY.c.received_at.is_(None),
)
_FIND_OPEN = select(DELIVERY).where(*_OPEN)


def owe(session: StoreSession, event: IncidentEvent, *, person_id: str, kind: str) -> None:
    """The person's app is to be told of this event. What it was owed about the incident before is outdated."""
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
    """What has been owed to the person about the incident until now is outdated, or known to them."""
    if incident_id in session.pending.opened and incident_id not in session.pending.told:
        return
    session.pending.settle({"incident": incident_id, "person": person_id, "received_at": at, "next_at": None})


def open_delivery(session: StoreSession, *, incident_id: str, person_id: str) -> Row[Any] | None:
    """What this person's app has not confirmed yet about the incident."""
    return session.core.execute(_FIND_OPEN, {"incident": incident_id, "person": person_id}).first()
