"""Who has had an incident and is not to get it again by itself: those who returned it, those who stayed silent."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.store.tables import EventRow
from models.ids import IncidentId, PersonId
from models.lifecycle import Step


def passed_over(session: Session, incident_id: IncidentId) -> set[PersonId]:
    """Since the incident was opened, or last reopened: a new round begins with everybody."""
    begun = select(func.max(EventRow.seq)).where(
        EventRow.incident_id == incident_id, EventRow.kind.in_((Step.OPEN, Step.REOPEN))
    )
    rows = session.scalars(
        select(EventRow).where(
            EventRow.incident_id == incident_id,
            EventRow.seq > begun.scalar_subquery(),
            EventRow.kind.in_((Step.RETURN, Step.ASSIGN)),
        )
    )
    return {PersonId(person) for row in rows if (person := _who_passed(row))}


def _who_passed(row: EventRow) -> str | None:
    person: str | None = row.data.get("person" if row.kind == Step.RETURN else "from")
    return person
