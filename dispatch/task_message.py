"""The incident as the worker's app knows it: the same JSON over MQTT as from the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.directory import read_directory
from dispatch.projection import evidence_data, parts_data
from dispatch.store.store import StoreSession
from models.ids import PersonId
from models.incidents import FINISHED, Assignment, Incident
from models.lifecycle import Step, allowed_steps
from models.people import Person, Role
from models.wire import VERSION, moment


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids of an incident are called."""

    camera: str | None
    cell: str | None
    person: str | None


def task_message(
    session: StoreSession, incident: Incident, *, seq: int, kind: str, person: Person, now: datetime
) -> dict[str, Any]:
    """kind: assigned, rework, recalled, reminder, part, part_done, escalated or appeal; seq: the event told, so that an
    app can tell old from new."""
    return {"v": VERSION, "seq": seq, "kind": kind, "incident": incident_out(session, incident, viewer=person, now=now)}


def incident_out(session: StoreSession, incident: Incident, *, viewer: Person, now: datetime) -> dict[str, Any]:
    """The contract's IncidentOut; `steps` are those `viewer` may take now."""
    subcategory = session.practice.subcategory(incident.subcategory)
    names = names_of(session, incident)
    return {
        "incident_id": incident.incident_id,
        "number": incident.number,
        "subcategory": {"code": subcategory.code, "zh": subcategory.zh, "en": subcategory.en},
        "category": subcategory.category,
        "state": incident.state.value,
        "camera_id": incident.camera_id,
        "camera_name": names.camera,
        "cell_id": incident.cell_id,
        "cell_name": names.cell,
        "position": list(incident.position),
        "box": None if incident.box is None else list(incident.box.xyxy),
        "why": {"zh": incident.why.zh, "en": incident.why.en},
        "confidence": incident.confidence,
        "sightings": incident.sightings,
        "opened_at": moment(incident.opened_at),
        "last_seen_at": moment(incident.last_seen_at),
        "assignment": _assignment(incident.assignment, names.person),
        "overdue": is_overdue(incident, now),
        "evidence": evidence_data(incident.evidence),
        "reworks": incident.reworks,
        "returns": incident.returns,
        "extensions": incident.extensions,
        "closed_at": None if incident.closed_at is None else moment(incident.closed_at),
        "parts": _parts(session, incident),
        "worst_picture": incident.worst_picture,
        "merged_into": incident.merged_into,
        "steps": steps_for(incident, viewer_role=viewer.role, viewer_id=viewer.person_id),
    }


def names_of(session: StoreSession, incident: Incident) -> Names:
    known = read_directory(session)
    camera = known.camera_by_id.get(incident.camera_id) if incident.camera_id else None
    cell = known.cell_by_id.get(incident.cell_id) if incident.cell_id else None
    person = known.person_by_id.get(incident.assignment.person_id) if incident.assignment else None
    return Names(
        camera=None if camera is None else camera.name,
        cell=None if cell is None else cell.name,
        person=None if person is None else person.name,
    )


def steps_for(incident: Incident, *, viewer_role: Role, viewer_id: PersonId) -> list[str]:
    mine = incident.assignment is not None and incident.assignment.person_id == viewer_id
    called = any(part.person_id == viewer_id for part in incident.open_parts)
    return [step.value for step in steps_offered(incident, role=viewer_role, is_assignee=mine, holds_part=called)]


def steps_offered(incident: Incident, *, role: Role, is_assignee: bool, holds_part: bool) -> list[Step]:
    """What the table allows and the incident gives occasion for: no part, no "part done"; open parts, no "resolve"."""
    steps = allowed_steps(incident.state, role=role, is_assignee=is_assignee, holds_part=holds_part)
    idle = Step.RESOLVE if incident.open_parts else Step.PART_DONE
    return [step for step in steps if step is not idle]


def is_overdue(incident: Incident, now: datetime) -> bool:
    """Past its deadline with somebody still owing it; a paused clock does not run out."""
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None or incident.state in FINISHED or incident.suspended_at is not None:
        return False
    return now > due_at


def _parts(session: StoreSession, incident: Incident) -> list[dict[str, Any]]:
    people = read_directory(session).person_by_id
    parts = []
    for part in parts_data(incident.parts):
        person = part.pop("person")
        parts.append(part | {"person_id": person, "person_name": people[person].name if person in people else person})
    return parts


def _assignment(assignment: Assignment | None, name: str | None) -> dict[str, Any] | None:
    if assignment is None:
        return None
    return {
        "person_id": assignment.person_id,
        "person_name": name or assignment.person_id,
        "department": assignment.department_id,
        "assigned_at": moment(assignment.assigned_at),
        "due_at": None if assignment.due_at is None else moment(assignment.due_at),
    }
