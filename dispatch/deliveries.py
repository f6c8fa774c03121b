"""Task messages owed to workers: written with the event they tell, taken off when the worker's app has them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.store.tables import DeliveryRow
from models.ids import IncidentId
from models.incidents import IncidentEvent


def owe(session: Session, event: IncidentEvent, *, person_id: str, kind: str) -> None:
    """The person's app is to be told of this event. What it was owed about the incident before is outdated."""
    settle(session, incident_id=event.incident_id, person_id=person_id, at=event.at)
    session.add(
        DeliveryRow(
            seq=event.seq,
            person_id=person_id,
            incident_id=event.incident_id,
            kind=kind,
            created_at=event.at,
            attempts=0,
            next_at=event.at,
            published_at=None,
            received_at=None,
        )
    )
    session.flush()


def recall(session: Session, event: IncidentEvent, person_id: str) -> None:
    """The incident leaves this person; when they did it themselves their app knows."""
    if event.actor.actor_id == person_id:
        settle(session, incident_id=event.incident_id, person_id=person_id, at=event.at)
    else:
        owe(session, event, person_id=person_id, kind="recalled")


def received(session: Session, *, incident_id: IncidentId, person_id: str, at: datetime) -> None:
    """The person's app has shown that it knows the incident as it is now."""
    settle(session, incident_id=incident_id, person_id=person_id, at=at)


def settle(session: Session, *, incident_id: str, person_id: str, at: datetime) -> None:
    session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.incident_id == incident_id,
            DeliveryRow.person_id == person_id,
            DeliveryRow.received_at.is_(None),
        )
        .values(received_at=at, next_at=None)
    )


def open_delivery(session: Session, *, incident_id: str, person_id: str) -> DeliveryRow | None:
    """What this person's app has not confirmed yet about the incident."""
    return session.scalar(
        select(DeliveryRow).where(
            DeliveryRow.incident_id == incident_id,
            DeliveryRow.person_id == person_id,
            DeliveryRow.received_at.is_(None),
        )
    )
