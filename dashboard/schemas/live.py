"""What the live feed (SSE) and the worker's MQTT topics carry.

They are not answers of any route, but the front end reads them, so they are in the OpenAPI document too.
SSE event names: snapshot, incident, gone, cameras, counts, health, end.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from dashboard.schemas.base import Out, TextOut
from dashboard.schemas.cameras import CameraOut, CameraStateOut
from dashboard.schemas.incidents import EventOut, IncidentOut, StepData
from models.incidents import IncidentState
from models.lifecycle import Step


class LiveCounts(Out):
    """Today in one line. looks, inferred: since the watch started; the others: since local midnight."""

    looks: int
    inferred: int
    opened: int
    received: int
    resolved: int
    verified: int
    false_alarms: int


class LiveHealth(Out):
    """behind_s: how far the looks are behind their promise; spool: finds not yet committed."""

    behind_s: float
    broker: bool
    spool: int
    cameras: int
    offline: int
    counters: dict[str, float]


class LiveSnapshot(Out):
    """Everything to draw the page from nothing. more: open incidents beyond the limit were left out."""

    seq: int
    incidents: list[IncidentOut]
    cameras: list[CameraOut]
    counts: LiveCounts
    health: LiveHealth
    more: bool


class LiveIncident(Out):
    """One event and the incident as it is now; the SSE id is `seq`."""

    seq: int
    event: EventOut
    incident: IncidentOut


class LiveGone(Out):
    """This incident is no longer the viewer's to see (another's task now): take it off the page."""

    seq: int
    incident_id: str


class LiveCameras(Out):
    """Only those that changed since the last message, at most once a second."""

    states: list[CameraStateOut]


class LiveEnd(Out):
    """The stream ends on purpose; after `signed_out` reconnecting is answered 401."""

    reason: Literal["signed_out", "shutdown"]


class TaskMessage(Out):
    """MQTT, tasks topic."""

    v: Literal[1]
    seq: int
    kind: Literal["assigned", "rework", "recalled", "reminder", "part", "part_done", "escalated", "appeal"]
    incident: IncidentOut


class ReplyMessage(Out):
    """MQTT, replies topic; key: a UUID, the same on every retry. `seen` is no step but a fact worth knowing."""

    v: Literal[1]
    key: str
    incident: str
    step: Step | Literal["seen"]
    at: AwareDatetime
    data: StepData


class AnswerMessage(Out):
    """MQTT, answers topic: what became of the reply with this key."""

    v: Literal[1]
    key: str
    ok: bool
    state: IncidentState | None
    message: TextOut


def live_models() -> list[type[Out]]:
    return [
        LiveSnapshot, LiveIncident, LiveGone, LiveCameras, LiveCounts, LiveHealth, LiveEnd,
        TaskMessage, ReplyMessage, AnswerMessage,
    ]  # fmt: skip


def live_schemas() -> dict[str, Any]:
    """Their JSON schemas by name, with references as OpenAPI writes them."""
    from pydantic.json_schema import models_json_schema

    _, document = models_json_schema(
        [(model, "serialization") for model in live_models()], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = document["$defs"]
    return schemas
