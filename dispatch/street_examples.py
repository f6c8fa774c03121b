"""Which kept pictures people have judged: the incidents' own history, read as examples for training.

Rejected: the last word was "nothing here", of a worker in the street or of somebody at the screen. Confirmed: somebody
handled it and the check afterwards (camera or person) found it gone, or a person confirmed the suspicion itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.projection import box_of, evidence_of
from dispatch.rows import EVENT, INCIDENT, event_of
from models.ids import CameraId, CellId, SubcategoryCode
from models.incidents import Happening, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.observations import EvidenceRole
from models.people import Role
from models.teaching import JudgedSighting, StreetVerdict

MOST_INCIDENTS = 20_000
"""A year of a sub-district; the newest are taken, so that the network learns the street as it is."""

MOST_PER_INCIDENT = 3
"""A heap seen for hours gives the same picture again and again: its first, its last and one between tell enough."""

_CHUNK = 500
"""Ids in one query: SQLite takes at most 32,766 values, and the rows of 500 incidents fit in memory easily."""

_MACHINES = frozenset({Role.SYSTEM, Role.CAMERA})
_SIGHTINGS = frozenset({Step.OPEN.value, Happening.ATTACHED.value, Step.REOPEN.value})
_LEAVING = frozenset({Step.SPLIT.value, Happening.DETACHED.value})
_DECIDED = frozenset({IncidentState.CLOSED.value, IncidentState.REJECTED.value})


def judged_sightings(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    cells: Collection[CellId] | None = None,
    limit: int = MOST_INCIDENTS,
) -> list[JudgedSighting]:
    """Pictures of cameras' incidents decided in [since, until), newest incident first, at most `limit` incidents."""
    query = select(INCIDENT.c.incident_id).where(INCIDENT.c.state.in_(_DECIDED), INCIDENT.c.camera_id.is_not(None))
    if since is not None:
        query = query.where(INCIDENT.c.closed_at >= since)
    if until is not None:
        query = query.where(INCIDENT.c.closed_at < until)
    if cells is not None:
        query = query.where(INCIDENT.c.cell_id.in_(list(cells)))
    query = query.order_by(INCIDENT.c.number.desc()).limit(min(limit, MOST_INCIDENTS))
    ids = list(session.scalars(query))
    return [found for events in _histories(session, ids) for found in judged(events)]


def judged(events: Sequence[IncidentEvent]) -> list[JudgedSighting]:
    """The examples one incident gives. Pure; `events` is its whole history, first first.

    A handled thing is on the pictures taken before it was handled only; what was rejected is on none. Overlapping
    cameras share an incident, so each sighting tells which camera saw it; those split off again belong elsewhere.
    """
    decision = _decision(events)
    opening = events[0].data
    if decision is None or "split_from" in opening:
        return []
    verdict, at, by, before = decision
    gone = {seq for event in events if event.kind in _LEAVING for seq in event.data.get("events", ())}
    kept = [
        JudgedSighting(
            number=opening["number"],
            camera_id=camera_id,
            subcategory=SubcategoryCode(opening["subcategory"]),
            picture=item.picture,
            taken_at=item.taken_at,
            box=box,
            found_by=event.actor.role,
            verdict=verdict,
            judged_by=by,
            judged_at=at,
        )
        for event in events
        if event.kind in _SIGHTINGS and event.seq not in gone and event.data.get("evidence")
        if (box := box_of(event.data.get("box"))) and (camera_id := _camera(event, opening))
        for item in evidence_of(event.data["evidence"])
        if item.role is EvidenceRole.FOUND and item.taken_at <= before
    ]
    return _spread(kept)


def _camera(event: IncidentEvent, opening: Mapping[str, Any]) -> CameraId | None:
    """Whose picture it is; None for a report without a camera."""
    if event.actor.role is Role.CAMERA:
        return CameraId(event.actor.actor_id)
    name = event.data.get("camera") or opening.get("camera")
    return CameraId(name) if name else None


def _decision(events: Sequence[IncidentEvent]) -> tuple[StreetVerdict, datetime, Role, datetime] | None:
    """What was decided, when, by whom, and until when pictures show what was decided about."""
    last = next((event for event in reversed(events) if event.after != event.before), events[-1])
    if last.kind == Step.NOTHING_HERE:
        return StreetVerdict.NOTHING_HERE, last.at, last.actor.role, last.at
    handled = [event for event in events if event.kind == Step.RESOLVE]
    confirmed = [event for event in events if event.kind == Step.CONFIRM and event.actor.role not in _MACHINES]
    if last.kind == Step.CONFIRM_GONE and handled:
        return StreetVerdict.CONFIRMED, last.at, last.actor.role, handled[0].at
    if confirmed and last.after is IncidentState.CLOSED:
        return StreetVerdict.CONFIRMED, confirmed[-1].at, confirmed[-1].actor.role, confirmed[-1].at
    return None


def _spread(sightings: list[JudgedSighting]) -> list[JudgedSighting]:
    """First, middle and last by time, each picture once."""
    ordered = sorted({one.picture: one for one in sightings}.values(), key=lambda one: one.taken_at)
    if len(ordered) <= MOST_PER_INCIDENT:
        return ordered
    return [ordered[0], ordered[len(ordered) // 2], ordered[-1]]


def _histories(session: Session, ids: Sequence[str]) -> Iterator[list[IncidentEvent]]:
    """Whole histories, in the order of `ids`."""
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        by_incident: defaultdict[str, list[IncidentEvent]] = defaultdict(list)
        for row in session.execute(select(EVENT).where(EVENT.c.incident_id.in_(part)).order_by(EVENT.c.seq)):
            by_incident[row.incident_id].append(event_of(row))
        yield from (by_incident[one] for one in part if by_incident[one])
