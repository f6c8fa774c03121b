"""The log: appending an event and, in the same transaction, the state it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.projection import apply, box_of, evidence_data, evidence_of
from dispatch.store.store import StoreSession
from dispatch.store.tables import EventRow, IncidentRow
from models.errors import NotFoundError
from models.ids import CameraId, CellId, DepartmentId, IncidentId, PersonId, SubcategoryCode
from models.incidents import Assignment, Incident, IncidentEvent, IncidentState
from models.people import Actor, Role
from models.text import Text


def append(
    session: StoreSession,
    *,
    incident_id: IncidentId,
    kind: str,
    actor: Actor,
    at: datetime,
    after: IncidentState,
    cause: str = "",
    data: Mapping[str, Any] | None = None,
) -> IncidentEvent:
    """Writes the event and the incident's new state. The caller has checked that it is allowed."""
    row = session.get(IncidentRow, incident_id)
    before = None if row is None else incident_of(row)
    event = IncidentEvent(
        seq=_next_seq(session),
        incident_id=incident_id,
        kind=str(kind),
        at=at,
        actor=actor,
        before=None if before is None else before.state,
        after=after,
        cause=cause,
        data=dict(data or {}),
    )
    session.add(_event_row(event))
    incident = apply(before, event)
    if row is None:
        session.add(IncidentRow(**_columns(incident)))
    else:
        for name, value in _columns(incident).items():
            setattr(row, name, value)
    session.flush()
    session.newest_seq = event.seq
    return event


def find_event(session: Session, *, cause: str, incident_id: IncidentId | None = None) -> IncidentEvent | None:
    """The event this message has already caused; None for the empty cause."""
    if not cause:
        return None
    query = select(EventRow).where(EventRow.cause == cause).order_by(EventRow.seq).limit(1)
    if incident_id is not None:
        query = query.where(EventRow.incident_id == incident_id)
    row = session.scalar(query)
    return None if row is None else event_of(row)


def find_incident(session: Session, incident_id: str) -> Incident:
    """Raises NotFoundError."""
    row = session.get(IncidentRow, incident_id)
    if row is None:
        raise NotFoundError(f"There is no incident {incident_id!r}: it may belong to another installation")
    return incident_of(row)


def next_number(session: Session) -> int:
    return (session.scalar(select(func.max(IncidentRow.number))) or 0) + 1


def event_of(row: EventRow) -> IncidentEvent:
    return IncidentEvent(
        seq=row.seq,
        incident_id=IncidentId(row.incident_id),
        kind=row.kind,
        at=row.at,
        actor=Actor(Role(row.actor_role), row.actor_id),
        before=None if row.before is None else IncidentState(row.before),
        after=IncidentState(row.after),
        cause=row.cause,
        data=row.data,
    )


def incident_of(row: IncidentRow) -> Incident:
    return Incident(
        incident_id=IncidentId(row.incident_id),
        number=row.number,
        subcategory=SubcategoryCode(row.subcategory),
        state=IncidentState(row.state),
        camera_id=None if row.camera_id is None else CameraId(row.camera_id),
        cell_id=None if row.cell_id is None else CellId(row.cell_id),
        position=(row.longitude, row.latitude),
        box=box_of(row.box),
        why=Text(row.why_zh, row.why_en),
        confidence=row.confidence,
        sightings=row.sightings,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        assignment=_assignment_of(row),
        evidence=evidence_of(row.evidence),
        reworks=row.reworks,
        returns=row.returns,
        extensions=row.extensions,
        closed_at=row.closed_at,
        suspended_at=row.suspended_at,
        merged_into=None if row.merged_into is None else IncidentId(row.merged_into),
    )


def _assignment_of(row: IncidentRow) -> Assignment | None:
    if row.assignee_id is None or row.department_id is None or row.assigned_at is None:
        return None
    return Assignment(PersonId(row.assignee_id), DepartmentId(row.department_id), row.assigned_at, row.due_at)


def _columns(incident: Incident) -> dict[str, Any]:
    assignment = incident.assignment
    return {
        "incident_id": incident.incident_id,
        "number": incident.number,
        "subcategory": incident.subcategory,
        "state": incident.state.value,
        "camera_id": incident.camera_id,
        "cell_id": incident.cell_id,
        "longitude": incident.position[0],
        "latitude": incident.position[1],
        "box": None if incident.box is None else list(incident.box.xyxy),
        "why_zh": incident.why.zh,
        "why_en": incident.why.en,
        "confidence": incident.confidence,
        "sightings": incident.sightings,
        "opened_at": incident.opened_at,
        "last_seen_at": incident.last_seen_at,
        "assignee_id": None if assignment is None else assignment.person_id,
        "department_id": None if assignment is None else assignment.department_id,
        "assigned_at": None if assignment is None else assignment.assigned_at,
        "due_at": None if assignment is None else assignment.due_at,
        "evidence": evidence_data(incident.evidence),
        "reworks": incident.reworks,
        "returns": incident.returns,
        "extensions": incident.extensions,
        "closed_at": incident.closed_at,
        "suspended_at": incident.suspended_at,
        "merged_into": incident.merged_into,
    }


def _event_row(event: IncidentEvent) -> EventRow:
    return EventRow(
        seq=event.seq,
        incident_id=event.incident_id,
        kind=event.kind,
        at=event.at,
        actor_role=event.actor.role.value,
        actor_id=event.actor.actor_id,
        before=None if event.before is None else event.before.value,
        after=event.after.value,
        cause=event.cause,
        data=dict(event.data),
    )


def _next_seq(session: StoreSession) -> int:
    """Writers come one at a time, so the next number is free; the key's uniqueness would tell if it were not."""
    return (session.newest_seq or session.scalar(select(func.max(EventRow.seq))) or 0) + 1
