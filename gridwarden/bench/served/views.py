"""Pictures of served cameras, cut from real clips and photographs; what is left in the street is cut out of others."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gridwarden.bench.served.script import Change, Served, Weather
from gridwarden.demo.footage import DATA_BESIDE, FOOTAGE, find
from ingest.decode import encode_jpeg
from models.errors import SettingsError
from models.pictures import Image

WIDTH, HEIGHT = 640, 360
"""The usual sub-stream."""

QUALITY = 75
"""A sub-stream picture of 25 to 45 kB."""

VARIANTS = 4
"""Pictures of a quiet scene in a row, each with noise of its own: none equals the one before."""

LARGEST = 800
"""Widest picture held in memory."""

MOST_PHOTOGRAPHS = 150
"""Photographs the quiet scenes are cut from, each with another window and mirrored for half of them."""

MOMENTS = 24
"""Pictures of a busy scene, spread over its clip."""

NOISE = 2.5
"""Grey levels of sensor noise (standard deviation) by day."""

LEAST_THING = 90
"""Pixels: smaller cut-outs would be blown up."""

_QUIET_SETS = ("facade", "pothole")
"""Photographs of street fronts and carriageways without garbage in them."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a camera shows before and after its change, in a cycle."""

    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


class Views:
    """Cuts and paints; holds clips and cut-outs in memory. Raises SettingsError when there is no footage at all."""

    def __init__(self, cache: Path) -> None:
        self._clips = [found for name in FOOTAGE if name != "house-fire" and (found := find(name, cache))]
        if not self._clips:
            raise SettingsError("There is no footage to serve; run ./scripts/demo once, which fetches it.")
        self._photographs = _photographs()
        self._things = _things()
        noise = np.random.default_rng(1)
        self._noise = [noise.normal(0, NOISE, (HEIGHT, WIDTH, 3)).astype(np.int8) for _ in range(8)]

    @property
    def has_things(self) -> bool:
        """Without labelled pictures of garbage nothing can be left in the street, and recall is not measured."""
        return bool(self._things)

    def pictures(self, served: Served) -> Pictures:
        if served.busy:
            return self._busy(served)
        draw = random.Random(f"quiet {served.number}")  # noqa: S311
        scene = self._still(served)
        changed = self._with_thing(scene, served.change)
        before = tuple(
            encode_jpeg(self._weathered(scene, served.weather, draw), quality=QUALITY) for _ in range(VARIANTS)
        )
        if served.change is None:
            return Pictures(before, before)
        after = (self._weathered(changed, served.weather, draw) for _ in range(VARIANTS))
        return Pictures(before, tuple(encode_jpeg(picture, quality=QUALITY) for picture in after))

    def frames(self, served: Served, *, count: int) -> tuple[list[Image], list[Image]]:
        """For video: the pictures before and after the change, unencoded, in the order of time."""
        if served.busy:
            before = [self._cut(served, moment) for moment in self._opening(served.view % len(self._clips), count)]
        else:
            draw, scene = random.Random(f"video {served.number}"), self._still(served)  # noqa: S311
            before = [self._weathered(scene, Weather.CALM, draw) for _ in range(count)]
        return before, [self._with_thing(frame, served.change) for frame in before]

    def _busy(self, served: Served) -> Pictures:
        moments = self._clip(served.view % len(self._clips))
        first = int(served.offset * len(moments))
        frames = [self._cut(served, moment) for moment in (*moments[first:], *moments[:first])]
        before = tuple(encode_jpeg(frame, quality=QUALITY) for frame in frames)
        if served.change is None:
            return Pictures(before, before)
        after = (self._with_thing(frame, served.change) for frame in frames)
        return Pictures(before, tuple(encode_jpeg(frame, quality=QUALITY) for frame in after))

    def _still(self, served: Served) -> Image:
        """A photograph, or one moment of a clip, which no two cameras show at the same cut."""
        if self._photographs and served.view % 2:
            path = self._photographs[served.view % len(self._photographs)]
            return self._cut(served, _read(path))
        moments = self._clip(served.view % len(self._clips))
        return self._cut(served, moments[served.view % len(moments)])

    def _cut(self, served: Served, picture: Image) -> Image:
        """A window of 16:9 of 70 to 100 % of the picture, mirrored for every other camera."""
        draw = random.Random(f"cut {served.number}")  # noqa: S311
        height, width = picture.shape[:2]
        share = draw.uniform(0.7, 1.0)
        wide = int(min(width, height * 16 / 9) * share)
        high = wide * 9 // 16
        left, top = int(draw.random() * (width - wide)), int(draw.random() * (height - high))
        window = picture[top : top + high, left : left + wide]
        if draw.random() < 0.5:
            window = window[:, ::-1]
        return np.asarray(cv2.resize(window, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)

    def _with_thing(self, scene: Image, change: Change | None) -> Image:
        if change is None or not self._things:
            return scene
        x1, y1, x2, y2 = (round(value) for value in np.array(change.box.xyxy) * (WIDTH, HEIGHT, WIDTH, HEIGHT))
        thing = cv2.resize(
            self._things[change.thing % len(self._things)], (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA
        )
        edge = _soft_edge(y2 - y1, x2 - x1)
        painted = scene.copy()
        under = painted[y1:y2, x1:x2]
        painted[y1:y2, x1:x2] = (thing * edge + under * (1 - edge)).astype(np.uint8)
        return painted

    def _weathered(self, scene: Image, weather: Weather, draw: random.Random) -> Image:
        picture = scene
        if weather is Weather.EXPOSURE:
            picture = np.asarray(
                cv2.convertScaleAbs(scene, alpha=draw.uniform(0.9, 1.1), beta=draw.uniform(-8, 8)), np.uint8
            )
        elif weather is Weather.SHAKE:
            picture = np.roll(scene, (draw.choice((-1, 0, 1)), draw.choice((-1, 0, 1))), axis=(0, 1))
        elif weather is Weather.RAIN:
            picture = _rained(scene, draw)
        noise = np.roll(draw.choice(self._noise), draw.randrange(WIDTH), axis=1)
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)

    @functools.lru_cache(maxsize=16)  # noqa: B019 - a Views lives as long as its process
    def _clip(self, number: int) -> list[Image]:
        """`MOMENTS` moments of a clip, evenly spread."""
        with av.open(f"file:{self._clips[number]}") as container:
            step = max(container.streams.video[0].frames // MOMENTS, 1)
            chosen = (frame for at, frame in enumerate(container.decode(video=0)) if at % step == 0)
            return [_bounded(frame.to_ndarray(format="bgr24")) for frame in itertools.islice(chosen, MOMENTS)]

    @functools.lru_cache(maxsize=16)  # noqa: B019
    def _opening(self, number: int, count: int) -> list[Image]:
        """The first frames of a clip."""
        with av.open(f"file:{self._clips[number]}") as container:
            frames = itertools.islice(container.decode(video=0), count)
            return [_bounded(frame.to_ndarray(format="bgr24")) for frame in frames]


def _bounded(picture: NDArray[Any]) -> Image:
    """At most `LARGEST` wide: cuts are 640, and hundreds of pictures are held."""
    scale = LARGEST / picture.shape[1]
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(picture, np.uint8)


def _rained(scene: Image, draw: random.Random) -> Image:
    """Sixty streaks of one pixel: they cover as much of a picture as steady rain by night under a lamp."""
    picture = scene.copy()
    for _ in range(60):
        x, y = draw.randrange(WIDTH), draw.randrange(HEIGHT)
        cv2.line(picture, (x, y), (x - 2, y + 14), (190, 190, 190), 1, cv2.LINE_AA)
    return picture


def _soft_edge(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 over the outer tenth, so that no hard frame is detected instead of the thing."""
    mask = np.zeros((height, width), np.float32)
    margin = max(min(height, width) // 10, 1)
    mask[margin:-margin, margin:-margin] = 1
    return np.asarray(cv2.blur(mask, (2 * margin + 1, 2 * margin + 1)), np.float32)[..., None]


def _photographs() -> list[Path]:
    folders = [DATA_BESIDE / "images" / name for name in _QUIET_SETS]
    return sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())[:400]


@functools.lru_cache(maxsize=MOST_PHOTOGRAPHS)
def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SettingsError(f"{path} cannot be read as a picture.")
    return _bounded(image)


def _things() -> list[Image]:
    """Heaps of garbage cut from the labelled validation pictures, which the weights were not trained on."""
    listed = DATA_BESIDE / "splits" / "val.txt"
    if not listed.exists():
        return []
    names = [line for line in listed.read_text().splitlines() if line.startswith("images/garbage/")]
    return [thing for name in names for thing in _cut_out(DATA_BESIDE / name)]


def _cut_out(path: Path) -> list[Image]:
    label = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
    rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
    boxes = [[float(value) for value in row[1:5]] for row in rows if row[0] == "0"]
    if not boxes:
        return []
    picture = _read(path)
    return [thing for box in boxes if (thing := _window(picture, box)) is not None]


def _window(picture: Image, box: Sequence[float]) -> Image | None:
    """The labelled heap with a tenth around it, None when it is too small or too flat to be one."""
    height, width = picture.shape[:2]
    x, y, w, h = box
    left, right = max(int((x - w * 0.55) * width), 0), min(int((x + w * 0.55) * width), width)
    top, bottom = max(int((y - h * 0.55) * height), 0), min(int((y + h * 0.55) * height), height)
    if right - left < LEAST_THING or bottom - top < LEAST_THING:
        return None
    return picture[top:bottom, left:right].copy()
