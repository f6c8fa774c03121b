"""Flames, smoke and lamps drawn by calculation: 24 real scenes are too few to say what every flame has in common.

Domain randomisation (Tobin et al., 2017, arXiv:1703.06907): the shapes are fractal noise, the colours are those a
cheap sensor makes of a flame (white core, yellow, orange, dark red edge), and both vary far more than real ones do.
Lamps are the other side of the lesson: as bright, as warm, but round or straight-edged and not fire.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.training.augment import Sample
from models.geometry import Boxes
from models.pictures import Image

Plane = NDArray[np.float32]
"""(H, W), 0..1."""

CANVAS = (96, 72)  # rows, columns a flame is drawn at; noise finer than this is lost in any look
FLAME_SIDES, SMOKE_SIDES = (0.05, 0.6), (0.2, 0.9)  # of the picture's side, drawn evenly in the logarithm
VISIBLE = 0.3  # cover from which a pixel belongs to the box
LEAST_SIDE = 8  # pixels; smaller, and not even a person could tell it from a lamp


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """colour: float32 (H, W, 3) BGR 0..255; cover: (H, W) 0..1."""

    colour: NDArray[np.float32]
    cover: Plane


def noise(shape: tuple[int, int], random: np.random.Generator, *, octaves: int = 4) -> Plane:
    """Fractal value noise, 0..1."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cells = 2 << octave
        grid = random.random((cells + 1, cells + 1), np.float32)
        total += cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC) * np.float32(0.5**octave)
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def flame(random: np.random.Generator) -> Layer:
    """Tongues that narrow upward, torn by noise that grows with height."""
    rows, columns = CANVAS
    height = np.linspace(1, 0, rows, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
    sway = (noise(CANVAS, random) - 0.5) * height * np.float32(random.uniform(0.3, 0.9))
    heat = np.zeros(CANVAS, np.float32)
    for _ in range(int(random.integers(1, 6))):
        centre, width, reach = random.uniform(0.3, 0.7), random.uniform(0.08, 0.25), random.uniform(0.5, 1.0)
        narrow = np.maximum(width * (1.05 - height / reach), 0.01)
        tongue = np.exp(-(((across + sway - centre) / narrow) ** 2)) * np.clip((reach - height) / 0.3, 0, 1)
        heat = np.maximum(heat, tongue.astype(np.float32))
    heat *= 0.55 + 0.75 * noise(CANVAS, random, octaves=5)
    heat = np.clip(heat * random.uniform(0.8, 1.5), 0, 1)
    return Layer(_burning(heat, random), np.clip(heat * 1.7 - 0.15, 0, 1))


def _burning(heat: Plane, random: np.random.Generator) -> NDArray[np.float32]:
    """Red from little heat, green from more, blue from most: dark red, orange, yellow, white."""
    exposure = random.uniform(0.8, 1.6)
    powers = (random.uniform(1.6, 3.5), random.uniform(0.8, 1.5), random.uniform(0.25, 0.5))
    colour = np.stack([np.clip(heat**power * exposure, 0, 1) for power in powers], 2) * 255
    if random.random() < 0.15:  # a camera in infrared, or blind with light
        colour[:] = colour.max(2, keepdims=True)
    return colour.astype(np.float32)


def smoke(random: np.random.Generator) -> Layer:
    """A plume that widens upward, from nearly white to nearly black, denser in its middle."""
    rows, columns = CANVAS
    height = np.linspace(1, 0, rows, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
    lean, spread = random.uniform(-0.35, 0.35), random.uniform(0.1, 0.3)
    width = random.uniform(0.06, 0.15) + spread * height
    body = np.exp(-(((across - 0.5 - lean * height + (noise(CANVAS, random) - 0.5) * 0.4) / width) ** 2) / 1.5)
    puffs = noise(CANVAS, random, octaves=5)
    fade = np.clip((1 - height) / random.uniform(0.05, 0.4), 0, 1) * np.clip(height / 0.08, 0, 1)
    cover = np.clip(body * fade * (0.5 + 0.8 * puffs) * random.uniform(0.7, 1.3), 0, 0.97)
    grey = random.uniform(25, 225)
    tint = grey + (puffs - 0.5)[..., None] * random.uniform(30, 110) + random.normal(0, 5, 3)
    return Layer(np.clip(tint, 0, 255).astype(np.float32), cover.astype(np.float32))


def lamp(random: np.random.Generator) -> Layer:
    """A bright disc or bar with a glow: street lamp, brake light, low sun, lit window, vest."""
    side = 48
    y, x = np.mgrid[-1 : 1 : complex(side), -1 : 1 : complex(side)].astype(np.float32)
    if random.random() < 0.6:
        far = np.sqrt((x * random.uniform(1, 2)) ** 2 + (y * random.uniform(1, 2)) ** 2)
    else:
        far = np.maximum(abs(x) * random.uniform(1, 4), abs(y) * random.uniform(1, 4))
    core = np.clip((random.uniform(0.2, 0.45) - far) * 12, 0, 1)
    glow = np.exp(-((far / random.uniform(0.3, 0.6)) ** 2)) * random.uniform(0.2, 0.7)
    hue = np.array([(60, 150, 255), (40, 40, 255), (200, 240, 255), (30, 200, 255), (120, 190, 255)], np.float32)
    tint = hue[int(random.integers(len(hue)))]
    colour = tint + (255 - tint) * (core * random.uniform(0.2, 1.0))[..., None]
    return Layer(colour.astype(np.float32), np.clip(np.maximum(core, glow), 0, 1).astype(np.float32))


def burning(sample: Sample, *, fire: int, smoke_class: int, random: np.random.Generator) -> Sample:
    """The sample with one to three flames, or a plume, or both, and their boxes."""
    kind = random.random()
    image = sample.image.copy()
    boxes: list[Boxes | None] = []
    class_ids: list[int] = []
    centre = random.uniform(0.15, 0.85, 2) * np.array(image.shape[1::-1])
    if kind < 0.6:
        box = laid(image, smoke(random), at=centre, sides=SMOKE_SIDES, random=random, rising=True)
        boxes, class_ids = [*boxes, box], [*class_ids, smoke_class]
    if kind > 0.3:
        for _ in range(int(random.integers(1, 4))):
            spot = centre + random.normal(0, 0.04, 2) * image.shape[1]
            boxes.append(laid(image, flame(random), at=spot, sides=FLAME_SIDES, random=random, rising=True))
            class_ids.append(fire)
    found = [(box, number) for box, number in zip(boxes, class_ids, strict=True) if box is not None]
    merged = _merged(found, fire=fire)
    return Sample(
        image,
        np.concatenate([sample.boxes, np.array([box for box, _ in merged], np.float32).reshape(-1, 4)]),
        np.concatenate([sample.class_ids, np.array([number for _, number in merged], np.int32)]),
    )


def lit(sample: Sample, *, random: np.random.Generator) -> Sample:
    """The sample with a few lamps in it, without boxes: what fire is not."""
    image = sample.image.copy()
    for _ in range(int(random.integers(1, 5))):
        spot = random.uniform(0.05, 0.95, 2) * np.array(image.shape[1::-1])
        laid(image, lamp(random), at=spot, sides=(0.03, 0.25), random=random, rising=False)
    return Sample(image, sample.boxes, sample.class_ids)


def laid(
    image: Image,
    layer: Layer,
    *,
    at: NDArray[np.float64],
    sides: tuple[float, float],
    random: np.random.Generator,
    rising: bool,
) -> NDArray[np.float32] | None:
    """Lays the layer on the image, its foot (or middle) at `at`; the box of what is visible, xyxy pixels."""
    side = min(image.shape[:2]) * np.exp(random.uniform(*np.log(sides)))
    rows = max(int(side), LEAST_SIDE)
    columns = max(int(side * layer.cover.shape[1] / layer.cover.shape[0] * random.uniform(0.6, 1.6)), LEAST_SIDE)
    left, top = int(at[0] - columns / 2), int(at[1] - (rows if rising else rows / 2))
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + columns, image.shape[1]), min(top + rows, image.shape[0])
    if x2 - x1 < LEAST_SIDE or y2 - y1 < LEAST_SIDE:
        return None
    window = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
    colour = cv2.resize(layer.colour, (columns, rows))[window]
    cover = cv2.resize(layer.cover, (columns, rows))[window]
    under = image[y1:y2, x1:x2]
    under[:] = np.clip(colour * cover[..., None] + under * (1 - cover[..., None]), 0, 255).astype(np.uint8)
    down, right = np.nonzero(cover > VISIBLE)
    if not len(down) or min(np.ptp(down), np.ptp(right)) < LEAST_SIDE // 2:
        return None
    return np.array([x1 + right.min(), y1 + down.min(), x1 + right.max() + 1, y1 + down.max() + 1], np.float32)


def _merged(found: list[tuple[Boxes, int]], *, fire: int) -> list[tuple[Boxes, int]]:
    """Flames that touch are one fire, as a person would mark them."""
    waiting = [box for box, number in found if number == fire]
    joined: list[Boxes] = []
    while waiting:
        box = waiting.pop()
        near = [other for other in joined if _touch(other, box)]
        if not near:
            joined.append(box)
            continue
        joined = [other for other in joined if not _touch(other, box)]
        every = np.stack([box, *near])
        waiting.append(np.concatenate([every[:, :2].min(0), every[:, 2:].max(0)]))
    return [*(one for one in found if one[1] != fire), *((box, fire) for box in joined)]


def _touch(one: Boxes, other: Boxes) -> bool:
    return bool((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())
