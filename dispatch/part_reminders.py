"""A department that was whistled in runs under its own clock, and is reminded of it like any worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from dispatch import deadlines, deliveries
from dispatch.clocks import calendar, limit_of
from dispatch.events import append, find_event
from dispatch.followups import SYSTEM
from dispatch.rows import INCIDENT, incident_of
from dispatch.store.store import StoreSession
from models.incidents import OWED_STATES, Happening, Incident, Part


def remind_parts(session: StoreSession, *, now: datetime, marks: Sequence[float]) -> None:
    """Once at each share (`marks`, ascending) of a part's time that has gone by. Suspended work is not urged."""
    query = select(INCIDENT).where(
        INCIDENT.c.open_parts > 0, INCIDENT.c.state.in_([state.value for state in OWED_STATES])
    )
    for incident in [incident_of(row) for row in session.execute(query)]:
        for part in incident.open_parts:
            share = share_gone(session, incident, part, now)
            if passed := [mark for mark in marks if share >= mark]:
                _remind_once(session, incident, part, mark=passed[-1], now=now)


def share_gone(session: StoreSession, incident: Incident, part: Part, now: datetime) -> float:
    """Of the time between the call and the part's deadline, counted by its own kind of clock; over 1 when overdue."""
    if part.due_at is None:
        return 0.0
    kind, days = limit_of(session, incident).kind, calendar(session)
    whole = deadlines.between(kind, part.called_at, part.due_at, days)
    left = deadlines.between(kind, now, part.due_at, days)
    return 1.0 - left / whole if whole else 1.0


def _remind_once(session: StoreSession, incident: Incident, part: Part, *, mark: float, now: datetime) -> None:
    due_at = part.due_at.isoformat() if part.due_at else ""
    cause = f"remind-part:{part.part}:{mark:g}:{due_at}:{part.person_id}"
    if find_event(session, cause=cause, incident_id=incident.incident_id):
        return
    event = append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.REMINDED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
        cause=cause,
        data={"share": mark, "person": part.person_id, "part": part.part},
    )
    if not deliveries.open_delivery(session, incident_id=incident.incident_id, person_id=part.person_id):
        deliveries.owe(session, event, person_id=part.person_id, kind="reminder")
