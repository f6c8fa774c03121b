"""Whether a look needs inference: has anything changed since the look inferred last? At most 0.2 ms.

Brightness is explained away first (one gain and offset for the whole picture, fitted where the picture agrees), so
clouds, auto-exposure and dusk do not open the gate; what cannot be explained that way, in more than a speck, does.
Each cell of each camera learns how restless it is (leaves, water, flags). The gate never silences a camera: at the
latest every `FULL_EVERY_S` a look goes through, and promised looks always do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from models.ids import CameraId
from models.pictures import Image, Look, LookReason

COLUMNS, ROWS = 48, 27
"""Cells of the signature; a pedestrian 30 pixels wide in a 768-pixel picture covers about 2 × 4 of them."""

POINTS_PER_CELL = 4
"""Pixels averaged across and down for a cell: 16 of them quarter the noise, and reading more costs too much."""

FULL_EVERY_S = 60.0
"""A look is inferred at least this often, which bounds how long a miss can last: two thirds of the shortest dwell
limits (F5 at 2 min, 2 min stops of vendors) are left."""

STEP = 10.0
"""Grey levels a cell must differ: JPEG noise after averaging is 1 to 2, a person's coat 20 and more."""

RESTLESS = 3.0
"""Times its usual restlessness a cell must differ."""

RESTLESS_CAP = 12.0
"""Grey levels: however restless a cell has become, a change of 36 levels still opens it."""

LEARNING = 0.1
"""Weight of the newest look in a cell's restlessness: about ten looks are remembered."""

CELLS = 2
"""Neighbouring cells that must differ: one alone is an insect, a rain drop, a reflection."""

TRUSTED = 0.7
"""Share of cells the brightness is fitted to in the second round: a bus may cover a third of the picture."""

MAX_CAMERAS = 100_000
"""Cameras remembered, 10 kB each; the one not seen longest is forgotten first and just inferred once more."""

_POINTS = (COLUMNS * POINTS_PER_CELL, ROWS * POINTS_PER_CELL)

Cells = NDArray[np.float32]
"""float32 (ROWS, COLUMNS), grey levels 0..255."""


@dataclass(slots=True, eq=False)
class _Memory:
    reference: Cells
    inferred_at: datetime
    restless: Cells


class Gate:
    """Remembers every camera it has seen. Not thread-safe."""

    def __init__(self) -> None:
        self._memories: dict[CameraId, _Memory] = {}

    def changed(self, look: Look) -> bool:
        """True when the look is to be inferred; it then is what later looks are compared with."""
        cells = signature(look.image)
        memory = self._memories.pop(look.camera_id, None)
        if memory is None:
            memory = _Memory(cells, look.captured_at, np.zeros_like(cells))
            opens = True
        else:
            difference = unexplained(cells, memory.reference)
            opens = _forced(look, memory) or _opens(difference, memory.restless)
            memory.restless += LEARNING * (np.minimum(difference, RESTLESS_CAP) - memory.restless)
            if opens:
                memory.reference, memory.inferred_at = cells, look.captured_at
        self._memories[look.camera_id] = memory
        if len(self._memories) > MAX_CAMERAS:
            del self._memories[next(iter(self._memories))]
        return opens

    def forget(self, camera_id: CameraId) -> None:
        """For a camera that was removed, moved or given new zones: its next look is inferred."""
        self._memories.pop(camera_id, None)


def signature(image: Image) -> Cells:
    """The picture in 48 × 27 grey cells; a few thousand pixels are read whatever its size."""
    height, width = image.shape[:2]
    rows = max(height // (ROWS * POINTS_PER_CELL), 1)
    columns = max(width // (COLUMNS * POINTS_PER_CELL), 1)
    points: Image = np.ascontiguousarray(image[::rows, ::columns, 1])
    # A whole number of points per cell: OpenCV averages those three times faster than fractions.
    points = np.asarray(cv2.resize(points, _POINTS, interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.asarray(cv2.resize(points, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def unexplained(cells: Cells, reference: Cells) -> Cells:
    """Grey levels by which each cell differs from the reference under the best common gain and offset."""
    gain, offset = _fit(reference, cells)
    error = np.abs(_explained(reference, gain, offset) - cells)
    trusted = error <= np.partition(error, int(error.size * TRUSTED), axis=None)[int(error.size * TRUSTED)]
    gain, offset = _fit(reference[trusted], cells[trusted])
    left: Cells = np.abs(_explained(reference, gain, offset) - cells)
    return left


def _explained(reference: Cells, gain: float, offset: float) -> Cells:
    """What the reference would look like now; a camera's levels end at 0 and 255."""
    explained: Cells = reference * np.float32(gain) + np.float32(offset)
    return explained.clip(0, 255, out=explained)


def _fit(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[float, float]:
    """Least squares of after = gain × before + offset, gain kept to what exposure can do."""
    mean_before, mean_after = cv2.mean(before)[0], cv2.mean(after)[0]
    centred = before.ravel() - np.float32(mean_before)
    spread = float(centred @ centred)
    gain = float(centred @ after.ravel()) / spread if spread > 1.0 else 1.0
    gain = min(max(gain, 0.25), 4.0)
    return gain, mean_after - gain * mean_before


def _forced(look: Look, memory: _Memory) -> bool:
    """Promised looks are inferred, and at least one a minute; also after the clock was set back."""
    age_s = (look.captured_at - memory.inferred_at).total_seconds()
    return look.reason is not LookReason.ROUTINE or not 0 <= age_s < FULL_EVERY_S


def _opens(difference: Cells, restless: Cells) -> bool:
    over = difference > np.maximum(restless * RESTLESS, STEP)
    beside = (over[:, 1:] & over[:, :-1]).any() or (over[1:] & over[:-1]).any()
    return bool(beside) and int(np.count_nonzero(over)) >= CELLS
