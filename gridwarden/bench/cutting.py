"""Real things cut out of real pictures, with soft edges, for scenes composed into real clips.

Which things, and how each is cut, is data: `benchmarks/scenes/cuts.toml`. Labelled things come from val pictures only:
a scene made of what the weights were trained on would prove nothing.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.labels import read_labels
from models.errors import SettingsError
from models.pictures import Image

MOST_CUTS = 16
"""Things of one class, spread over all that fit: cutting one takes a second of CPU, and 16 are variety enough."""

MARGIN = 0.15
"""Ground around the box that grabcut needs to know what is not the thing."""

OUTSIDE_PX = 2
"""A labelled box this near the picture's edge is likely to be cut off by it."""

LEAST_FILL, MOST_FILL = 0.25, 0.97
"""Shares of the box a found shape must cover: less is a fragment, more is the ground as well; then soft instead."""

PLATE_FRAMES = 25
"""Frames whose median is the empty scene: in the clips nobody stands at one place in half of them."""

DIFFERS = 28
"""Grey levels by which a walker differs from the empty scene."""

CUTTING = 1
"""Grows when things are cut differently: shapes kept from before are then cut again."""

Mask = NDArray[np.float32]
"""float32 (H, W), 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One thing. `how`: the kind of mask, which also tells how it is blended; height_m: least and most height."""

    name: str
    thing: str
    how: str
    image: Image
    mask: Mask
    height_m: tuple[float, float]


def read_cuts(table: Path, data: Path, *, cache: Path) -> dict[str, list[Cut]]:
    """All things by class, in a fixed order. Raises SettingsError when the table or the data folder is unusable.

    cache: where shapes once found are kept.
    """
    try:
        raw = tomllib.loads(table.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        raise SettingsError(f"{table}: cannot be read: {trouble}") from None
    cuts = {name: _labelled(name, rule, data, cache) for name, rule in raw["labelled"].items()}
    for group in raw["drawn"]:
        cuts.setdefault(group["thing"], []).extend(_drawn(group, place, data, cache) for place in group["from"])
    return cuts


@lru_cache(maxsize=8)
def plate(clip: Path) -> Image:
    """The empty scene of a fixed camera: the median of frames spread over the clip."""
    frames = read_frames(clip)
    chosen = frames[:: max(len(frames) // PLATE_FRAMES, 1)]
    return np.asarray(np.median(np.stack(chosen), axis=0), np.uint8)


@lru_cache(maxsize=3)
def read_frames(clip: Path, every: int = 5) -> list[Image]:
    """Every n-th frame: looks are seconds apart, more would only fill memory. Raises SettingsError without any."""
    film, frames, number = cv2.VideoCapture(str(clip)), list[Image](), 0
    while film.grab():
        if number % every == 0:
            frames.append(np.asarray(film.retrieve()[1], np.uint8))
        number += 1
    film.release()
    if not frames:
        raise SettingsError(f"{clip}: no frames; is the data folder complete?")
    return frames


def val_pictures(data: Path) -> list[Path]:
    return [data / line for line in (data / "splits" / "val.txt").read_text(encoding="utf-8").split()]


def labels_of(picture: Path, data: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Class and box (xyxy, fractions) of every label of one picture of the data folder."""
    names = class_names(data)
    ids, boxes, _ = read_labels(data / "labels" / picture.parent.name / f"{picture.stem}.txt", class_count=len(names))
    rows = zip(ids.tolist(), boxes.tolist(), strict=True)
    return [(names[number], (box[0], box[1], box[2], box[3])) for number, box in rows]


def class_names(data: Path) -> tuple[str, ...]:
    return tuple((data / "classes.txt").read_text(encoding="utf-8").split())


@dataclass(frozen=True, slots=True)
class _Source:
    """What is to be cut: the box in pixels of the picture (or of the frame of a clip)."""

    name: str
    thing: str
    how: str
    path: Path
    frame: int | None
    box: tuple[int, int, int, int]
    height_m: tuple[float, float]


def _labelled(name: str, rule: dict[str, Any], data: Path, cache: Path) -> list[Cut]:
    sources = [source for picture in val_pictures(data) for source in _fitting(name, rule, picture, data)]
    step = max(len(sources) / MOST_CUTS, 1)
    return [_cut(sources[int(number * step)], cache) for number in range(min(len(sources), MOST_CUTS))]


def _fitting(name: str, rule: dict[str, Any], picture: Path, data: Path) -> list[_Source]:
    rows = labels_of(picture, data)
    if not any(row[0] == name for row in rows):
        return []
    height, width = _picture(picture).shape[:2]
    sources = []
    for number, (thing, box) in enumerate(rows):
        x1, y1, x2, y2 = (round(v * s) for v, s in zip(box, (width, height, width, height), strict=True))
        inside = min(x1, y1, width - x2, height - y2) >= OUTSIDE_PX
        large = min(x2 - x1, y2 - y1) >= rule["least_px"]
        others = [other for kind, other in rows if kind in rule.get("apart_from", ())]
        if thing == name and inside and large and not any(_touch(box, other) for other in others):
            low, high = rule["height_m"]
            at = f"{picture.parent.name}/{picture.name}#{number}"
            sources.append(_Source(at, name, rule["mask"], picture, None, (x1, y1, x2, y2), (low, high)))
    return sources


def _drawn(group: dict[str, Any], place: list[Any], data: Path, cache: Path) -> Cut:
    at, x1, y1, x2, y2 = place
    path, _, frame = str(at).partition("@")
    height = float(group["height_m"])
    source = _Source(
        f"{at}#{x1}", group["thing"], group["mask"], data / path, int(frame) if frame else None,
        (x1, y1, x2, y2), (height, height),
    )  # fmt: skip
    return _cut(source, cache)


def _cut(source: _Source, cache: Path) -> Cut:
    kept = cache / f"{hashlib.sha256(f'{CUTTING} {source}'.encode()).hexdigest()[:24]}.png"
    four = cv2.imread(str(kept), cv2.IMREAD_UNCHANGED) if kept.is_file() else None
    if four is None:
        image, mask = _image_and_mask(source)
        four = np.dstack([image, np.round(mask * 255).astype(np.uint8)])
        cache.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(kept), four)
    image = np.ascontiguousarray(four[..., :3])
    mask = (four[..., 3] / np.float32(255)).astype(np.float32)
    return Cut(source.name, source.thing, source.how, image, mask, source.height_m)


def _image_and_mask(source: _Source) -> tuple[Image, Mask]:
    x1, y1, x2, y2 = source.box
    whole = _picture(source.path) if source.frame is None else _frame(source.path, source.frame)
    crop = np.ascontiguousarray(whole[y1:y2, x1:x2])
    match source.how:
        case "grabcut":
            return crop, _grabbed(whole, source.box)
        case "plate":
            return crop, _moved(crop, plate(source.path)[y1:y2, x1:x2])
        case "glow":
            return crop, _glow(crop)
        case "whole":
            return crop, _feathered(np.ones(crop.shape[:2], np.float32), 0.02)
        case _:
            return crop, _soft(crop)


def _grabbed(image: Image, box: tuple[int, int, int, int]) -> Mask:
    """The thing's own outline; where none is found that can be true, the soft shape."""
    x1, y1, x2, y2 = box
    mx, my = int((x2 - x1) * MARGIN) + 2, int((y2 - y1) * MARGIN) + 2
    left, top = max(x1 - mx, 0), max(y1 - my, 0)
    part = np.ascontiguousarray(image[top : y2 + my, left : x2 + mx])
    labels = np.zeros(part.shape[:2], np.uint8)
    rectangle = (x1 - left, y1 - top, x2 - x1, y2 - y1)
    cv2.setRNGSeed(1)
    cv2.grabCut(part, labels, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))[y1 - top : y2 - top, x1 - left : x2 - left]
    shape = _largest(found.astype(np.uint8))
    fill = float(shape.mean())
    return _feathered(shape.astype(np.float32), 0.02) if LEAST_FILL <= fill <= MOST_FILL else _soft(image[y1:y2, x1:x2])


def _moved(crop: Image, empty: Image) -> Mask:
    """What differs from the empty scene, holes closed: light trousers look like pavement."""
    differs = (np.abs(crop.astype(np.int16) - empty.astype(np.int16)).max(axis=2) > DIFFERS).astype(np.uint8)
    closed = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    return _feathered(_largest(np.asarray(closed, np.uint8)).astype(np.float32), 0.02)


def _glow(crop: Image) -> Mask:
    """Flames shine: the brighter and redder, the less the ground behind is seen."""
    red, blue = crop[..., 2].astype(np.float32), crop[..., 0].astype(np.float32)
    light = np.clip((red - 110) / 90, 0, 1) * np.clip((red - 0.4 * blue - 40) / 80, 0, 1)
    return (light * _soft(crop)).astype(np.float32)


def _soft(crop: Image) -> Mask:
    """A rounded rectangle that fades at its rim: a heap has no sharp outline on its own ground."""
    height, width = crop.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    faded: Mask = np.clip((1 - (np.abs(x) ** 3 + np.abs(y) ** 3)) / 0.35, 0, 1).astype(np.float32)
    return faded


def _largest(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest connected part, its holes filled."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    if outlines:
        cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled


def _feathered(mask: Mask, share: float) -> Mask:
    size = max(int(min(mask.shape) * share), 1) * 2 + 1
    return np.asarray(cv2.GaussianBlur(mask, (size, size), 0), np.float32)


def _touch(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether the other covers more than a tenth of the box."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0) > 0.1 * (box[2] - box[0]) * (box[3] - box[1])


def _frame(clip: Path, number: int) -> Image:
    film = cv2.VideoCapture(str(clip))
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    found, frame = film.read()
    film.release()
    if not found:
        raise SettingsError(f"{clip}: has no frame {number}; is the data folder complete?")
    return np.asarray(frame, np.uint8)


def _picture(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SettingsError(f"{path}: cannot be read; is the data folder complete?")
    return np.asarray(image, np.uint8)
