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
from models.incidents import FINISHED, Assignment, Happening, Incident, IncidentEvent, Part
from models.lifecycle import Step
from models.observations import Evidence, EvidenceRole
from models.text import Text
from models.wire import moment

KEPT_SIGHTINGS = 6
"""Pictures of the find kept on an incident: the first two tell how it began, the last four how it stands, and one more
where it was at its worst; a stall that stands for hours would otherwise grow the row without end. The log keeps all."""

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
        if event.kind != Step.MERGE:  # a merge can be undone, then the parts go on
            changed = replace(changed, parts=tuple(_ended(part, event.at) for part in changed.parts))
    effect = _EFFECTS.get(event.kind)
    return changed if effect is None else effect(changed, event)


def _ended(part: Part, at: datetime) -> Part:
    return part if part.done_at else replace(part, done_at=at)


def _opened(event: IncidentEvent) -> Incident:
    data = event.data
    opened = Incident(
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
        sightings=int(data.get("sightings", 1)),
        opened_at=event.at,
        last_seen_at=moment_of(data["seen_at"]),
        evidence=_evidence(data),
    )
    return _with_worst(opened, data)


def _assigned(incident: Incident, event: IncidentEvent) -> Incident:
    data = event.data
    return replace(
        incident,
        assignment=Assignment(
            person_id=PersonId(data["person"]),
            department_id=DepartmentId(data["department"]),
            assigned_at=event.at,
            due_at=moment_of(data["due_at"]) if data["due_at"] else None,
            limit=data.get("limit"),
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
    incident = _with_worst(incident, data)
    return replace(
        incident,
        sightings=incident.sightings + int(data.get("sightings", 1)),
        confidence=max(incident.confidence, data["confidence"]),
        last_seen_at=max(incident.last_seen_at, moment_of(data["seen_at"])),
        evidence=keep(incident.evidence, _evidence(data), worst=incident.worst_picture),
    )


def _with_worst(incident: Incident, data: Data) -> Incident:
    """The largest the thing has been: a pile that grew and was half cleared is told by its largest picture."""
    box, found = box_of(data.get("box")), [e for e in _evidence(data) if e.role is EvidenceRole.FOUND]
    if box is None or not found or box.area <= incident.worst_area:
        return incident
    return replace(incident, worst_picture=found[0].picture, worst_area=round(box.area, 6))


def _detached(incident: Incident, event: IncidentEvent) -> Incident:
    """What is left when sightings are taken out again; worked out from the log by whoever wrote the event."""
    left = event.data["left"]
    worst = left["worst_picture"]
    return replace(
        incident,
        sightings=left["sightings"],
        confidence=left["confidence"],
        last_seen_at=moment_of(left["seen_at"]),
        evidence=evidence_of(left["evidence"]),
        worst_picture=None if worst is None else PictureHash(worst),
        worst_area=left["worst_area"],
    )


def _unmerged(incident: Incident, _event: IncidentEvent) -> Incident:
    return replace(incident, merged_into=None, closed_at=None)


def _called_in(incident: Incident, event: IncidentEvent) -> Incident:
    data = event.data
    part = Part(
        part=data["number"],
        department_id=DepartmentId(data["department"]),
        person_id=PersonId(data["person"]),
        task=data["reason"],
        called_at=event.at,
        due_at=moment_of(data["due_at"]) if data["due_at"] else None,
    )
    return replace(incident, parts=(*incident.parts, part))


def _part_done(incident: Incident, event: IncidentEvent) -> Incident:
    return _with_evidence(_with_part(incident, event.data["number"], done_at=event.at), event)


def _part_passed(incident: Incident, event: IncidentEvent) -> Incident:
    return _with_part(incident, event.data["number"], person_id=PersonId(event.data["person"]))


def _with_part(incident: Incident, number: int, **changes: Any) -> Incident:
    parts = tuple(replace(part, **changes) if part.part == number else part for part in incident.parts)
    return replace(incident, parts=parts)


def _clock_changed(incident: Incident, event: IncidentEvent) -> Incident:
    return _with_due(incident, event.data)


def _with_evidence(incident: Incident, event: IncidentEvent) -> Incident:
    return replace(incident, evidence=keep(incident.evidence, _evidence(event.data), worst=incident.worst_picture))


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
    Step.UNMERGE: _unmerged,
    Step.SPLIT: _detached,
    Step.REOPEN: _reopened,
    Step.CALL_IN: _called_in,
    Step.PART_DONE: _part_done,
    Happening.ATTACHED: _sighted,
    Happening.DETACHED: _detached,
    Happening.CANNOT_TELL: _with_evidence,
    Happening.CLOCK: _clock_changed,
    Happening.PART_PASSED: _part_passed,
}


def keep(
    evidence: tuple[Evidence, ...], more: tuple[Evidence, ...], *, worst: PictureHash | None = None
) -> tuple[Evidence, ...]:
    """Both, each picture once per role; pictures of the find bounded to the first two, the worst and the newest."""
    if not more:
        return evidence
    known = {(item.picture, item.role) for item in evidence}
    joined = evidence + tuple(item for item in more if (item.picture, item.role) not in known)
    finds = [item for item in joined if item.role in (EvidenceRole.FOUND, EvidenceRole.BEFORE)]
    if len(finds) <= KEPT_SIGHTINGS:
        return joined
    kept = finds[:2] + finds[2 - KEPT_SIGHTINGS :]
    return tuple(item for item in joined if item in kept or item not in finds or item.picture == worst)


def evidence_data(evidence: Iterable[Evidence]) -> list[dict[str, str]]:
    return [{"picture": e.picture, "role": e.role.value, "taken_at": moment(e.taken_at)} for e in evidence]


def evidence_of(items: Iterable[Data]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(PictureHash(item["picture"]), EvidenceRole(item["role"]), moment_of(item["taken_at"]))
        for item in items
    )


def parts_data(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [
        {
            "part": part.part,
            "department": part.department_id,
            "person": part.person_id,
            "task": part.task,
            "called_at": moment(part.called_at),
            "due_at": None if part.due_at is None else moment(part.due_at),
            "done_at": None if part.done_at is None else moment(part.done_at),
        }
        for part in parts
    ]


def parts_of(items: Iterable[Data]) -> tuple[Part, ...]:
    return tuple(
        Part(
            part=item["part"],
            department_id=DepartmentId(item["department"]),
            person_id=PersonId(item["person"]),
            task=item["task"],
            called_at=moment_of(item["called_at"]),
            due_at=moment_of(item["due_at"]) if item["due_at"] else None,
            done_at=moment_of(item["done_at"]) if item["done_at"] else None,
        )
        for item in items
    )


def box_of(value: Any) -> Box | None:
    return None if value is None else Box(*value)


def moment_of(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _evidence(data: Data) -> tuple[Evidence, ...]:
    return evidence_of(data.get("evidence", ()))
