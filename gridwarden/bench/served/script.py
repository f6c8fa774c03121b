"""The timetable of a served district: what each camera shows, how it is asked, and what changes in front of it when.

Pure and seeded: servers, watcher and referee work out the same timetable from the same three figures.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.geometry import Box, Point
from models.ids import CameraId, NodeId, SubcategoryCode
from models.places import Camera

CAMERAS_SEED = 20261123

BUSY_SHARE = 0.3
"""Cameras that show traffic or people at every look; the others look at courtyards, walls and back streets."""

CHANGED_SHARE = 0.25
"""Cameras in front of which something is left: hundreds of finds, so that two points of recall can be told apart."""

RTSP_EVERY = 16
"""One camera in so many offers only RTSP."""

AUTH_EVERY = 3
"""One snapshot camera in so many asks for a password, by digest."""

ASPECT = 16 / 9
"""Width by height of every served picture."""

FIND = SubcategoryCode("B1")
"""What is scripted: garbage left in the street, told by the recipe for piled garbage."""

LATEST_CHANGE = 0.25
"""The last thing is left after this share of the time: the rest is for its dwell and for seeing it."""

DWELL_SHARE, LONGEST_DWELL_S = 0.51, 61.0
"""How long a thing must lie before it is told; above a minute, where real limits are, no look is hurried for it."""

SIZES = (0.18, 0.32)
"""Widths of what is left, in shares of the picture's: 115 to 205 of 640 pixels, a heap of bags at 5 to 15 m."""


class Weather(StrEnum):
    """What changes in a picture though nothing changes in the street."""

    CALM = "calm"
    EXPOSURE = "exposure"
    SHAKE = "shake"
    RAIN = "rain"


@dataclass(frozen=True, slots=True)
class Change:
    """Something is left at `at_s` after the start and stays. thing: which of the cut-out pictures."""

    at_s: float
    box: Box
    thing: int


@dataclass(frozen=True, slots=True)
class Served:
    """One camera. view: which scene, by number; offset: where in a busy scene it begins, as a share."""

    number: int
    busy: bool
    rtsp: bool
    auth: bool
    view: int
    offset: float
    weather: Weather
    change: Change | None

    @property
    def camera_id(self) -> CameraId:
        return CameraId(f"cam-{self.number:04d}")


def timetable(count: int, seconds: float) -> list[Served]:
    """The same for the same figures. RTSP cameras all have a change: the dense pipeline is measured on them."""
    return [_served(number, seconds) for number in range(count)]


def watched(served: Served, address: str, *, interval_s: float, seconds: float, node_id: NodeId) -> Camera:
    """The camera as an operator would enter it, with limits short enough for the time there is."""
    dwell_s = min(LONGEST_DWELL_S, seconds * DWELL_SHARE)
    position: Point = (113.6 + served.number % 40 * 1e-3, 34.7 + served.number // 40 * 1e-3)
    return Camera(
        camera_id=served.camera_id,
        name=f"served {served.number}",
        source=address,
        position=position,
        node_id=node_id,
        max_interval_s=interval_s,
        overrides={FIND: {"area": 0.004, "dwell_s": dwell_s, "looks": 3}},
    )


def changed(district: Sequence[Served]) -> dict[CameraId, Change]:
    return {served.camera_id: served.change for served in district if served.change is not None}


def _served(number: int, seconds: float) -> Served:
    draw = random.Random(f"{CAMERAS_SEED} {number}")  # noqa: S311 - a timetable, not a secret
    rtsp = number % RTSP_EVERY == RTSP_EVERY // 2
    changes = draw.random() < CHANGED_SHARE or rtsp
    return Served(
        number=number,
        busy=draw.random() < BUSY_SHARE,
        rtsp=rtsp,
        auth=not rtsp and number % AUTH_EVERY == 0,
        view=draw.randrange(1_000_000),
        offset=draw.random(),
        weather=draw.choice(list(Weather)),
        change=_change(draw, seconds) if changes else None,
    )


def _change(draw: random.Random, seconds: float) -> Change:
    width = draw.uniform(*SIZES)
    height = width * ASPECT * draw.uniform(0.7, 1.0)
    left, foot = draw.uniform(0.05, 0.95 - width), draw.uniform(0.6, 0.95)
    box = Box(left, foot - height, left + width, foot)
    return Change(draw.uniform(0.02, LATEST_CHANGE) * seconds, box, draw.randrange(1_000_000))
