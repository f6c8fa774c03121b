"""Events to present state: the fold. Pure, and the only place that says what an event does to an incident.

Whatever a decision needed (roster, calendar, limits) stands in the event's data as its result, so that the fold
needs nothing but the events and gives the same incident in ten years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from models.geometry import Box
from models.ids import CameraId, CellId, DepartmentId, IncidentId, PersonId, PictureHash, SubcategoryCode
from models.incidents import FINISHED, Assignment, Happening, Incident, IncidentEvent
from models.lifecycle import Step
from models.observations import Evidence, EvidenceRole
from models.text import Text
from models.wire import moment

KEPT_SIGHTINGS = 6
"""Pictures of the find kept on an incident: the first two tell how it began, the last four how it stands;
a stall that stands for hours would otherwise grow the row without end. The log keeps all."""

Data = Mapping[str, Any]


def apply(incident: Incident | None, event: IncidentEvent) -> Incident:
    """The incident after one more event. Raises ValueError when a history does not begin with its opening."""
    if incident is None:
        if event.kind != Step.OPEN:
            raise ValueError(
                f"event {event.seq} ({event.kind}) belongs to incident {event.incident_id} that was not opened"
            )
        return _opened(event)
    changed = replace(incident, state=event.after)
    if event.after in FINISHED and incident.state not in FINISHED:
        changed = replace(changed, closed_at=event.at)
    effect = _EFFECTS.get(event.kind)
    return changed if effect is None else effect(changed, event)


def _opened(event: IncidentEvent) -> Incident:
    data = event.data
    return Incident(
        incident_id=event.incident_id,
        number=data["number"],
        subcategory=SubcategoryCode(data["subcategory"]),
        state=event.after,
        camera_id=CameraId(data["camera"]) if data["camera"] else None,
        cell_id=CellId(data["cell"]) if data["cell"] else None,
        position=(data["position"][0], data["position"][1]),
        box=box_of(data["box"]),
        why=Text(data["why"]["zh"], data["why"]["en"]),
        confidence=data["confidence"],
        sightings=1,
        opened_at=event.at,
        last_seen_at=moment_of(data["seen_at"]),
        evidence=_evidence(data),
    )


def _assigned(incident: Incident, event: IncidentEvent) -> Incident:
    data = event.data
    return replace(
        incident,
        assignment=Assignment(
            person_id=PersonId(data["person"]),
            department_id=DepartmentId(data["department"]),
            assigned_at=event.at,
            due_at=moment_of(data["due_at"]) if data["due_at"] else None,
        ),
    )


def _returned(incident: Incident, _event: IncidentEvent) -> Incident:
    return replace(incident, assignment=None, returns=incident.returns + 1)


def _reopened(incident: Incident, event: IncidentEvent) -> Incident:
    return _sighted(replace(incident, closed_at=None, assignment=None), event)


def _sighted(incident: Incident, event: IncidentEvent) -> Incident:
    data = event.data
    if "seen_at" not in data:
        return incident
    return replace(
        incident,
        sightings=incident.sightings + int(data.get("sightings", 1)),
        confidence=max(incident.confidence, data["confidence"]),
        last_seen_at=max(incident.last_seen_at, moment_of(data["seen_at"])),
        evidence=keep(incident.evidence, _evidence(data)),
    )


def _with_evidence(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(incident, evidence=keep(incident.evidence, _evidence(event.data)))


def _reworked(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(_with_evidence(incident, event), reworks=incident.reworks + 1)


def _extended(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(_with_due(incident, event.data), extensions=incident.extensions + 1)


def _suspended(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(incident, suspended_at=event.at)


def _resumed(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(_with_due(incident, event.data), suspended_at=None)


def _merged(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(incident, merged_into=IncidentId(event.data["into"]))


def _with_due(incident: Incident, data: Data) -> Incident:
    if incident.assignment is None:
        return incident
    due_at = moment_of(data["due_at"]) if data["due_at"] else None
    return replace(incident, assignment=replace(incident.assignment, due_at=due_at))


_EFFECTS: Mapping[str, Callable[[Incident, IncidentEvent], Incident]] = {
    Step.ASSIGN: _assigned,
    Step.RETURN: _returned,
    Step.RESOLVE: _with_evidence,
    Step.NOTHING_HERE: _with_evidence,
    Step.CONFIRM_GONE: _with_evidence,
    Step.CONFIRM_STILL_THERE: _reworked,
    Step.EXTEND: _extended,
    Step.SUSPEND: _suspended,
    Step.RESUME: _resumed,
    Step.MERGE: _merged,
    Step.REOPEN: _reopened,
    Happening.ATTACHED: _sighted,
    Happening.CANNOT_TELL: _with_evidence,
}


def keep(evidence: tuple[Evidence, ...], more: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Both, each picture once per role; pictures of the find bounded to the first two and the newest ones."""
    known = {(item.picture, item.role) for item in evidence}
    joined = evidence + tuple(item for item in more if (item.picture, item.role) not in known)
    finds = [item for item in joined if item.role in (EvidenceRole.FOUND, EvidenceRole.BEFORE)]
    kept = finds if len(finds) <= KEPT_SIGHTINGS else finds[:2] + finds[2 - KEPT_SIGHTINGS :]
    return tuple(item for item in joined if item in kept or item not in finds)


def evidence_data(evidence: Iterable[Evidence]) -> list[dict[str, str]]:
    return [{"picture": e.picture, "role": e.role.value, "taken_at": moment(e.taken_at)} for e in evidence]


def evidence_of(items: Iterable[Data]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(PictureHash(item["picture"]), EvidenceRole(item["role"]), moment_of(item["taken_at"]))
        for item in items
    )


def box_of(value: Any) -> Box | None:
    return None if value is None else Box(*value)


def moment_of(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _evidence(data: Data) -> tuple[Evidence, ...]:
    return evidence_of(data.get("evidence", ()))
