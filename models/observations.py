"""What a watch node tells dispatch: a find, or the answer to a verification look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.geometry import Box
from models.ids import CameraId, IncidentId, NodeId, ObservationKey, PictureHash, SubcategoryCode
from models.text import Text


class EvidenceRole(StrEnum):
    """What a picture shows in the story of an incident."""

    FOUND = "found"
    BEFORE = "before"
    VERIFIED = "verified"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A kept picture: its hash in the picture store, why it is kept, when it was taken (UTC)."""

    picture: PictureHash
    role: EvidenceRole
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """A street problem seen by one camera.

    key: stable across retries and restarts, so that telling twice is telling once;
    box: the thing; confidence: 0..1; why: the reason in words with figures and limits;
    first_seen_at .. captured_at: how long it has been standing there; assist: the rule is not sure enough to
    send anybody: an operator looks first.
    """

    key: ObservationKey
    node_id: NodeId
    camera_id: CameraId
    subcategory: SubcategoryCode
    first_seen_at: datetime
    captured_at: datetime
    box: Box
    confidence: float
    why: Text
    evidence: tuple[Evidence, ...] = ()
    assist: bool = False


class Verdict(StrEnum):
    """What a verification look found at the place of a handled incident."""

    GONE = "gone"
    STILL_THERE = "still_there"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Verification:
    """The camera's answer to one request of dispatch; `key` names the request it answers."""

    key: ObservationKey
    node_id: NodeId
    camera_id: CameraId
    incident_id: IncidentId
    verdict: Verdict
    captured_at: datetime
    why: Text
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """A node tells dispatch that it has carried out the request named by `key` (a suppression)."""

    key: ObservationKey
    node_id: NodeId
