"""Street-camera weather for training pictures: geometry, night, rain, blur, blocks, pasted flames. Seeded, cv2 only."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Boxes
from models.pictures import Image

GREY = (114, 114, 114)  # the letterbox grey of the runtime: the network must know it as "nothing"
LEAST_VISIBLE = 0.25  # of a box's area after cropping: less than a quarter is no example of the thing
LEAST_SIDE = 4.0  # pixels: half a cell of the finest stride


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """image: uint8 (S, S, 3) BGR; boxes: float32 (N, 4) xyxy pixels; class_ids: int32 (N,)."""

    image: Image
    boxes: Boxes
    class_ids: NDArray[np.int32]


def warped(sample: Sample, *, side: int, scales: tuple[float, float], random: np.random.Generator) -> Sample:
    """The picture at a random size (1 fills the square), aspect, shear and place on a square.

    Aspect: the garbage pictures were stretched to squares and mostly sheared; cameras are 16:9. So neither may matter.
    """
    height, width = sample.image.shape[:2]
    fit = side / max(height, width)
    scale = fit * random.uniform(*scales)
    stretch = np.exp(random.uniform(-0.35, 0.35))
    shear = random.uniform(-0.12, 0.12, 2)
    angle = np.deg2rad(random.uniform(-3, 3))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[1, shear[0]], [shear[1], 1]]) @ np.diag([scale * stretch, scale / stretch])
    centre = np.array([width / 2, height / 2])
    target = side / 2 + side * random.uniform(-0.18, 0.18, 2)
    matrix = np.column_stack([linear, target - linear @ centre])
    fill = GREY if random.random() < 0.7 else (0, 0, 0)
    image = cv2.warpAffine(sample.image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=fill)
    return _moved(sample, np.asarray(image, np.uint8), matrix)


def _moved(sample: Sample, image: Image, matrix: NDArray[np.float64]) -> Sample:
    boxes = sample.boxes
    corners = np.stack([boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [2, 3]], boxes[:, [0, 3]]], 1)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    whole = np.concatenate([moved.min(1), moved.max(1)], 1)
    return clipped(Sample(image, whole.astype(np.float32), sample.class_ids))


def clipped(sample: Sample) -> Sample:
    """Boxes cut at the picture's edge; those mostly outside are dropped."""
    height, width = sample.image.shape[:2]
    limit = np.array([width, height, width, height], np.float32)
    inside = np.clip(sample.boxes, 0, limit)
    before = np.maximum(_areas(sample.boxes), 1e-6)
    sides = inside[:, 2:] - inside[:, :2]
    keep = (_areas(inside) / before > LEAST_VISIBLE) & (sides.min(1, initial=np.inf) > LEAST_SIDE)
    return Sample(sample.image, inside[keep], sample.class_ids[keep])


def _areas(boxes: Boxes) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    return areas


def mosaic(samples: list[Sample], *, side: int, random: np.random.Generator) -> Sample:
    """Four pictures of one set around a random point: small things, many contexts."""
    canvas = np.full((side, side, 3), 114, np.uint8)
    cross = (side * random.uniform(0.35, 0.65, 2)).astype(int)
    boxes, class_ids = [], []
    for index, sample in enumerate(samples):
        left, top = (0, cross[0])[index % 2], (0, cross[1])[index // 2]
        width = cross[0] if index % 2 == 0 else side - cross[0]
        height = cross[1] if index // 2 == 0 else side - cross[1]
        old_height, old_width = sample.image.shape[:2]
        canvas[top : top + height, left : left + width] = cv2.resize(sample.image, (int(width), int(height)))
        scale = np.array([width / old_width, height / old_height] * 2, np.float32)
        boxes.append(sample.boxes * scale + np.array([left, top, left, top], np.float32))
        class_ids.append(sample.class_ids)
    return clipped(Sample(canvas, np.concatenate(boxes), np.concatenate(class_ids)))


def mirrored(sample: Sample) -> Sample:
    width = sample.image.shape[1]
    boxes = sample.boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
    boxes += np.array([width, 0, width, 0], np.float32)
    return Sample(np.ascontiguousarray(sample.image[:, ::-1]), boxes, sample.class_ids)


def weathered(image: Image, *, random: np.random.Generator) -> Image:
    """Light, colour, and what a cheap camera at night, in rain or behind a thin line does to a picture."""
    image = _toned(image, random)
    if random.random() < 0.12:
        image = _infrared(image, random)
    if random.random() < 0.04:
        image = _rained(image, random)
    if random.random() < 0.15:
        image = _coarse(image, random)
    if random.random() < 0.10:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.6, 1.6)), np.uint8)
    if random.random() < 0.12:
        image = _noisy(image, random)
    if random.random() < 0.3:
        image = _blocky(image, random)
    return image


def _toned(image: Image, random: np.random.Generator) -> Image:
    """One lookup table a channel: gain, gamma (0.6 bright day to 1.9 dusk) and a colour cast."""
    gamma = np.exp(random.normal(0.05, 0.25))
    gains = random.uniform(0.75, 1.2) * random.normal(1.0, 0.05, 3)
    ramp = (np.arange(256) / 255) ** gamma * 255
    table = np.clip(ramp[:, None] * gains, 0, 255).astype(np.uint8)
    toned = np.asarray(cv2.LUT(image, table[:, None, :]), np.uint8)
    if random.random() < 0.5:
        toned = _saturated(toned, random.uniform(0.5, 1.4))
    return toned


def _saturated(image: Image, amount: float) -> Image:
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(image, amount, grey, 1 - amount, 0), np.uint8)


def _infrared(image: Image, random: np.random.Generator) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    dark = cv2.convertScaleAbs(grey, alpha=random.uniform(0.5, 1.0), beta=random.uniform(-10, 10))
    return np.asarray(cv2.cvtColor(dark, cv2.COLOR_GRAY2BGR), np.uint8)


def _rained(image: Image, random: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    veil = np.zeros((height, width), np.uint8)
    lean = int(random.integers(-6, 7))
    for x, y in random.integers(0, (width, height), (int(random.integers(60, 220)), 2)):
        cv2.line(veil, (int(x), int(y)), (int(x) + lean, int(y) + int(random.integers(8, 20))), 200, 1)
    streaks = cv2.cvtColor(cv2.blur(veil, (2, 2)), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(image, 0.9, streaks, 0.5, 8), np.uint8)


def _coarse(image: Image, random: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    share = random.uniform(0.35, 0.75)
    small = cv2.resize(image, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _noisy(image: Image, random: np.random.Generator) -> Image:
    noise = random.normal(0, random.uniform(3, 14), image.shape)
    noisy: Image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return noisy


def _blocky(image: Image, random: np.random.Generator) -> Image:
    done, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(18, 70))])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8) if done else image
