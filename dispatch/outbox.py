"""The relay: what the record owes to workers and watch nodes is published until they have it.

Reading what is due, publishing, and noting it are three steps with nothing held in between: a crash after
publishing publishes once more, and the app knows the message by its `seq`, the node by its `key`.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.events import append, find_incident
from dispatch.followups import SYSTEM
from dispatch.people import get_person
from dispatch.store.store import StoreSession
from dispatch.store.tables import DeliveryRow, NodeRequestRow
from dispatch.task_message import task_message
from models.incidents import Happening
from models.wire import requests_topic, tasks_topic

log = logging.getLogger(__name__)

BATCH = 100
"""Messages sent before noting them: small enough that a crash repeats little, large enough to share a commit."""

TOLD_ONCE = frozenset({"recalled", "reminder"})
"""Kinds that need no answer: the app learns the same when it asks for what it is owed."""


@dataclass(frozen=True, slots=True)
class Due:
    """One message to publish. `seq` and `person_id` name a delivery, `key` a request to a node."""

    topic: str
    payload: bytes
    seq: int = 0
    person_id: str = ""
    key: str = ""


def due_messages(session: StoreSession, *, now: datetime) -> list[Due]:
    """What is to be published now, in the order it happened."""
    return _due_deliveries(session, now) + _due_requests(session, now)


def note_published(session: StoreSession, sent: list[Due], *, now: datetime) -> None:
    """The broker has them; each comes again later unless its receiver answers."""
    for message in sent:
        if message.key:
            _note_asked(session, message, now)
        else:
            _note_told(session, message, now)
    session.flush()


def next_due(session: Session) -> datetime | None:
    """When there is something to publish again."""
    moments = [session.scalar(select(func.min(row.next_at))) for row in (DeliveryRow, NodeRequestRow)]
    return min((moment for moment in moments if moment is not None), default=None)


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _due_deliveries(session: StoreSession, now: datetime) -> list[Due]:
    rows = session.scalars(select(DeliveryRow).where(DeliveryRow.next_at <= now).order_by(DeliveryRow.seq).limit(BATCH))
    return [task for row in rows if (task := _task(session, row, now))]


def _task(session: StoreSession, row: DeliveryRow, now: datetime) -> Due | None:
    """None for one that cannot be told (a subcategory taken out of the taxonomy): it must not hold up the others."""
    incident = find_incident(session, row.incident_id)
    person = get_person(session, row.person_id)
    if person is None or incident.subcategory not in session.practice.taxonomy.subcategories:
        log.error("Task %d for %s cannot be told: the person or subcategory is gone", row.seq, row.person_id)
        return None
    message = task_message(session, incident, seq=row.seq, kind=row.kind, person=person, now=now)
    return Due(tasks_topic(row.person_id), encode(message), seq=row.seq, person_id=row.person_id)


def _due_requests(session: StoreSession, now: datetime) -> list[Due]:
    rows = session.scalars(
        select(NodeRequestRow).where(NodeRequestRow.next_at <= now).order_by(NodeRequestRow.created_at).limit(BATCH)
    )
    return [Due(requests_topic(row.node_id), encode(row.payload), key=row.key) for row in rows]


def _note_told(session: StoreSession, message: Due, now: datetime) -> None:
    row = session.get_one(DeliveryRow, (message.seq, message.person_id))
    first = row.published_at is None
    row.attempts += 1
    row.published_at = row.published_at or now
    if row.received_at is None:
        patience = session.practice.patience
        pause = back_off(patience.republish, patience.republish_longest, row.attempts)
        row.next_at = None if row.kind in TOLD_ONCE else now + pause
        row.received_at = now if row.kind in TOLD_ONCE else None
    if first:
        _note_in_log(session, row, now)


def _note_in_log(session: StoreSession, row: DeliveryRow, now: datetime) -> None:
    append(
        session,
        incident_id=find_incident(session, row.incident_id).incident_id,
        kind=Happening.PUBLISHED,
        actor=SYSTEM,
        at=now,
        after=find_incident(session, row.incident_id).state,
        cause=f"published:{row.seq}:{row.person_id}",
        data={"person": row.person_id, "task": row.kind, "of": row.seq},
    )


def _note_asked(session: StoreSession, message: Due, now: datetime) -> None:
    row = session.get_one(NodeRequestRow, message.key)
    row.asks += 1
    if row.answered_at is None:
        patience = session.practice.patience
        row.next_at = now + back_off(patience.ask, patience.ask_longest, row.asks)


def back_off(first: timedelta, longest: timedelta, attempts: int) -> timedelta:
    """Doubling from `first`, never more than `longest`."""
    doublings = min(attempts - 1, 20)
    return min(first * (1 << doublings), longest)
