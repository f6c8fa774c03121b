"""Whether a camera still looks where it looked: edges of the picture against a slowly learnt reference.

Edges survive exposure, night and infrared far better than grey levels. The picture is compared in 24 blocks, each
with the same block of the reference: a lorry hides some blocks, a turned camera spoils all of them. Day, dusk and
infrared have a reference each, because lamps and leaves look different then.

Measured on seven real clips: 0.46 to 1.00 of the blocks agree while nothing moved (night noise, infrared, rain,
exposure, a third of the view hidden included: 0.33 and more), 0.00 to 0.14 in another view, 0.00 to 0.38 after a pan
by a tenth of the picture. Smaller pans are found by looking for the shift that fits better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
"""float32 (54, 96), 0..255."""

COLUMNS, ROWS = 96, 54
BLOCKS_ACROSS, BLOCKS_DOWN = 6, 4
_USED_ROWS, _USED_COLUMNS = 52, 90
"""Multiples of the blocks, of the 52 × 94 edges."""

AGREES = 0.35
"""Correlation of a block with its reference from which it shows the same: noise stays below 0.2."""

TEXTURED = 0.25
"""Variance of a block's edges from which it can be recognised at all; sky and plain asphalt have less."""

LEAST_BLOCKS = 8
"""With fewer recognisable blocks nothing is said: fog, snow, a wall."""

SPOILT, RESTORED = 0.3, 0.45
"""Share of agreeing blocks below which the view is another one, and from which it is the known one again."""

SUSPICIOUS = 0.75
"""Below this share a shift is looked for; it costs half a look's health."""

SHIFT_GAIN, SHIFT_FIT = 0.15, 0.5
"""A shift is believed when the picture fits that much better there, and well."""

LEAST_SHIFT = 3
"""Of 94 columns: 3 % of the picture; a pole in the wind moves 1 %."""

_REACH = 8
"""Shifts looked for, each way."""

MATURE_LOOKS = 12
MATURE_S = 60.0
"""A reference of fewer looks, or younger, judges nothing: whoever passed by is still in it."""

LEARN_EVERY_S = 30.0
LEARNING = 0.02
"""A mature reference takes over 2 % twice a minute: shadows wander in half an hour, snow settles in one."""

DARK = 50.0
COLOURLESS = 5.0
"""Mean grey level below which it is dusk; mean spread of the channels below which the camera sees infrared."""


class Light(StrEnum):
    """Each has a reference of its own."""

    DAY = "day"
    DARK = "dark"
    INFRARED = "infrared"


@dataclass(slots=True, eq=False)
class Reference:
    """edges: float32 (52, 94), their slow mean; plain: the same, each block without its mean and of length one;
    textured: which blocks can be recognised; sharpness: fine detail, mean of `Small.sharpness`."""

    edges: Grey
    began: datetime
    learnt_at: datetime
    sharpness: float
    looks: int = 1
    plain: Grey = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    texture: Grey = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def is_mature(self, now: datetime) -> bool:
        return self.looks >= MATURE_LOOKS and (now - self.began).total_seconds() >= MATURE_S


@dataclass(frozen=True, slots=True, eq=False)
class Small:
    """A picture small enough to judge in a tenth of a millisecond.

    points: uint8 (108, 192), single pixels; grey: float32 (54, 96), their means; spread: grey levels between dark and
    light (standard deviation).
    """

    points: NDArray[np.uint8]
    grey: Grey
    spread: float
    light: Light

    @property
    def sharpness(self) -> float:
        """Second difference along the rows over the picture's contrast: falls with focus, not with light.

        The first difference would not do: a blurred step climbs as high as a sharp one.
        """
        bends = cv2.norm(cv2.Sobel(self.points, cv2.CV_16S, 2, 0, ksize=1), cv2.NORM_L1)
        return float(bends) / self.points.size / (self.spread + 2.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """agreeing: share of the recognisable blocks; None: too few of them. lost: share whose texture is gone.
    shift: columns and rows by which the picture fits better, (0, 0) when it fits where it is."""

    agreeing: float | None
    lost: float
    shift: tuple[int, int] = (0, 0)


def small(image: NDArray[np.uint8]) -> Small:
    """Of BGR (H, W, 3) or grey (H, W); some 20,000 pixels are read whatever the picture's size."""
    height, width = image.shape[:2]
    rows, columns = max(height // (2 * ROWS), 1), max(width // (2 * COLUMNS), 1)
    coloured = image.ndim == 3
    points = np.ascontiguousarray(image[::rows, ::columns, 1] if coloured else image[::rows, ::columns])
    # Nearest first: OpenCV averages whole numbers of points ten times faster than fractions.
    points = np.asarray(cv2.resize(points, (2 * COLUMNS, 2 * ROWS), interpolation=cv2.INTER_NEAREST), np.uint8)
    grey = np.asarray(cv2.resize(points, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)
    mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    return Small(points, grey, spread, _light(image[:: rows * 4, :: columns * 4] if coloured else None, mean))


def edges(grey: Grey) -> Grey:
    """float32 (52, 94): the root of the gradient, so that one lamp does not outshine a street."""
    smooth = cv2.blur(grey, (3, 3))
    across = cv2.absdiff(smooth[1:-1, 2:], smooth[1:-1, :-2])
    down = cv2.absdiff(smooth[2:, 1:-1], smooth[:-2, 1:-1])
    return np.asarray(cv2.sqrt(across + down), np.float32)


def first_reference(found: Grey, *, sharpness: float, now: datetime) -> Reference:
    reference = Reference(found, began=now, learnt_at=now, sharpness=sharpness)
    _prepare(reference)
    return reference


def known_again(edges: Grey, *, began: datetime, learnt_at: datetime, sharpness: float, looks: int) -> Reference:
    """A reference that was kept. Raises ValueError when the edges have another shape."""
    if edges.shape != (ROWS - 2, COLUMNS - 2) or not np.isfinite(edges).all():
        raise ValueError(f"edges of shape {edges.shape} are no reference view")
    reference = Reference(edges, began=began, learnt_at=learnt_at, sharpness=sharpness, looks=looks)
    _prepare(reference)
    return reference


def learn(reference: Reference, found: Grey, *, sharpness: float, now: datetime) -> None:
    """Quickly at first, as the mean of what was seen; slowly and seldom once mature."""
    mature = reference.is_mature(now)
    if mature and 0 <= (now - reference.learnt_at).total_seconds() < LEARN_EVERY_S:
        return
    reference.looks += 1
    weight = LEARNING if mature else 1.0 / reference.looks
    reference.edges = reference.edges + np.float32(weight) * (found - reference.edges)
    reference.sharpness += weight * (sharpness - reference.sharpness)
    reference.learnt_at = now
    _prepare(reference)


def compare(found: Grey, reference: Reference) -> Comparison:
    used = found[:_USED_ROWS, :_USED_COLUMNS]
    known = reference.texture >= TEXTURED
    count = int(np.count_nonzero(known))
    texture = _texture(used)
    lost = float(np.count_nonzero(texture[known] < 0.1 * reference.texture[known])) / max(count, 1)
    if count < LEAST_BLOCKS:
        return Comparison(None, lost)
    size = _USED_ROWS * _USED_COLUMNS / (BLOCKS_ACROSS * BLOCKS_DOWN)
    fit = _block_means(used * reference.plain) * size / np.sqrt(np.maximum(texture, 1e-6) * size)
    agreeing = float(np.count_nonzero(fit[known] > AGREES)) / count
    shift = _shift(found, reference.edges) if agreeing < SUSPICIOUS else (0, 0)
    return Comparison(agreeing, lost, shift)


def _light(sample: NDArray[np.uint8] | None, mean: float) -> Light:
    """sample: BGR pixels; None: only grey is known, and infrared by day passes for day."""
    if sample is not None and cv2.mean(cv2.absdiff(sample[..., 2], sample[..., 0]))[0] < COLOURLESS:
        return Light.INFRARED
    return Light.DARK if mean < DARK else Light.DAY


def _prepare(reference: Reference) -> None:
    used = reference.edges[:_USED_ROWS, :_USED_COLUMNS]
    centred = used - _spread_out(_block_means(used))
    energy = _block_means(centred * centred)
    size = _USED_ROWS * _USED_COLUMNS / (BLOCKS_ACROSS * BLOCKS_DOWN)
    reference.texture = energy
    reference.plain = np.asarray(centred / np.sqrt(np.maximum(_spread_out(energy) * size, 1e-6)), np.float32)


def _texture(used: Grey) -> Grey:
    mean = _block_means(used)
    return np.asarray(_block_means(used * used) - mean * mean, np.float32)


def _block_means(values: Grey) -> Grey:
    return np.asarray(cv2.resize(values, (BLOCKS_ACROSS, BLOCKS_DOWN), interpolation=cv2.INTER_AREA), np.float32)


def _spread_out(blocks: Grey) -> Grey:
    size = (_USED_COLUMNS, _USED_ROWS)
    return np.asarray(cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST), np.float32)


def _shift(found: Grey, reference: Grey) -> tuple[int, int]:
    """(0, 0) unless the picture fits clearly better elsewhere."""
    inner = found[_REACH:-_REACH, _REACH:-_REACH]
    fits = cv2.matchTemplate(reference, inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(fits)
    if best < SHIFT_FIT or best - float(fits[_REACH, _REACH]) < SHIFT_GAIN:
        return (0, 0)
    return (_REACH - column, _REACH - row)
