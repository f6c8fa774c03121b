"""A watch node's message becomes one transaction: opened, attached, verified, or noted as done before."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dispatch.directory import read_directory
from dispatch.events import append, expect_causes, find_event, find_incident, load_incidents, next_number
from dispatch.followups import SYSTEM, follow_up
from dispatch.known import expect_sightings, known_around, note_opened
from dispatch.opening import Attach, Open, Reopen, Sighting, decide
from dispatch.projection import evidence_data
from dispatch.routing import cell_at
from dispatch.sightlines import CameraPlace, ground_of
from dispatch.steps import take_step
from dispatch.store.store import StoreSession
from dispatch.verification import take_applied, take_verification
from dispatch.wire import read_applied, read_observation, read_verification
from models.errors import NotFoundError, PayloadError
from models.geometry import Box, Point
from models.ids import CameraId, IncidentId, NodeId
from models.incidents import Happening, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.observations import Observation
from models.people import Actor, Role
from models.text import Text
from models.wire import moment

Message = Mapping[str, Any]


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


def expect(session: StoreSession, messages: list[dict[str, Any]], *, now: datetime) -> None:
    """Reads at once what a batch of observations and replies will ask for one by one."""
    if len(messages) < 2:
        return
    told = [message for message in messages if message.get("type") == "observation"]
    expect_causes(session, {key for message in told if isinstance(key := message.get("key"), str)})
    load_incidents(session, {one for message in messages if isinstance(one := message.get("incident"), str)})
    sighted = {spot for message in told if (spot := _spot(message)) is not None}
    moments = [captured for message in told if (captured := _captured(message)) is not None]
    if sighted:
        expect_sightings(session, sighted, since=min([now, *moments]) - session.practice.patience.reopening)


def _spot(message: Message) -> tuple[str, str] | None:
    camera, kind = message.get("camera"), message.get("subcategory")
    return (camera, kind) if isinstance(camera, str) and isinstance(kind, str) else None


def _captured(message: Message) -> datetime | None:
    try:
        taken = datetime.fromisoformat(str(message.get("captured_at")))
    except ValueError:
        return None
    return taken if taken.tzinfo is not None else None


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
    sighting = Sighting(
        camera_id=observation.camera_id,
        subcategory=observation.subcategory,
        seen_at=observation.captured_at,
        box=observation.box,
        ground=ground_of(camera, observation.box),
    )
    match decide(known_around(session, sighting, now=now), sighting, reopening=session.practice.patience.reopening):
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
    assist: bool = False,
    more: Mapping[str, Any] | None = None,
) -> IncidentEvent:
    """Writes the opening; routing and telling the worker follow in the same transaction.

    assist: nobody is sent before an operator has confirmed it; more: what else its opening is to tell.
    """
    cell = cell_at(position, read_directory(session).cells)
    event = append(
        session,
        incident_id=IncidentId(str(uuid.uuid4())),
        kind=Step.OPEN,
        actor=actor,
        at=now,
        after=IncidentState.SUSPECTED if assist else IncidentState.OPENED,
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
            **(more or {}),
        },
    )
    note_opened(session, find_incident(session, event.incident_id))
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
        assist=observation.assist,
    )


def _attach(session: StoreSession, observation: Observation, incident_id: IncidentId, now: datetime) -> IncidentEvent:
    actor = _camera_actor(observation)
    return attach(
        session,
        incident_id,
        actor=actor,
        now=now,
        cause=observation.key,
        data=_sighting(observation),
        sure=not observation.assist,
    )


def attach(
    session: StoreSession,
    incident_id: IncidentId,
    *,
    actor: Actor,
    now: datetime,
    cause: str,
    data: Mapping[str, Any],
    sure: bool = True,
) -> IncidentEvent:
    """One more sighting; one that needs nobody's word confirms an incident that waited for it."""
    incident = find_incident(session, incident_id)
    while incident.merged_into is not None:  # only unfinished incidents take others in, so this ends
        incident = find_incident(session, incident.merged_into)
    event = append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.ATTACHED,
        actor=actor,
        at=now,
        after=incident.state,
        cause=cause,
        data=data,
    )
    if sure and incident.state is IncidentState.SUSPECTED:
        take_step(session, incident_id=incident.incident_id, step=Step.CONFIRM, actor=SYSTEM, now=now)
    return event


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
