"""Reading incidents and their history."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, func, select
from sqlalchemy.orm import Session

from dispatch.events import find_incident
from dispatch.rows import EVENT, INCIDENT, event_of, incident_of
from dispatch.store.store import StoreSession
from models.ids import CellId, IncidentId, PersonId
from models.incidents import FINISHED, OWED_STATES, Incident, IncidentEvent, IncidentState

MOST_ROWS = 1000
"""No page shows more; a caller that wants all goes on with `before_number` or `seq`."""


def get_incident(session: StoreSession, incident_id: str) -> Incident:
    """Raises NotFoundError."""
    return find_incident(session, incident_id)


def list_incidents(
    session: Session,
    *,
    cells: Collection[CellId] | None = None,
    states: Collection[IncidentState] | None = None,
    subcategories: Collection[str] | None = None,
    person_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    overdue_at: datetime | None = None,
    mentioning: ColumnElement[bool] | None = None,
    ids: Collection[IncidentId] | None = None,
    limit: int = 100,
    before_number: int | None = None,
) -> list[Incident]:
    """Newest first; None asks for nothing, an empty collection for none of them. Next page: `before_number`.

    since, until: when it was opened, until excluded; overdue_at: past its limit then; mentioning: see `text_search`.
    """
    row = INCIDENT.c
    asked = (
        None if cells is None else row.cell_id.in_(list(cells)),
        None if states is None else row.state.in_([state.value for state in states]),
        None if subcategories is None else row.subcategory.in_(list(subcategories)),
        None if person_id is None else row.assignee_id == person_id,
        None if since is None else row.opened_at >= since,
        None if until is None else row.opened_at < until,
        None if overdue_at is None else _overdue(overdue_at),
        mentioning,
        None if ids is None else row.incident_id.in_(list(ids)),
        None if before_number is None else row.number < before_number,
    )
    query = select(INCIDENT).where(*(each for each in asked if each is not None))
    newest = query.order_by(row.number.desc()).limit(min(limit, MOST_ROWS))
    return [incident_of(found) for found in session.execute(newest)]


def _overdue(at: datetime) -> ColumnElement[bool]:
    """As `task_message.is_overdue` says it of one: a paused clock does not run out."""
    finished = INCIDENT.c.state.in_([state.value for state in FINISHED])
    return and_(INCIDENT.c.due_at < at, ~finished, INCIDENT.c.suspended_at.is_(None))


def count_incidents(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(INCIDENT)) or 0


def incidents_by_state(session: Session) -> dict[IncidentState, int]:
    """How many unfinished ones stand in each state that any stands in."""
    query = (
        select(INCIDENT.c.state, func.count())
        .where(INCIDENT.c.state.not_in([state.value for state in FINISHED]))
        .group_by(INCIDENT.c.state)
    )
    return {IncidentState(state): count for state, count in session.execute(query).all()}


def incident_by_number(session: Session, number: int) -> Incident | None:
    row = session.execute(select(INCIDENT).where(INCIDENT.c.number == number)).first()
    return None if row is None else incident_of(row)


def timeline(session: Session, incident_id: str) -> list[IncidentEvent]:
    """Everything that happened to it, first first."""
    query = select(EVENT).where(EVENT.c.incident_id == incident_id).order_by(EVENT.c.seq)
    return [event_of(row) for row in session.execute(query)]


def events_after(session: Session, seq: int, limit: int = MOST_ROWS) -> list[IncidentEvent]:
    query = select(EVENT).where(EVENT.c.seq > seq).order_by(EVENT.c.seq).limit(min(limit, MOST_ROWS))
    return [event_of(row) for row in session.execute(query)]


def last_seq(session: Session) -> int:
    return session.scalar(select(func.max(EVENT.c.seq))) or 0


def owed(session: Session, person_id: PersonId | str) -> list[Incident]:
    """What this person has to do, oldest first: incidents assigned to them, and those they are called in for."""
    in_hand = INCIDENT.c.state.in_([state.value for state in (*OWED_STATES, IncidentState.SUSPENDED)])
    mine = (INCIDENT.c.assignee_id == person_id) & (INCIDENT.c.state != IncidentState.SUSPENDED.value)
    query = select(INCIDENT).where(in_hand, mine | (INCIDENT.c.open_parts > 0)).order_by(INCIDENT.c.number)
    found = [incident_of(row) for row in session.execute(query)]
    return [incident for incident in found if owes(incident, person_id)]


def owes(incident: Incident, person_id: str) -> bool:
    """Whether this person has something to do about it."""
    mine = incident.assignment is not None and incident.assignment.person_id == person_id
    called = any(part.person_id == person_id for part in incident.open_parts)
    return (mine and incident.state in OWED_STATES) or called


def incidents_with_picture(session: Session, picture: str) -> list[Incident]:
    """Incidents on whose evidence this picture is kept."""
    query = select(INCIDENT).where(cast(INCIDENT.c.evidence, String).contains(picture, autoescape=True))
    return [incident_of(row) for row in session.execute(query)]
