"""A message that was kept aside is tried once more, after whatever was wrong has been mended."""

from __future__ import annotations

from datetime import datetime

from dispatch.inbox import address, deliver
from dispatch.refused import REDRIVEN, decide, waiting_row
from dispatch.store.store import StoreSession
from dispatch.wire import parse
from models.errors import PayloadError


def redrive(session: StoreSession, refused_id: int, *, by: str, now: datetime) -> None:
    """Does what the message asks, as if it had come now. Raises the error that still stands in its way; it then goes on
    waiting."""
    row = waiting_row(session, refused_id)
    if row.raw is None:
        raise PayloadError("the message was too large to be kept whole: its sender has to send a smaller one")
    kind, name = address(row.topic)
    deliver(session, kind, name, parse(row.raw), now=now)
    decide(row, REDRIVEN, by=by, at=now)
