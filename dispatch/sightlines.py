"""Where on the ground a camera's find lies, as well as an uncalibrated camera can tell; pure.

A camera is a place, a bearing and a typical street mounting. That is rough, so every place comes with how far it may
be off, and two finds count as one only where the estimates allow it. A camera without a bearing tells only "within
its range".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.geometry import Box, Point
from models.ids import CameraId, NodeId

RANGE_M = 60.0
"""As far as a street camera at sub-stream resolution shows a bag of garbage with a dozen pixels."""

WIDE_DEG = 70.0
"""Horizontal field of view of the usual 4 mm lens on a 1/2.7 inch sensor (nominally 70 to 90)."""

HEIGHT_M = 5.0
"""Poles and eaves cameras hang from: 4 to 6 m."""

TALL_DEG = 40.0
"""Vertical field of view of the same lens at 16:9."""

HORIZON = 0.25
"""Where the horizon lies on the picture of a camera tilted to look along its street, as a share from the top."""

SHARE_OFF = 0.3
"""Height, tilt and lens are typical values: distances worked out from them are right within a third."""

BEARING_OFF_M = 4.0
"""What an operator's bearing and the width of the thing itself add."""

PHONE_OFF_M = 15.0
"""A phone's position between houses."""

REPORT_RANGE_M = 40.0
"""Without a bearing the camera's own place stands for its find: half its range, so that the next corner is not it."""

METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """What deciding needs to know of a camera: not its address, which may hold a password."""

    camera_id: CameraId
    name: str
    position: Point
    node_id: NodeId
    bearing_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """A place on the map (longitude, latitude) and how far it may be off.

    by_phone: where the person who reports it stood; coarse: only near which camera, not in which direction.
    """

    position: Point
    off_m: float
    by_phone: bool = False
    coarse: bool = False


def ground_of(camera: CameraPlace, box: Box | None) -> Ground:
    """Where the thing in the box stands; coarse when the camera's bearing is not known or nothing was drawn."""
    if camera.bearing_deg is None or box is None:
        return Ground(camera.position, REPORT_RANGE_M, coarse=True)
    x, y = box.foot
    down = math.radians(max((y - HORIZON) * TALL_DEG, 0.1))
    away = min(HEIGHT_M / math.tan(down), RANGE_M)
    bearing = math.radians(camera.bearing_deg + (x - 0.5) * WIDE_DEG)
    place = moved(camera.position, east_m=away * math.sin(bearing), north_m=away * math.cos(bearing))
    return Ground(place, BEARING_OFF_M + SHARE_OFF * away)


def same_place(first: Ground, second: Ground) -> bool:
    """Neither can be told from the other: nearer than the larger of the two errors.

    "Somewhere near this camera" is enough for a person's report, who was there, not for another camera's find.
    """
    if (first.coarse and not second.by_phone) or (second.coarse and not first.by_phone):
        return False
    return metres(first.position, second.position) <= max(first.off_m, second.off_m)


def neighbours(cameras: Iterable[CameraPlace]) -> Mapping[str, tuple[CameraId, ...]]:
    """Cameras whose ranges overlap and whose bearings are known, by camera; each with itself.

    Gone through from south to north, so that each is compared with those beside it only.
    """
    known = list(cameras)
    found: dict[str, tuple[CameraId, ...]] = {camera.camera_id: (camera.camera_id,) for camera in known}
    seeing = sorted((c for c in known if c.bearing_deg is not None), key=lambda camera: camera.position[1])
    for place, camera in enumerate(seeing):
        for other in seeing[place + 1 :]:
            if (other.position[1] - camera.position[1]) * METRES_A_DEGREE > 2 * RANGE_M:
                break
            if metres(camera.position, other.position) <= 2 * RANGE_M:
                found[camera.camera_id] += (other.camera_id,)
                found[other.camera_id] += (camera.camera_id,)
    return found


def moved(position: Point, *, east_m: float, north_m: float) -> Point:
    longitude, latitude = position
    return (
        longitude + east_m / (METRES_A_DEGREE * math.cos(math.radians(latitude))),
        latitude + north_m / METRES_A_DEGREE,
    )


def metres(first: Point, second: Point) -> float:
    """Flat-earth distance: exact to a millimetre over a sub-district."""
    east = (first[0] - second[0]) * METRES_A_DEGREE * math.cos(math.radians(first[1]))
    north = (first[1] - second[1]) * METRES_A_DEGREE
    return math.hypot(east, north)


def phone(position: Point) -> Ground:
    return Ground(position, PHONE_OFF_M, by_phone=True)
