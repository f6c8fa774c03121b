"""Composed scenes: real things put into the film of a real fixed camera, at known times and places.

A scene is a value: the same seed gives the same pictures, look by look. What must be told about it, and when, stands
beside it (`Expected`); everything else that is told is false, except what an operator would not call wrong (`Allowed`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gridwarden.bench.cutting import DIFFERS, Cut, plate, read_frames
from models.errors import SettingsError
from models.geometry import Box, Polygon
from models.ids import SubcategoryCode
from models.pictures import Image
from models.places import Zone

SIDE = 640
"""Width of a composed picture: what a sub-stream gives."""

LEAST_MOVER = 60
"""Pixels of something moving that may pass in front of a thing; less is a leaf or noise."""

GAINS = 64
"""Steps of brightness, so that equal light gives equal pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One fixed camera's film. person: height of a person at the top and the bottom edge, share of the height;
    shown: where the film itself shows things that are to be told, over its whole length."""

    name: str
    clip: Path
    person: tuple[float, float]
    shuffled: bool
    grounds: Mapping[str, Polygon]
    shown: Mapping[str, Box] = field(default_factory=dict)

    def height_of(self, metres: float, y: float) -> float:
        """Share of the picture's height of a thing that stands at y."""
        return (self.person[0] + (self.person[1] - self.person[0]) * y) * metres / 1.7


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A thing in the scene. foot: middle of its lower edge; height, width: shares of the picture; step: its way
    along x per second; flicker: its size changes from look to look, as flames do."""

    cut: Cut
    foot: tuple[float, float]
    height: float
    width: float
    since_s: float
    until_s: float
    step: float = 0.0
    flicker: bool = False

    def box_at(self, t: float) -> Box | None:
        """Where it is; None while it is not there, or when it has walked out of the picture."""
        if not self.since_s <= t < self.until_s:
            return None
        x = self.foot[0] + self.step * (t - self.since_s)
        x1, x2 = x - self.width / 2, x + self.width / 2
        if x1 < 0 or x2 > 1:
            return None
        return Box(x1, max(self.foot[1] - self.height, 0.0), x2, self.foot[1])


@dataclass(frozen=True, slots=True)
class Expected:
    """To be told once, within the window, about these actors."""

    code: SubcategoryCode
    actors: tuple[int, ...]
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Allowed:
    """Neither right nor wrong if told about these actors (none named: wherever it is)."""

    code: SubcategoryCode
    actors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """grey_from_s: from then on the camera is in its night mode; pool: so many different looks, then again the same
    (days of a quiet place); shake: pixels the picture wanders; picture: a still instead of a film."""

    name: str
    place: Place | None
    zones: tuple[Zone, ...]
    actors: tuple[Actor, ...]
    expected: tuple[Expected, ...]
    allowed: tuple[Allowed, ...]
    starts_at: datetime
    length_s: float
    interval_s: float
    seed: int
    pool: int = 0
    grey_from_s: float = float("inf")
    shake: int = 0
    quality: int = 75
    picture: Path | None = None
    truth: Mapping[int, Box] = field(default_factory=dict)
    kept: dict[tuple[int, tuple[bool, ...], bool], bytes] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "picture" if self.picture else "clip" if self.truth else "composed"

    def box_of(self, actors: tuple[int, ...], t: float) -> Box | None:
        """The smallest box around those of the actors that are there; a still's boxes are always there."""
        there = [self.truth[index] for index in actors if index in self.truth]
        there += [box for index in actors if index < len(self.actors) and (box := self.actors[index].box_at(t))]
        whole = there[0] if there else None
        for box in there[1:]:
            whole = box.union(whole) if whole else box
        return whole


def read_places(table: Path, data: Path) -> dict[str, Place]:
    """Raises SettingsError when the table cannot be read or a clip is missing."""
    try:
        raw = tomllib.loads(table.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        raise SettingsError(f"{table}: cannot be read: {trouble}") from None
    places = {}
    for name, row in raw.items():
        grounds = {key: Polygon(tuple((x, y) for x, y in corners)) for key, corners in row["zones"].items()}
        clip = data / row["clip"]
        if not clip.is_file():
            raise SettingsError(f"{clip}: the clip is missing; give the data folder with --data")
        shown = {key: Box(*corners) for key, corners in row.get("shown", {}).items()}
        places[name] = Place(
            name, clip, (row["person"][0], row["person"][1]), row["order"] == "shuffled", grounds, shown
        )
    return places


def jpeg_at(scene: Scene, number: int, t: float) -> bytes:
    """The picture of one look, as a camera would send it."""
    turn = number % scene.pool if scene.pool else number
    if not scene.pool:
        return _jpeg(scene, turn, t)
    there = tuple(actor.box_at(t) is not None for actor in scene.actors)
    known = (turn, there, t >= scene.grey_from_s)
    if known not in scene.kept:
        scene.kept[known] = _jpeg(scene, turn, t)
    return scene.kept[known]


def _jpeg(scene: Scene, turn: int, t: float) -> bytes:
    random = np.random.default_rng((scene.seed, turn))
    image = _still(scene.picture) if scene.picture else _composed(scene, turn, t, random)
    image = _lit(image, scene, turn, random, grey=t >= scene.grey_from_s)
    if scene.shake:
        image = _shaken(image, random.integers(-scene.shake, scene.shake + 1, 2))
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, scene.quality])[1].tobytes()


def _composed(scene: Scene, turn: int, t: float, random: np.random.Generator) -> Image:
    assert scene.place is not None
    frames = small_frames(scene.place.clip)
    first = scene.seed % len(frames)
    index = int(random.integers(len(frames))) if scene.place.shuffled else (first + turn * 7) % len(frames)
    image = frames[index].copy()
    movers, bottoms = _movers(scene.place.clip, index)
    standing = sorted((actor.foot[1], number) for number, actor in enumerate(scene.actors))
    for _, number in standing:
        actor = scene.actors[number]
        box = actor.box_at(t)
        if box is not None:
            in_front = np.isin(movers, [label for label, bottom in bottoms.items() if bottom > actor.foot[1]])
            shown = _flickering(actor, random) if actor.flicker else actor
            _put(image, shown, box, in_front, float(random.uniform(0.6, 1.15)) if actor.flicker else 1.0)
    return image


def _flickering(actor: Actor, random: np.random.Generator) -> Actor:
    """Another look of the same flame: mirrored or not, some of it torn away from above."""
    image, mask = actor.cut.image, actor.cut.mask.copy()
    mask[: int(mask.shape[0] * random.uniform(0, 0.4)), : int(mask.shape[1] * random.uniform(0.2, 0.8))] = 0
    if random.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    cut = replace(actor.cut, image=np.ascontiguousarray(image), mask=np.ascontiguousarray(mask))
    return replace(actor, cut=cut)


def _put(image: Image, actor: Actor, box: Box, in_front: NDArray[np.bool_], scale: float) -> None:
    height, width = image.shape[:2]
    x1, y1 = round(box.x1 * width), round(max(box.y2 - (box.y2 - box.y1) * scale, 0) * height)
    x2, y2 = max(round(box.x2 * width), x1 + 2), max(round(box.y2 * height), y1 + 2)
    ground = image[y1:y2, x1:x2]
    size = (ground.shape[1], ground.shape[0])
    thing, mask = _sized(actor.cut, size)
    mask = mask * ~in_front[y1:y2, x1:x2]
    lit = _matched(thing, ground, actor.cut, mask)
    image[y1:y2, x1:x2] = np.clip(ground + mask[..., None] * (lit - ground), 0, 255).astype(np.uint8)


def _sized(cut: Cut, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    shrinks = size[0] < cut.image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return (
        np.asarray(cv2.resize(cut.image, size, interpolation=how), np.float32),
        np.asarray(cv2.resize(cut.mask, size, interpolation=how), np.float32),
    )


def _matched(
    thing: NDArray[np.float32], ground: Image, cut: Cut, mask: NDArray[np.float32]
) -> NDArray[np.float32]:  # fmt: skip
    """The thing in the light of its place. Marks in a surface and heaps take the ground's own colour at their rim."""
    here = ground.reshape(-1, 3).mean(axis=0)
    if cut.how in ("grain", "soft"):
        rim = np.average(thing.reshape(-1, 3), axis=0, weights=(1.001 - mask).ravel())
        share = 1.0 if cut.how == "grain" else (1 - mask[..., None])
        return np.asarray(thing + (here - rim) * share, np.float32)
    if cut.how == "glow":
        return thing
    gain = np.clip((here.mean() / max(float(thing.mean()), 1.0)) ** 0.4, 0.75, 1.3)
    return np.asarray(thing * gain, np.float32)


def _lit(image: Image, scene: Scene, turn: int, random: np.random.Generator, *, grey: bool) -> Image:
    """Clouds come and go over minutes, and exposure hunts a little."""
    wave = 1 + 0.12 * np.sin(turn / 9 + scene.seed) + float(random.uniform(-0.03, 0.03))
    gain = round(wave * GAINS) / GAINS
    if grey:
        tone = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = np.asarray(cv2.merge([tone, tone, tone]), np.uint8)
        gain *= 0.8
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)


def _shaken(image: Image, by: NDArray[np.int64]) -> Image:
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@lru_cache(maxsize=6)
def small_frames(clip: Path) -> list[Image]:
    return [_narrow(frame) for frame in read_frames(clip)]


@lru_cache(maxsize=6)
def small_plate(clip: Path) -> Image:
    return _narrow(plate(clip))


@lru_cache(maxsize=600)
def _movers(clip: Path, index: int) -> tuple[NDArray[np.uint8], dict[int, float]]:
    """What moves in a frame, as numbered blobs, and where each touches the ground (share of the height)."""
    empty, frame = small_plate(clip), small_frames(clip)[index]
    differs = (cv2.absdiff(frame, empty).max(axis=2) > DIFFERS).astype(np.uint8)
    closed = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, rows, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    bottoms = {
        label: (row[1] + row[3]) / frame.shape[0]
        for label, row in enumerate(rows.tolist())
        if 0 < label < 255 and row[4] >= LEAST_MOVER
    }
    return np.where(labels < 255, labels, 0).astype(np.uint8), bottoms


@lru_cache(maxsize=4)
def _still(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SettingsError(f"{path}: cannot be read; is the data folder complete?")
    return np.asarray(image, np.uint8)


def _narrow(image: Image) -> Image:
    scale = SIDE / image.shape[1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (SIDE, round(image.shape[0] * scale)), interpolation=how), np.uint8)
