"""Builders for the tests of scenes and rules: a street corner in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from detect.observer import Observer
from models.geometry import Polygon
from models.ids import CameraId, NodeId, SubcategoryCode
from models.observations import Observation
from models.pictures import Detections, Image, Look, LookReason
from models.places import Camera, Zone, ZoneKind
from models.taxonomy import load_taxonomy

NAMES = (
    "person", "car", "truck", "bicycle", "umbrella", "dog", "garbage", "garbage_bin", "garbage_overflow", "fire",
    "head_no_helmet", "chair",
)  # fmt: skip
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai."""

Row = tuple[str, float, tuple[float, float, float, float]]

CAR: Row = ("car", 0.8, (0.2, 0.3, 0.4, 0.5))


def seen(*rows: Row) -> Detections:
    """Detections of rows (class, score, box)."""
    return Detections(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([NAMES.index(row[0]) for row in rows], np.int32),
        NAMES,
    )


def street(brightness: float = 120, *, height: int = 90, width: int = 160) -> Image:
    """A textured picture: paving of light and dark slabs."""
    rows, columns = np.mgrid[0:height, 0:width]
    grey = np.clip(brightness + 25 * ((rows // 9 + columns // 16) % 2), 0, 255)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def everywhere(kind: ZoneKind, name: str = "路口") -> Zone:
    return Zone(name, kind, Polygon(((0, 0), (1, 0), (1, 1), (0, 1))))


def camera(*zones: Zone, **overrides: dict[str, float]) -> Camera:
    return Camera(
        CameraId("c1"), "一号", "file.mp4", (121.4, 31.2), NodeId("n1"), zones=zones,
        overrides={SubcategoryCode(code): values for code, values in overrides.items()},
    )  # fmt: skip


def observer(*zones: Zone, **overrides: dict[str, float]) -> Observer:
    watching = Observer(node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=NAMES)
    assert watching.set_cameras([camera(*zones, **overrides)]) == {}
    return watching


def look(number: int, *, every_s: float = 8, image: Image | None = None, start: datetime = START) -> Look:
    at = start + timedelta(seconds=number * every_s)
    return Look(CameraId("c1"), street() if image is None else image, at, number, LookReason.ROUTINE)


def watch(
    watching: Observer, script: Sequence[Detections], *, first: int = 0, every_s: float = 8, start: datetime = START
) -> list[Observation]:
    """Shows the observer the looks one after the other; all it told."""
    told: list[Observation] = []
    for number, detections in enumerate(script, first):
        told += watching.see(look(number, every_s=every_s, start=start), detections)
    return told


def codes(observations: Sequence[Observation]) -> list[str]:
    return [observation.subcategory for observation in observations]
