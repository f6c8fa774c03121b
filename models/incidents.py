"""The incident (案卷), who it is assigned to, and the append-only events it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.geometry import Box, Point
from models.ids import CameraId, CellId, DepartmentId, IncidentId, PersonId, PictureHash, SubcategoryCode
from models.observations import Evidence
from models.people import Actor
from models.text import Text


class IncidentState(StrEnum):
    """Where an incident stands. `models.lifecycle` says how it moves."""

    SUSPECTED = "suspected"
    OPENED = "opened"
    ASSIGNED = "assigned"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    VERIFYING = "verifying"
    CLOSED = "closed"
    RETURNED = "returned"
    REWORK = "rework"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    MERGED = "merged"


FINISHED = frozenset({IncidentState.CLOSED, IncidentState.REJECTED, IncidentState.MERGED})
"""States in which nobody owes anything."""

OWED_STATES = frozenset({IncidentState.ASSIGNED, IncidentState.RECEIVED, IncidentState.ACCEPTED, IncidentState.REWORK})
"""States in which the assignee has something to do."""


class Happening(StrEnum):
    """What is told in the log though it is no step: the incident's state stays as it is."""

    ATTACHED = "attached"
    DETACHED = "detached"
    PUBLISHED = "published"
    SEEN = "seen"
    ESCALATED = "escalated"
    REMINDED = "reminded"
    CANNOT_TELL = "cannot_tell"
    CLOCK = "clock"
    PART_PASSED = "part_passed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who has the incident now and until when (UTC). `due_at` is None where the subcategory has no limit.

    limit: in force when the clock started, e.g. "2u"; None in records older than limits with effective dates.
    """

    person_id: PersonId
    department_id: DepartmentId
    assigned_at: datetime
    due_at: datetime | None
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The share of a further department that a leader has called in (吹哨): its own queue, clock and piece of work.

    part: counts from 1 within the incident; task: what this department is to do, in the leader's words.
    """

    part: int
    department_id: DepartmentId
    person_id: PersonId
    task: str
    called_at: datetime
    due_at: datetime | None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A street problem on its way from opened to closed; the fold of its events.

    position: (longitude, latitude); sightings: how many observations are attached; confidence: the
    highest of them; number: short running number people say on the phone; suspended_at: set while the clock
    is paused (挂账); merged_into: the incident that tells this one's story further; parts: what further
    departments have been called in for; worst: the picture on which the thing was largest, and its share of that
    picture.
    """

    incident_id: IncidentId
    number: int
    subcategory: SubcategoryCode
    state: IncidentState
    camera_id: CameraId | None
    cell_id: CellId | None
    position: Point
    box: Box | None
    why: Text
    confidence: float
    sightings: int
    opened_at: datetime
    last_seen_at: datetime
    assignment: Assignment | None = None
    evidence: tuple[Evidence, ...] = ()
    reworks: int = 0
    returns: int = 0
    extensions: int = 0
    closed_at: datetime | None = None
    suspended_at: datetime | None = None
    merged_into: IncidentId | None = None
    parts: tuple[Part, ...] = ()
    worst_picture: PictureHash | None = None
    worst_area: float = 0.0

    @property
    def open_parts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.done_at is None)


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One thing that happened; never changed, never removed.

    seq: grows over all incidents, the live feed's id; kind: a `models.lifecycle.Step` or a `Happening`; cause: the
    idempotency key of the message that caused it, "" for the system's own; before, after: states, equal for kinds
    that are no step.
    """

    seq: int
    incident_id: IncidentId
    kind: str
    at: datetime
    actor: Actor
    before: IncidentState | None
    after: IncidentState
    cause: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
