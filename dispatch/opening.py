"""Is this a new problem, or one we know? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.sightlines import Ground, same_place
from models.geometry import Box
from models.ids import CameraId, IncidentId, SubcategoryCode
from models.incidents import FINISHED, Incident, IncidentState

SAME_IOU = 0.3
"""Two looks at the same standing thing overlap at least this much: passers-by hide part of it and boxes
breathe, but the neighbouring stall or car in a row overlaps less than a quarter."""

SAME_CONTAINED = 0.7
"""A pile grows, and a box may suddenly show only a part: a smaller box lying mostly in the larger is the same thing."""


@dataclass(frozen=True, slots=True)
class Open:
    """A new incident."""


@dataclass(frozen=True, slots=True)
class Attach:
    """One more sighting of a known incident."""

    incident_id: IncidentId


@dataclass(frozen=True, slots=True)
class Reopen:
    """Closed a moment ago and there again: the same problem, back to its handler."""

    incident_id: IncidentId


Decision = Open | Attach | Reopen


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is compared with known incidents: an observation, or a person's report (camera_id None from the street).

    ground: where it stands on the map, None when only its camera and box say where it is.
    """

    camera_id: CameraId | None
    subcategory: SubcategoryCode
    seen_at: datetime
    box: Box | None
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that may be the same problem, and where on the map it is."""

    incident: Incident
    ground: Ground | None = None


def decide(known: Iterable[Known], sighting: Sighting, *, reopening: timedelta) -> Decision:
    """What the sighting is to the incidents known around it, finished ones included.

    Unfinished incidents go first, then those of the same camera, then the best overlap. A merged incident stands for
    the one it was merged into.
    """
    same = [one.incident for one in known if _is_same(one, sighting, reopening)]
    best = max(
        same,
        key=lambda one: (one.state not in FINISHED, one.camera_id == sighting.camera_id, _overlap(one, sighting)),
        default=None,
    )
    if best is None:
        return Open()
    if best.state is IncidentState.CLOSED and _seen_after(best.closed_at, sighting):
        return Reopen(best.incident_id)
    if best.state is IncidentState.MERGED and best.merged_into is not None:
        return Attach(best.merged_into)
    return Attach(best.incident_id)


def overlap(first: Box, second: Box) -> tuple[float, float]:
    """(intersection over union, share of the smaller box that lies in the larger)."""
    return first.iou(second), first.intersection(second) / min(first.area, second.area)


def _is_same(known: Known, sighting: Sighting, reopening: timedelta) -> bool:
    incident = known.incident
    if incident.subcategory != sighting.subcategory:
        return False
    if incident.state in FINISHED and not _recent(incident, sighting, reopening):
        return False
    if incident.camera_id is not None and incident.camera_id == sighting.camera_id:
        return _same_box(incident.box, sighting.box)
    return known.ground is not None and sighting.ground is not None and same_place(known.ground, sighting.ground)


def _same_box(first: Box | None, second: Box | None) -> bool:
    """Without a box somebody reported what can be seen from that camera: one problem of a kind there."""
    if first is None or second is None:
        return True
    iou, contained = overlap(first, second)
    return iou >= SAME_IOU or contained >= SAME_CONTAINED


def _recent(incident: Incident, sighting: Sighting, reopening: timedelta) -> bool:
    return incident.closed_at is not None and sighting.seen_at <= incident.closed_at + reopening


def _seen_after(moment: datetime | None, sighting: Sighting) -> bool:
    """An observation delivered late may tell of the time before the closing: that is no reason to reopen."""
    return moment is not None and sighting.seen_at > moment


def _overlap(incident: Incident, sighting: Sighting) -> float:
    if incident.box is None or sighting.box is None or incident.camera_id != sighting.camera_id:
        return 1.0
    return incident.box.iou(sighting.box)
