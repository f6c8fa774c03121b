"""The HTTP API in types: what goes over the wire, and nothing else.

The front end's types are generated from these (`python -m dashboard.openapi`), so a name changed here is a name
changed on every page. Times are UTC and end in "Z"; positions are (longitude, latitude); boxes and polygons are
fractions of the picture.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from models.incidents import IncidentState
from models.lifecycle import Step
from models.observations import EvidenceRole
from models.people import Role
from models.places import CameraCondition, Flaw, Trouble, ZoneKind
from models.taxonomy import SeenBy

Position = tuple[float, float]
BoxOut = tuple[float, float, float, float]

# Ids are opaque, but they travel in paths, topics and logs: no slashes, no control characters, no novels.
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
PictureName = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Where a page ends: an incident's number. Larger than any database integer would be a fault, not an empty page.
NumberBefore = Annotated[int, Field(ge=1, le=2**31)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Out(BaseModel):
    """An answer: built by us, frozen, fields with defaults still always present."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class In(BaseModel):
    """A request: from outside, so an unknown field is an error and not a silent misunderstanding."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class TextOut(Out):
    zh: str
    en: str


class Named(Out):
    """A code of some list with its words."""

    code: str
    zh: str
    en: str


class ErrorBody(Out):
    """`code` is for programs; the sentences are for people. `state`: a refused step's incident stands here now.

    `retry_after_s`: how long to wait before the same request can succeed, where waiting helps.
    """

    code: str
    zh: str
    en: str
    state: IncidentState | None = None
    retry_after_s: int | None = None


class ErrorOut(Out):
    error: ErrorBody


class SignIn(In):
    # Argon2 reads the whole password: 256 characters are more than anyone types and bound the work.
    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class Me(Out):
    person_id: str
    name: str
    role: Role
    department: str
    cells: list[str]


class SubcategoryOut(Out):
    code: str
    zh: str
    en: str
    national_code: str | None
    limit: str
    department: str
    seen_by: SeenBy


class CategoryOut(Out):
    code: str
    zh: str
    en: str
    subcategories: list[SubcategoryOut]


class CellOut(Out):
    """boundary: the outer ring, (longitude, latitude) corners, first not repeated at the end."""

    cell_id: str
    code: str
    name: str
    boundary: list[Position]


class DepartmentOut(Out):
    department_id: str
    zh: str
    en: str


class PersonOut(Out):
    person_id: str
    name: str
    role: Role
    department: str
    cells: list[str]


class DistrictOut(Out):
    """people: empty for workers."""

    name: TextOut
    cells: list[CellOut]
    departments: list[DepartmentOut]
    people: list[PersonOut]


class ZoneOut(Out):
    name: str
    kind: ZoneKind
    polygon: list[Position]


class FlawOut(Out):
    """What is wrong with the pictures a camera gives, and what an operator does about it."""

    flaw: Flaw
    zh: str
    en: str


class CameraStateOut(Out):
    """The part of a camera that changes by itself; `message` says what its trouble is, in English.

    flaws: of a camera that does give pictures, the gravest first; such a camera finds little or nothing.
    """

    camera_id: str
    condition: CameraCondition
    since: AwareDatetime | None
    last_look_at: AwareDatetime | None
    next_look_at: AwareDatetime | None
    trouble: Trouble | None
    message: str
    looks: int
    inferred: int
    flaws: list[FlawOut]


class CameraOut(CameraStateOut):
    name: str
    position: Position
    bearing_deg: float | None
    zones: list[ZoneOut]
    cell_id: str | None


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


class MqttOut(Out):
    ws_url: str
    username: str
    password: str
    client_id: str
    tasks_topic: str
    replies_topic: str
    answers_topic: str
    expires_at: AwareDatetime


class Ratio(Out):
    """value: null where the denominator is 0; show "–", never 0 or 100 %."""

    numerator: int
    denominator: int
    value: float | None


class Funnel(Out):
    reported: int
    opened: int
    received: int
    accepted: int
    resolved: int
    verified: int
    closed: int
    rejected: int


class FunnelOut(Out):
    since: AwareDatetime
    until: AwareDatetime
    cell: str | None
    funnel: Funnel


class IndicatorRow(Out):
    """One cell, person or subcategory; `key` null gathers incidents that have none (outside every cell, say).

    handled: resolved of opened; on_time: resolved before the deadline, of resolved; closed: closed of opened;
    rework: sent back, of verified; returned: returned, of opened; false_alarms: rejected, of those cameras found.
    Means are seconds over the incidents that got there, null when none did.
    """

    key: str | None
    zh: str
    en: str
    funnel: Funnel
    handled: Ratio
    on_time: Ratio
    closed: Ratio
    rework: Ratio
    returned: Ratio
    false_alarms: Ratio
    mean_to_accept_s: float | None
    mean_to_resolve_s: float | None
    mean_to_close_s: float | None


class IndicatorTable(Out):
    since: AwareDatetime
    until: AwareDatetime
    rows: list[IndicatorRow]


class CoverageRow(Out):
    """What the loaded weights see of one subcategory. precision, recall: of what the rule tells, or where that was not
    measured, of the detection it stands on (evidence says which); null where nothing was measured. assist_only: seen
    by cameras, but not measured well enough to send anybody without a person looking first.
    """

    code: str
    zh: str
    en: str
    seen_by: SeenBy
    precision: float | None
    recall: float | None
    evidence: TextOut
    assist_only: bool


class HealthOut(Out):
    status: Literal["ok", "degraded"]
    version: str
