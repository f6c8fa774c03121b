"""The record's rows as values, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from dispatch.projection import box_of, evidence_data, evidence_of, parts_data, parts_of
from dispatch.store.tables import Base, EventRow, IncidentRow
from models.ids import CameraId, CellId, DepartmentId, IncidentId, PersonId, PictureHash, SubcategoryCode
from models.incidents import Assignment, Incident, IncidentEvent, IncidentState
from models.people import Actor, Role
from models.text import Text

INCIDENT = Base.metadata.tables[IncidentRow.__tablename__]
"""Incidents are read and written by Core only: ORM objects cost five times the CPU, and one kept beside the fold
could be older than it."""

EVENT = Base.metadata.tables[EventRow.__tablename__]


def event_of(row: Row[Any]) -> IncidentEvent:
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


def incident_of(row: Row[Any]) -> Incident:
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
        parts=parts_of(row.parts),
        worst_picture=None if row.worst_picture is None else PictureHash(row.worst_picture),
        worst_area=row.worst_area,
    )


def _assignment_of(row: Row[Any]) -> Assignment | None:
    if row.assignee_id is None or row.department_id is None or row.assigned_at is None:
        return None
    return Assignment(
        PersonId(row.assignee_id), DepartmentId(row.department_id), row.assigned_at, row.due_at, row.time_limit
    )


def incident_columns(incident: Incident) -> dict[str, Any]:
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
        "time_limit": None if assignment is None else assignment.limit,
        "evidence": evidence_data(incident.evidence),
        "reworks": incident.reworks,
        "returns": incident.returns,
        "extensions": incident.extensions,
        "closed_at": incident.closed_at,
        "suspended_at": incident.suspended_at,
        "merged_into": incident.merged_into,
        "parts": parts_data(incident.parts),
        "open_parts": len(incident.open_parts),
        "worst_picture": incident.worst_picture,
        "worst_area": incident.worst_area,
    }


def event_columns(event: IncidentEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "incident_id": event.incident_id,
        "kind": event.kind,
        "at": event.at,
        "actor_role": event.actor.role.value,
        "actor_id": event.actor.actor_id,
        "before": None if event.before is None else event.before.value,
        "after": event.after.value,
        "cause": event.cause,
        "data": dict(event.data),
    }
