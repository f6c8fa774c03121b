"""Problems people report: from a camera's picture, or from the street. The same incident, the same life."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch.directory import read_directory
from dispatch.events import find_event, find_incident
from dispatch.followups import SYSTEM
from dispatch.intake import attach, open_incident
from dispatch.known import known_around
from dispatch.opening import Attach, Open, Reopen, Sighting, decide
from dispatch.projection import evidence_data
from dispatch.sightlines import Ground, ground_of, phone
from dispatch.steps import take_step
from dispatch.store.store import StoreSession
from models.errors import NotFoundError, PayloadError
from models.geometry import Box, Point
from models.ids import CameraId
from models.incidents import Incident
from models.lifecycle import Step
from models.observations import Evidence
from models.people import Actor
from models.text import Text
from models.wire import moment

LONGEST_NOTE = 500
"""Characters; a note is read on a phone."""


def report(
    session: StoreSession,
    *,
    actor: Actor,
    subcategory: str,
    now: datetime,
    key: str,
    note: str = "",
    camera_id: str | None = None,
    position: Point | None = None,
    box: Box | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Incident:
    """Opens an incident for what a person saw, or adds to the one that is known there; told twice with one key, once.

    Raises NotFoundError for an unknown camera or subcategory, PayloadError without a place.
    """
    if done := find_event(session, cause=key):
        return find_incident(session, done.incident_id)
    known = session.practice.subcategory(subcategory)
    if len(note) > LONGEST_NOTE:
        raise PayloadError(f"the note has {len(note)} characters, {LONGEST_NOTE} are allowed")
    place = position or _position(session, camera_id)
    why = Text(f"人工上报：{note or known.zh}", f"reported by a person: {note or known.en}")
    sighting = Sighting(
        camera_id=None if camera_id is None else CameraId(camera_id),
        subcategory=known.code,
        seen_at=now,
        box=box,
        ground=_ground(session, camera_id, box, place),
    )
    around = known_around(session, sighting, now=now)
    match decide(around, sighting, reopening=session.practice.patience.reopening):
        case Attach(incident_id):
            event = attach(session, incident_id, actor=actor, now=now, cause=key, data=_told(why, now, evidence, place))
        case Reopen(incident_id):
            event = take_step(
                session,
                incident_id=incident_id,
                step=Step.REOPEN,
                actor=SYSTEM,
                now=now,
                cause=key,
                data=_told(why, now, evidence, place) | {"reason": "reported again", "reporter": actor.actor_id},
            )
        case Open():
            event = open_incident(
                session,
                actor=actor,
                subcategory=subcategory,
                position=place,
                why=why,
                now=now,
                cause=key,
                camera_id=sighting.camera_id,
                box=box,
                evidence=evidence_data(evidence),
            )
    return find_incident(session, event.incident_id)


def _ground(session: StoreSession, camera_id: str | None, box: Box | None, place: Point) -> Ground:
    if camera_id is None:
        return phone(place)
    return ground_of(read_directory(session).camera_by_id[CameraId(camera_id)], box)


def _told(why: Text, now: datetime, evidence: tuple[Evidence, ...], place: Point) -> dict[str, Any]:
    return {
        "confidence": 1.0,
        "seen_at": moment(now),
        "why": {"zh": why.zh, "en": why.en},
        "evidence": evidence_data(evidence),
        "position": list(place),
    }


def _position(session: StoreSession, camera_id: str | None) -> Point:
    if camera_id is None:
        raise PayloadError("a report needs a camera or a position")
    camera = read_directory(session).camera_by_id.get(camera_id)
    if camera is None:
        raise NotFoundError(f"There is no camera {camera_id!r}")
    return camera.position
