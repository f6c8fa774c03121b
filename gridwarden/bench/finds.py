"""What was told, held against the timetable. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gridwarden.bench.served.script import FIND, Change
from models.geometry import Box
from models.ids import CameraId, SubcategoryCode

SAME_PLACE_IOU = 0.2
"""A find is at the scripted place when its box overlaps the thing's this much: heaps are boxed loosely."""


@dataclass(frozen=True, slots=True)
class Told:
    """An observation as far as it matters here. first_seen: seconds after the timetable's start."""

    camera_id: CameraId
    subcategory: SubcategoryCode
    box: Box
    first_seen_s: float


@dataclass(frozen=True, slots=True)
class Recall:
    """found: of `scripted`; unscripted: told about the same subcategory where nothing had been left."""

    found: frozenset[CameraId]
    scripted: frozenset[CameraId]
    unscripted: int

    @property
    def share(self) -> float | None:
        return len(self.found) / len(self.scripted) if self.scripted else None

    def among(self, cameras: Iterable[CameraId]) -> Recall:
        some = frozenset(cameras)
        return Recall(self.found & some, self.scripted & some, self.unscripted)


def told(row: Mapping[str, object], *, began: datetime) -> Told:
    """An observation message (`models.wire`) as it lies in the spool."""
    first_seen = datetime.fromisoformat(str(row["first_seen_at"]))
    box = row["box"]
    assert isinstance(box, list)
    return Told(
        CameraId(str(row["camera"])),
        SubcategoryCode(str(row["subcategory"])),
        Box(*(float(value) for value in box)),
        (first_seen - began).total_seconds(),
    )


def recall(tellings: Iterable[Told], changes: Mapping[CameraId, Change]) -> Recall:
    """Each scripted thing is found by one telling at its place, of something not there before it was."""
    found: set[CameraId] = set()
    unscripted = 0
    for one in tellings:
        if one.subcategory != FIND:
            continue
        change = changes.get(one.camera_id)
        if change is not None and one.box.iou(change.box) >= SAME_PLACE_IOU and one.first_seen_s >= change.at_s - 1:
            found.add(one.camera_id)
        else:
            unscripted += 1
    return Recall(frozenset(found), frozenset(changes), unscripted)
