"""Messages that could not be used: kept with the reason, so that an operator can see and the sender can be mended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.store.tables import RefusedRow
from dispatch.wire import LARGEST_PAYLOAD
from models.errors import NotFoundError

MOST_REFUSED = 2000
"""Rows kept: a broken sender repeats itself, and the newest tell what is wrong now."""

KEPT_BYTES = 4096
"""Of a payload: a whole observation fits; something larger is not one of ours."""


WAITING, REDRIVEN, DISCARDED = "waiting", "redriven", "discarded"


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    refused_id: int
    topic: str
    payload: str
    reason: str
    at: datetime
    outcome: str = WAITING
    decided_by: str | None = None


def refuse(session: Session, *, topic: str, payload: bytes, reason: str, at: datetime) -> None:
    """Keeps it; the oldest ones make room."""
    row = RefusedRow(
        topic=_clean(topic[:1000]),
        payload=_readable(payload),
        reason=_clean(reason[:1000]),
        at=at,
        raw=payload if len(payload) <= LARGEST_PAYLOAD else None,
        outcome=WAITING,
    )
    session.add(row)
    session.flush()
    session.execute(delete(RefusedRow).where(RefusedRow.refused_id <= row.refused_id - MOST_REFUSED))


def refused_messages(session: Session, *, limit: int = 100) -> list[RefusedMessage]:
    """Newest first."""
    rows = session.scalars(select(RefusedRow).order_by(RefusedRow.refused_id.desc()).limit(limit))
    return [
        RefusedMessage(row.refused_id, row.topic, row.payload, row.reason, row.at, row.outcome, row.decided_by)
        for row in rows
    ]


def waiting_row(session: Session, refused_id: int) -> RefusedRow:
    """Raises NotFoundError for one that is not there, or that somebody has decided already."""
    row = session.get(RefusedRow, refused_id)
    if row is None or row.outcome != WAITING:
        raise NotFoundError(f"There is no message {refused_id} waiting: somebody may have decided it meanwhile")
    return row


def discard(session: Session, refused_id: int, *, by: str, at: datetime) -> None:
    """It stays to be read; nothing more is done with it."""
    decide(waiting_row(session, refused_id), DISCARDED, by=by, at=at)


def decide(row: RefusedRow, outcome: str, *, by: str, at: datetime) -> None:
    row.outcome, row.decided_by, row.decided_at = outcome, by, at


def _readable(payload: bytes) -> str:
    return _clean(payload[:KEPT_BYTES].decode("utf-8", errors="backslashreplace"))


def _clean(text: str) -> str:
    """PostgreSQL keeps no NUL in text, and lone surrogates are no UTF-8."""
    return text.replace("\0", "\\0").encode("utf-8", errors="backslashreplace").decode("utf-8")
