"""Incidents and events as pages see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dashboard.rights import Viewer
from dashboard.schemas.base import Named, TextOut
from dashboard.schemas.incidents import (
    ActorOut,
    AssignmentOut,
    EventOut,
    EvidenceOut,
    IncidentDetail,
    IncidentOut,
    PartOut,
)
from dashboard.views.names import Names
from dispatch.task_message import is_overdue, steps_offered
from models.ids import SubcategoryCode
from models.incidents import Assignment, Incident, IncidentEvent, Part
from models.people import Role
from models.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class IncidentViews:
    """Turns incidents into answers, at one moment and with one reading of the names."""

    names: Names
    taxonomy: Taxonomy
    now: datetime

    def incident(self, incident: Incident, *, viewer: Viewer) -> IncidentOut:
        called = any(part.person_id == viewer.person.person_id for part in incident.open_parts)
        return self.incident_for(incident, role=viewer.person.role, owns=viewer.owns(incident), called=called)

    def incident_for(self, incident: Incident, *, role: Role, owns: bool, called: bool = False) -> IncidentOut:
        """The same for everyone of this role who does, or does not, have it in hand, or a part of it."""
        subcategory, category = self._kind(incident.subcategory)
        return IncidentOut(
            incident_id=incident.incident_id,
            number=incident.number,
            subcategory=subcategory,
            category=category,
            state=incident.state,
            camera_id=incident.camera_id,
            camera_name=self.names.camera_name(incident.camera_id),
            cell_id=incident.cell_id,
            cell_name=self.names.cell_name(incident.cell_id),
            position=incident.position,
            box=incident.box.xyxy if incident.box else None,
            why=TextOut(zh=incident.why.zh, en=incident.why.en),
            confidence=incident.confidence,
            sightings=incident.sightings,
            opened_at=incident.opened_at,
            last_seen_at=incident.last_seen_at,
            assignment=self._assignment(incident.assignment),
            overdue=is_overdue(incident, self.now),
            evidence=[EvidenceOut(picture=e.picture, role=e.role, taken_at=e.taken_at) for e in incident.evidence],
            reworks=incident.reworks,
            returns=incident.returns,
            extensions=incident.extensions,
            closed_at=incident.closed_at,
            parts=[self._part(part) for part in incident.parts],
            worst_picture=incident.worst_picture,
            merged_into=incident.merged_into,
            steps=steps_offered(incident, role=role, is_assignee=owns, holds_part=called),
        )

    def detail(self, incident: Incident, *, timeline: Iterable[IncidentEvent], viewer: Viewer) -> IncidentDetail:
        shown = self.incident(incident, viewer=viewer)
        return IncidentDetail(**dict(shown), timeline=[self.event(event) for event in timeline])

    def event(self, event: IncidentEvent) -> EventOut:
        actor = event.actor
        return EventOut(
            seq=event.seq,
            incident_id=event.incident_id,
            kind=event.kind,
            at=event.at,
            actor=ActorOut(role=actor.role, actor_id=actor.actor_id, name=self.names.actor_name(actor)),
            before=event.before,
            after=event.after,
            data=self._named(dict(event.data)),
        )

    def _named(self, data: dict[str, object]) -> dict[str, object]:
        """A worker's page has no list of people, so the names come along."""
        for key in ("person", "from"):
            if isinstance(person_id := data.get(key), str):
                data[f"{key}_name"] = self.names.person_name(person_id)
        return data

    def _assignment(self, assignment: Assignment | None) -> AssignmentOut | None:
        if assignment is None:
            return None
        return AssignmentOut(
            person_id=assignment.person_id,
            person_name=self.names.person_name(assignment.person_id),
            department=assignment.department_id,
            assigned_at=assignment.assigned_at,
            due_at=assignment.due_at,
        )

    def _part(self, part: Part) -> PartOut:
        return PartOut(
            part=part.part,
            department=part.department_id,
            person_id=part.person_id,
            person_name=self.names.person_name(part.person_id),
            task=part.task,
            called_at=part.called_at,
            due_at=part.due_at,
            done_at=part.done_at,
        )

    def _kind(self, code: SubcategoryCode) -> tuple[Named, str]:
        """A code that has left the taxonomy still names its old incidents."""
        known = self.taxonomy.subcategories.get(code)
        if known is None:
            return Named(code=code, zh=code, en=code), ""
        return Named(code=code, zh=known.zh, en=known.en), known.category
