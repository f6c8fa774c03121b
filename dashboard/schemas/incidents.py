"""Incidents, their events and what people do about them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from dashboard.schemas.base import BoxOut, Fraction, Identifier, In, Named, Out, PictureName, Position, TextOut
from models.incidents import IncidentState
from models.lifecycle import Step
from models.observations import EvidenceRole
from models.people import Role


class AssignmentOut(Out):
    person_id: str
    person_name: str
    department: str
    assigned_at: AwareDatetime
    due_at: AwareDatetime | None


class EvidenceOut(Out):
    """picture: its name under /api/pictures/{picture}.jpg."""

    picture: str
    role: EvidenceRole
    taken_at: AwareDatetime


class PartOut(Out):
    """What a further department has been called in for (吹哨); done_at null while it is open."""

    part: int
    department: str
    person_id: str
    person_name: str
    task: str
    called_at: AwareDatetime
    due_at: AwareDatetime | None
    done_at: AwareDatetime | None


class IncidentOut(Out):
    """An incident as every page and the worker's task message show it.

    category: its code, words in /api/taxonomy; steps: what the asker may do to it now; in a task message, what
    the person it is sent to may do.
    """

    incident_id: str
    number: int
    subcategory: Named
    category: str
    state: IncidentState
    camera_id: str | None
    camera_name: str | None
    cell_id: str | None
    cell_name: str | None
    position: Position
    box: BoxOut | None
    why: TextOut
    confidence: float
    sightings: int
    opened_at: AwareDatetime
    last_seen_at: AwareDatetime
    assignment: AssignmentOut | None
    overdue: bool
    evidence: list[EvidenceOut]
    reworks: int
    returns: int
    extensions: int
    closed_at: AwareDatetime | None
    parts: list[PartOut]
    worst_picture: str | None
    merged_into: str | None
    steps: list[Step]


class ActorOut(Out):
    """name: the person's or camera's; empty where there is none."""

    role: Role
    actor_id: str
    name: str


class EventOut(Out):
    """One line of an incident's timeline. kind: a step, or attached, published, seen, escalated, reminded."""

    seq: int
    incident_id: str
    kind: str
    at: AwareDatetime
    actor: ActorOut
    before: IncidentState | None
    after: IncidentState
    data: dict[str, Any]


class IncidentDetail(IncidentOut):
    timeline: list[EventOut]


class IncidentPage(Out):
    """next_before: give it as `before` for the next page; null when this was the last."""

    incidents: list[IncidentOut]
    next_before: int | None


class StepData(In):
    """What a step brings along; which of them it needs is in the lifecycle table."""

    photo: PictureName | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    person: Identifier | None = None
    # A year: the longest suspension the rules know.
    minutes: Annotated[int, Field(ge=1, le=366 * 24 * 60)] | None = None
    into: Identifier | None = None
    # Sightings split off, by the seq of their events.
    events: Annotated[list[int], Field(min_length=1, max_length=200)] | None = None
    department: Identifier | None = None
    part: Annotated[int, Field(ge=1, le=99)] | None = None


class StepIn(In):
    """key: chosen by the page, once per press of the button; the same key again changes nothing."""

    step: Step
    key: Identifier
    data: StepData = StepData()


class ReportIn(In):
    """An operator's own find on a camera's latest picture. key: as in StepIn."""

    camera_id: Identifier
    subcategory: Identifier
    box: tuple[Fraction, Fraction, Fraction, Fraction] | None = None
    note: Annotated[str, Field(max_length=500)] = ""
    key: Identifier | None = None


class PictureOut(Out):
    picture: str


class TasksOut(Out):
    """seq: the log's position this list was read at; task messages with a greater seq are newer."""

    seq: int
    tasks: list[IncidentOut]
