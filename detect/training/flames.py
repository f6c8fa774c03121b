"""Flames cut from the fire pictures and pasted onto streets: 24 scenes are too few to learn fire from as they stand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.labels import LabelledPicture
from detect.pixels import read_picture
from detect.training.augment import Sample
from models.pictures import Image

LEAST_FLAME_SIDE = 16  # pixels: smaller cut-outs are a few orange blocks, and teach lamps
LEAST_SHARE = 0.12  # of the cut-out that must be flame: less, and the box held smoke or night


@dataclass(frozen=True, slots=True, eq=False)
class Flame:
    """image: uint8 (H, W, 3) BGR; cover: float32 (H, W), 0..1, how much of each pixel is flame."""

    image: Image
    cover: NDArray[np.float32]


def flames_of(pictures: list[LabelledPicture], fire: int) -> list[Flame]:
    """Every usable flame of the labelled pictures."""
    found = []
    for picture in pictures:
        image = read_picture(picture.path)
        if image is None:
            continue
        height, width = image.shape[:2]
        for box in picture.boxes[picture.class_ids == fire]:
            x1, y1, x2, y2 = (box * np.array([width, height, width, height])).astype(int)
            flame = _cut(image[y1:y2, x1:x2])
            if flame is not None:
                found.append(flame)
    return found


def _cut(crop: Image) -> Flame | None:
    """Flame is bright and redder than blue; the cut-out fades at its edge."""
    if min(crop.shape[:2], default=0) < LEAST_FLAME_SIDE:
        return None
    values = crop.astype(np.float32)
    bright = np.clip((values.max(2) - 110) / 90, 0, 1)
    warm = np.clip((values[..., 2] - values[..., 0]) / 50, 0, 1)
    cover = cv2.GaussianBlur(bright * warm, (0, 0), 1.2)
    y, x = np.mgrid[-1 : 1 : complex(crop.shape[0]), -1 : 1 : complex(crop.shape[1])]
    cover *= np.clip((1.05 - np.maximum(abs(x), abs(y))) / 0.2, 0, 1).astype(np.float32)
    return Flame(crop.copy(), cover) if float((cover > 0.3).mean()) > LEAST_SHARE else None


def pasted(sample: Sample, flame: Flame, *, fire: int, random: np.random.Generator) -> Sample:
    """The sample with the flame burning somewhere in it, at 3 to 25 % of its side, and its box."""
    side = min(sample.image.shape[:2])
    height, width = flame.cover.shape
    scale = side * np.exp(random.uniform(np.log(0.03), np.log(0.25))) / max(height, width)
    size = (max(int(width * scale), 6), max(int(height * scale), 6))
    crop, cover = cv2.resize(flame.image, size), cv2.resize(flame.cover, size)
    if random.random() < 0.5:
        crop, cover = crop[:, ::-1], cover[:, ::-1]
    left = int(random.integers(0, sample.image.shape[1] - size[0]))
    top = int(random.integers(0, sample.image.shape[0] - size[1]))
    image = sample.image.copy()
    patch = image[top : top + size[1], left : left + size[0]]
    patch[:] = (crop * cover[..., None] + patch * (1 - cover[..., None])).astype(np.uint8)
    rows, columns = np.nonzero(cover > 0.25)
    if not len(rows):
        return sample
    box = [left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1]
    boxes = np.concatenate([sample.boxes, np.array([box], np.float32)])
    return Sample(image, boxes, np.append(sample.class_ids, np.int32(fire)))
