"""Is this a new problem, or one we know? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.geometry import Box
from models.ids import IncidentId
from models.incidents import FINISHED, Incident, IncidentState
from models.observations import Observation

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


def decide(known: Iterable[Incident], observation: Observation, *, reopening: timedelta) -> Decision:
    """What the observation is to the incidents known at its camera, of its subcategory, finished ones included.

    Unfinished incidents go first, then the best overlap. A merged incident stands for the one it was merged into.
    """
    same = [incident for incident in known if _is_same(incident, observation, reopening)]
    best = max(
        same, key=lambda incident: (incident.state not in FINISHED, _overlap(incident, observation)), default=None
    )
    if best is None:
        return Open()
    if best.state is IncidentState.CLOSED and _seen_after(best.closed_at, observation):
        return Reopen(best.incident_id)
    if best.state is IncidentState.MERGED and best.merged_into is not None:
        return Attach(best.merged_into)
    return Attach(best.incident_id)


def overlap(first: Box, second: Box) -> tuple[float, float]:
    """(intersection over union, share of the smaller box that lies in the larger)."""
    return first.iou(second), first.intersection(second) / min(first.area, second.area)


def _is_same(incident: Incident, observation: Observation, reopening: timedelta) -> bool:
    if (incident.camera_id, incident.subcategory) != (observation.camera_id, observation.subcategory):
        return False
    if incident.state in FINISHED and not _recent(incident, observation, reopening):
        return False
    if incident.box is None:
        return True
    iou, contained = overlap(incident.box, observation.box)
    return iou >= SAME_IOU or contained >= SAME_CONTAINED


def _recent(incident: Incident, observation: Observation, reopening: timedelta) -> bool:
    return incident.closed_at is not None and observation.captured_at <= incident.closed_at + reopening


def _seen_after(moment: datetime | None, observation: Observation) -> bool:
    """An observation delivered late may tell of the time before the closing: that is no reason to reopen."""
    return moment is not None and observation.captured_at > moment


def _overlap(incident: Incident, observation: Observation) -> float:
    return 1.0 if incident.box is None else incident.box.iou(observation.box)
