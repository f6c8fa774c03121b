"""Problems people report: from a camera's picture, or from the street. The same incident, the same life."""

from __future__ import annotations

from datetime import datetime

from dispatch.directory import read_directory
from dispatch.events import find_event, find_incident
from dispatch.intake import open_incident
from dispatch.projection import evidence_data
from dispatch.store.store import StoreSession
from models.errors import NotFoundError, PayloadError
from models.geometry import Box, Point
from models.ids import CameraId
from models.incidents import Incident
from models.observations import Evidence
from models.people import Actor
from models.text import Text

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
    """Opens an incident for what a person saw; told twice with one key, it is one.

    Raises NotFoundError for an unknown camera or subcategory, PayloadError without a place.
    """
    if done := find_event(session, cause=key):
        return find_incident(session, done.incident_id)
    known = session.practice.subcategory(subcategory)
    if len(note) > LONGEST_NOTE:
        raise PayloadError(f"the note has {len(note)} characters, {LONGEST_NOTE} are allowed")
    event = open_incident(
        session,
        actor=actor,
        subcategory=subcategory,
        position=position or _position(session, camera_id),
        why=Text(f"人工上报：{note or known.zh}", f"reported by a person: {note or known.en}"),
        now=now,
        cause=key,
        camera_id=None if camera_id is None else CameraId(camera_id),
        box=box,
        evidence=evidence_data(evidence),
    )
    return find_incident(session, event.incident_id)


def _position(session: StoreSession, camera_id: str | None) -> Point:
    if camera_id is None:
        raise PayloadError("a report needs a camera or a position")
    camera = read_directory(session).camera_by_id.get(camera_id)
    if camera is None:
        raise NotFoundError(f"There is no camera {camera_id!r}")
    return camera.position
