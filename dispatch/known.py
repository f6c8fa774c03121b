"""Which incidents a sighting is compared with: those of its camera, of cameras that may see the same ground, and what
people reported from the street nearby."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select

from dispatch.directory import read_directory
from dispatch.events import load_incidents, read_incidents
from dispatch.opening import Known, Sighting
from dispatch.routing import Directory
from dispatch.rows import INCIDENT
from dispatch.sightlines import METRES_A_DEGREE, RANGE_M, REPORT_RANGE_M, Ground, ground_of, phone
from dispatch.store.store import StoreSession
from models.incidents import FINISHED, Incident

_MATTERS = INCIDENT.c.state.not_in([state.value for state in FINISHED]) | (
    INCIDENT.c.closed_at >= bindparam("since", type_=INCIDENT.c.closed_at.type)
)

NEAR_DEGREES = (RANGE_M + REPORT_RANGE_M) / METRES_A_DEGREE * 1.5
"""Half the side of the square in which reports from the street are looked for; half as much again for the longitude."""

_OF_CAMERAS = select(INCIDENT).where(INCIDENT.c.camera_id.in_(bindparam("cameras", expanding=True)), _MATTERS)
_FROM_THE_STREET = select(INCIDENT).where(INCIDENT.c.camera_id.is_(None), _MATTERS)
_KIND = INCIDENT.c.subcategory == bindparam("subcategory")
_NAMES_OF_MANY = select(INCIDENT.c.incident_id, INCIDENT.c.camera_id, INCIDENT.c.subcategory).where(
    or_(INCIDENT.c.camera_id.is_(None), INCIDENT.c.camera_id.in_(bindparam("cameras", expanding=True))),
    INCIDENT.c.subcategory.in_(bindparam("kinds", expanding=True)),
    _MATTERS,
)

Spot = tuple[str | None, str]
"""A camera (None: from the street) and a subcategory."""


@dataclass(slots=True)
class Around:
    """The ids that matter in one transaction, by spot. spots: those all of whose incidents are known."""

    spots: frozenset[Spot]
    ids: dict[Spot, list[str]] = field(default_factory=lambda: defaultdict(list))


def expect_sightings(session: StoreSession, sighted: Collection[tuple[str, str]], *, since: datetime) -> None:
    """Reads at once what sightings will be compared with, for a caller with many of them. sighted: camera and
    subcategory of each."""
    directory = read_directory(session)
    spots: set[Spot] = {(one, kind) for camera, kind in sighted for one in directory.neighbours.get(camera, ())}
    spots |= {(None, kind) for _, kind in sighted}
    around = Around(frozenset(spots))
    values = {
        "cameras": sorted({camera for camera, _ in spots if camera is not None}),
        "kinds": sorted({kind for _, kind in spots}),
        "since": since,
    }
    for incident_id, camera_id, subcategory in session.line.execute(_NAMES_OF_MANY, values).all():
        if (camera_id, subcategory) in spots:
            around.ids[camera_id, subcategory].append(incident_id)
    load_incidents(session, [one for ids in around.ids.values() for one in ids])
    session.info["around"] = around


def note_opened(session: StoreSession, incident: Incident) -> None:
    """An incident opened in this transaction is one that the next sighting may belong to."""
    around: Around = session.info.setdefault("around", Around(frozenset()))
    around.ids[incident.camera_id, incident.subcategory].append(incident.incident_id)


def known_around(session: StoreSession, sighting: Sighting, *, now: datetime) -> list[Known]:
    """Unfinished incidents of this kind around the place, and those finished so lately that they may matter."""
    directory = read_directory(session)
    cameras = _cameras(directory, sighting)
    around: Around | None = session.info.get("around")
    since = min(sighting.seen_at, now) - session.practice.patience.reopening
    spots: list[Spot] = [(camera, sighting.subcategory) for camera in (*cameras, None)]
    if around is None or not around.spots.issuperset(spots) or sighting.camera_id is None:
        return _placed(directory, _read(session, sighting, cameras, since))
    ids = [one for spot in spots for one in around.ids.get(spot, ())]
    return _placed(directory, [session.incidents[one] for one in ids])


def ground_known(directory: Directory, incident: Incident) -> Ground | None:
    """Where an incident is on the map: the camera's estimate, or the reporter's position."""
    if incident.camera_id is None:
        return phone(incident.position)
    camera = directory.camera_by_id.get(incident.camera_id)
    return None if camera is None else ground_of(camera, incident.box)


def _cameras(directory: Directory, sighting: Sighting) -> tuple[str, ...]:
    if sighting.camera_id is not None:
        return directory.neighbours.get(sighting.camera_id, (sighting.camera_id,))
    if sighting.ground is None:
        return ()
    x, y = sighting.ground.position
    return tuple(
        camera.camera_id
        for camera in directory.cameras
        if abs(camera.position[1] - y) <= NEAR_DEGREES and abs(camera.position[0] - x) <= NEAR_DEGREES
    )


def _read(session: StoreSession, sighting: Sighting, cameras: Iterable[str], since: datetime) -> list[Incident]:
    values: dict[str, Any] = {"cameras": list(cameras), "subcategory": sighting.subcategory, "since": since}
    found = read_incidents(session, _OF_CAMERAS.where(_KIND), values)
    if sighting.ground is not None:
        found += read_incidents(session, _near(sighting.ground), {"subcategory": sighting.subcategory, "since": since})
    read = {incident.incident_id for incident in found}
    own: Around | None = session.info.get("around")
    mine = (
        ()
        if own is None
        else (one for camera in (*cameras, None) for one in own.ids.get((camera, sighting.subcategory), ()))
    )
    return found + [session.incidents[one] for one in mine if one not in read]


def _near(ground: Ground) -> Select[Any]:
    x, y = ground.position
    within: ColumnElement[bool] = and_(
        INCIDENT.c.longitude.between(x - NEAR_DEGREES, x + NEAR_DEGREES),
        INCIDENT.c.latitude.between(y - NEAR_DEGREES, y + NEAR_DEGREES),
    )
    return _FROM_THE_STREET.where(_KIND, or_(within))


def _placed(directory: Directory, incidents: Iterable[Incident]) -> list[Known]:
    return [Known(incident, ground_known(directory, incident)) for incident in incidents]
