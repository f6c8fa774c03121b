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

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.orm import Session

from dispatch.directory import read_directory
from dispatch.events import append, find_incident, load_incidents
from dispatch.followups import SYSTEM
from dispatch.practice import Patience
from dispatch.store.pending import DELIVERY
from dispatch.store.store import StoreSession
from dispatch.store.tables import NodeRequestRow
from dispatch.task_message import task_message
from models.incidents import Happening
from models.wire import requests_topic, tasks_topic

log = logging.getLogger(__name__)

BATCH = 100
"""Messages sent before noting them: small enough that a crash repeats little, large enough to share a commit."""

TOLD_ONCE = frozenset({"recalled", "reminder", "part_done", "escalated", "appeal"})
"""Kinds that need no answer: the app learns the same when it asks for what it is owed."""

_DUE = select(DELIVERY).where(DELIVERY.c.next_at <= bindparam("now")).order_by(DELIVERY.c.seq).limit(BATCH)
_TOLD = select(DELIVERY).where(DELIVERY.c.seq.in_(bindparam("seqs", expanding=True))).order_by(DELIVERY.c.seq)
_NOTE_TOLD = update(DELIVERY).where(DELIVERY.c.seq == bindparam("told"), DELIVERY.c.person_id == bindparam("whom"))
_NEXT = (select(func.min(DELIVERY.c.next_at)), select(func.min(NodeRequestRow.next_at)))


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
    session.flush()
    if told := {(message.seq, message.person_id) for message in sent if not message.key}:
        _note_told(session, told, now)


def next_due(session: Session) -> datetime | None:
    """When there is something to publish again."""
    moments = [session.scalar(query) for query in _NEXT]
    return min((moment for moment in moments if moment is not None), default=None)


def encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _due_deliveries(session: StoreSession, now: datetime) -> list[Due]:
    rows = session.core.execute(_DUE, {"now": now}).all()
    load_incidents(session, {row.incident_id for row in rows})
    return [task for row in rows if (task := _task(session, row, now))]


def _task(session: StoreSession, row: Row[Any], now: datetime) -> Due | None:
    """None for one that cannot be told (a subcategory taken out of the taxonomy): it must not hold up the others."""
    incident = find_incident(session, row.incident_id)
    person = read_directory(session).person_by_id.get(row.person_id)
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


def _note_told(session: StoreSession, told: set[tuple[int, str]], now: datetime) -> None:
    rows = session.core.execute(_TOLD, {"seqs": [seq for seq, _ in told]}).all()
    rows = [row for row in rows if (row.seq, row.person_id) in told]
    load_incidents(session, {row.incident_id for row in rows})
    session.core.execute(_NOTE_TOLD, [_told(row, session.practice.patience, now) for row in rows])
    for row in rows:
        if row.published_at is None:
            _note_in_log(session, row, now)


def _told(row: Row[Any], patience: Patience, now: datetime) -> dict[str, Any]:
    """The delivery's columns after one more publishing; its receiver may have answered meanwhile."""
    attempts, next_at, received_at = row.attempts + 1, row.next_at, row.received_at
    if received_at is None and row.kind in TOLD_ONCE:
        next_at, received_at = None, now
    elif received_at is None:
        next_at = now + back_off(patience.republish, patience.republish_longest, attempts)
    return {
        "told": row.seq,
        "whom": row.person_id,
        "attempts": attempts,
        "published_at": row.published_at or now,
        "next_at": next_at,
        "received_at": received_at,
    }


def _note_in_log(session: StoreSession, row: Row[Any], now: datetime) -> None:
    incident = find_incident(session, row.incident_id)
    append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.PUBLISHED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
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
