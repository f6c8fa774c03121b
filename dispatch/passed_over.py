"""Who has had an incident and is not to get it again by itself: those who returned it, those who stayed silent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, select

from dispatch.rows import EVENT
from dispatch.store.store import StoreSession
from models.ids import IncidentId, PersonId
from models.lifecycle import Step

NEW_ROUND = (Step.OPEN, Step.REOPEN)
"""After these nobody has been passed over: a new round begins with everybody."""


def passed_over(session: StoreSession, incident_id: IncidentId) -> set[PersonId]:
    """Since the incident was opened, or last reopened."""
    begun = select(func.max(EVENT.c.seq)).where(EVENT.c.incident_id == incident_id, EVENT.c.kind.in_(NEW_ROUND))
    rows = session.execute(
        select(EVENT).where(
            EVENT.c.incident_id == incident_id,
            EVENT.c.seq > begun.scalar_subquery(),
            EVENT.c.kind.in_((Step.RETURN, Step.ASSIGN)),
        )
    )
    return {PersonId(person) for row in rows if (person := _who_passed(row))}


def _who_passed(row: Row[Any]) -> str | None:
    person: str | None = row.data.get("person" if row.kind == Step.RETURN else "from")
    return person
