"""A watch node's message becomes one transaction: opened, attached, verified, or noted as done before."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from dispatch.directory import read_directory
from dispatch.events import append, find_event, find_incident, next_number, read_incidents
from dispatch.followups import SYSTEM, follow_up
from dispatch.opening import Attach, Open, Reopen, decide
from dispatch.projection import evidence_data
from dispatch.routing import CameraPlace, cell_at
from dispatch.rows import INCIDENT
from dispatch.steps import take_step
from dispatch.store.store import StoreSession
from dispatch.verification import take_applied, take_verification
from dispatch.wire import read_applied, read_observation, read_verification
from models.errors import NotFoundError, PayloadError
from models.geometry import Box, Point
from models.ids import CameraId, IncidentId, NodeId
from models.incidents import FINISHED, Happening, Incident, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.observations import Observation
from models.people import Actor, Role
from models.text import Text
from models.wire import moment

Message = Mapping[str, Any]

_KNOWN = select(INCIDENT).where(
    INCIDENT.c.camera_id == bindparam("camera"),
    INCIDENT.c.subcategory == bindparam("subcategory"),
    INCIDENT.c.state.not_in([state.value for state in FINISHED]) | (INCIDENT.c.closed_at >= bindparam("since")),
)


def commit_message(
    session: StoreSession, message: Message, *, now: datetime, node_id: NodeId | str | None = None
) -> IncidentEvent | None:
    """Does what the message asks, once; None when it had been done before or needs no event.

    node_id: whose topic it came on. Raises PayloadError for a message that cannot be used: the caller's
    transaction then holds nothing of it.
    """
    if node_id is not None and message.get("node") != node_id:
        raise PayloadError(f"node is {message.get('node')!r}, but the message came on the topic of {node_id!r}")
    kind = message.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise PayloadError(f"type is {kind!r}, not one of {', '.join(_READERS)}")
    return reader(session, message, now)


def take_observation(session: StoreSession, observation: Observation, *, now: datetime) -> IncidentEvent | None:
    """Opens, attaches or reopens."""
    if find_event(session, cause=observation.key):
        return None
    camera = read_directory(session).camera_by_id.get(observation.camera_id)
    if camera is None:
        raise PayloadError(f"camera {observation.camera_id!r} is not known here: add it, then send again")
    try:
        session.practice.subcategory(observation.subcategory)
    except NotFoundError as error:
        raise PayloadError(str(error)) from error
    known = _known(session, observation, now)
    match decide(known, observation, reopening=session.practice.patience.reopening):
        case Open():
            return _open(session, observation, camera, now)
        case Attach(incident_id):
            return _attach(session, observation, incident_id, now)
        case Reopen(incident_id):
            return _reopen(session, observation, incident_id, now)


def open_incident(
    session: StoreSession,
    *,
    actor: Actor,
    subcategory: str,
    position: Point,
    why: Text,
    now: datetime,
    cause: str,
    camera_id: CameraId | None = None,
    box: Box | None = None,
    confidence: float = 1.0,
    seen_at: datetime | None = None,
    first_seen_at: datetime | None = None,
    evidence: list[dict[str, str]] | None = None,
) -> IncidentEvent:
    """Writes the opening; routing and telling the worker follow in the same transaction."""
    cell = cell_at(position, read_directory(session).cells)
    event = append(
        session,
        incident_id=IncidentId(str(uuid.uuid4())),
        kind=Step.OPEN,
        actor=actor,
        at=now,
        after=IncidentState.OPENED,
        cause=cause,
        data={
            "number": next_number(session),
            "subcategory": subcategory,
            "camera": camera_id,
            "cell": None if cell is None else cell.cell_id,
            "position": list(position),
            "box": None if box is None else list(box.xyxy),
            "why": {"zh": why.zh, "en": why.en},
            "confidence": confidence,
            "first_seen_at": moment(first_seen_at or now),
            "seen_at": moment(seen_at or now),
            "evidence": evidence or [],
        },
    )
    follow_up(session, find_incident(session, event.incident_id), event, take=take_step)
    return event


def _open(session: StoreSession, observation: Observation, camera: CameraPlace, now: datetime) -> IncidentEvent:
    return open_incident(
        session,
        actor=_camera_actor(observation),
        subcategory=observation.subcategory,
        position=camera.position,
        why=observation.why,
        now=now,
        cause=observation.key,
        camera_id=camera.camera_id,
        box=observation.box,
        confidence=observation.confidence,
        seen_at=observation.captured_at,
        first_seen_at=observation.first_seen_at,
        evidence=evidence_data(observation.evidence),
    )


def _attach(session: StoreSession, observation: Observation, incident_id: IncidentId, now: datetime) -> IncidentEvent:
    incident = find_incident(session, incident_id)
    while incident.merged_into is not None:  # only unfinished incidents take others in, so this ends
        incident = find_incident(session, incident.merged_into)
    return append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.ATTACHED,
        actor=_camera_actor(observation),
        at=now,
        after=incident.state,
        cause=observation.key,
        data=_sighting(observation),
    )


def _reopen(session: StoreSession, observation: Observation, incident_id: IncidentId, now: datetime) -> IncidentEvent:
    return take_step(
        session,
        incident_id=incident_id,
        step=Step.REOPEN,
        actor=SYSTEM,
        now=now,
        cause=observation.key,
        data=_sighting(observation) | {"reason": "seen again", "camera": observation.camera_id},
    )


def _known(session: StoreSession, observation: Observation, now: datetime) -> list[Incident]:
    """Unfinished incidents at this camera of this kind, and those finished so lately that they may matter."""
    since = min(observation.captured_at, now) - session.practice.patience.reopening
    wanted = {"camera": observation.camera_id, "subcategory": observation.subcategory, "since": since}
    return read_incidents(session, _KNOWN, wanted)


def _sighting(observation: Observation) -> dict[str, Any]:
    return {
        "box": list(observation.box.xyxy),
        "confidence": observation.confidence,
        "seen_at": moment(observation.captured_at),
        "why": {"zh": observation.why.zh, "en": observation.why.en},
        "evidence": evidence_data(observation.evidence),
    }


def _camera_actor(observation: Observation) -> Actor:
    return Actor(Role.CAMERA, observation.camera_id)


_READERS: Mapping[str, Callable[[StoreSession, Message, datetime], IncidentEvent | None]] = {
    "observation": lambda session, message, now: take_observation(session, read_observation(message, now=now), now=now),
    "verification": lambda session, message, now: take_verification(
        session, read_verification(message, now=now), now=now
    ),
    "applied": lambda session, message, now: take_applied(session, read_applied(message), now=now),
}
