"""Whistling (吹哨): a leader calls further departments in; each has its own queue, clock and piece of the work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch import words
from dispatch.clocks import started
from dispatch.directory import read_directory
from dispatch.people import list_departments
from dispatch.photos import photo_evidence
from dispatch.routing import department_line
from dispatch.store.store import StoreSession
from models.errors import NotFoundError, StepRefusedError
from models.ids import DepartmentId
from models.incidents import Incident, Part
from models.people import Actor

MOST_PARTS = 12
"""Departments called in for one incident: there are twelve."""


def open_part(incident: Incident, number: object) -> Part | None:
    return next((part for part in incident.open_parts if part.part == number), None)


def holds_part(incident: Incident, actor: Actor, data: dict[str, Any]) -> bool:
    """Whether the part named in the data is this person's."""
    part = open_part(incident, data.get("part"))
    return part is not None and part.person_id == actor.actor_id


def called_in(session: StoreSession, incident: Incident, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Finds the person of that department and starts their clock.

    Raises NotFoundError for an unknown department, StepRefusedError when it has nobody to send.
    """
    department = DepartmentId(data["department"])
    if department not in {one.department_id for one in list_departments(session)}:
        raise NotFoundError(f"There is no department {department!r}")
    if len(incident.parts) >= MOST_PARTS:
        raise StepRefusedError(words.MOST_PARTS, state=incident.state)
    line = department_line(read_directory(session), cell_id=incident.cell_id, department_id=department, at=now)
    if not line:
        raise StepRefusedError(words.NOBODY_THERE, state=incident.state)
    clock = started(session, incident, now)
    return data | clock | {"number": len(incident.parts) + 1, "person": line[0]}


def part_done(_session: StoreSession, incident: Incident, data: dict[str, Any], now: datetime) -> dict[str, Any]:
    part = open_part(incident, data["part"])
    if part is None:
        raise StepRefusedError(words.NO_SUCH_PART, state=incident.state)
    late = part.due_at is not None and now > part.due_at
    evidence = {"evidence": photo_evidence(data, now)} if "photo" in data else {}
    return data | evidence | {"number": part.part, "person": part.person_id, "late": late}


def parts_held(incident: Incident, person_id: str) -> tuple[Part, ...]:
    return tuple(part for part in incident.open_parts if part.person_id == person_id)
