"""Whether a look needs inference: has anything changed since the look inferred last? At most 0.2 ms.

Brightness is explained away first (one gain and offset for the whole picture, fitted where the picture agrees), so
clouds, auto-exposure and dusk do not open the gate; what cannot be explained that way, in more than a speck, does.
Each cell of each camera learns how restless it is (leaves, water, flags).

What differs in two looks running, the same way, has come to stand there: that always opens. What differs in one only
is passing by, and so is what looks again as it usually does: a street with traffic has that in every look, so each
camera may spend a few such openings and earns one every half minute.

The gate never silences a camera: promised looks always go through, and a full look does from time to time, less often
the longer full looks have shown nothing the gate had not seen (`Gate.inferred`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

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
"""A look is inferred at least this often while little is known of the camera: two thirds of the shortest dwell limits
(F5 at 2 min, 2 min stops of vendors) are left when a change was missed."""

FULL_AT_MOST_S = 480.0
"""… and this often once three full looks in a row have shown that the gate misses nothing on this camera. A quiet
camera then costs one inference in fifty looks; a miss lasts eight minutes at most, within every limit above ten."""

FULL_SPREAD = 0.25
"""Full looks come up to this share earlier, different for each camera: those started together must not be inferred
together for ever."""

STEP = 10.0
"""Grey levels a cell must differ: JPEG noise after averaging is 1 to 2, a person's coat 20 and more."""

MISSED, KEENEST, REGAINED = 0.7, 0.4, 1.1
"""A miss makes the camera's step that much finer, down to 0.4 of it (4 levels, twice the noise); a full look that
showed no miss makes it coarser again."""

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

PASSES, PASS_EVERY_S = 3.0, 30.0
"""Openings for what only passes by: three at hand, one more every 30 s. A crowd or a vendor at work is still looked at
six times in the three minutes after which it is told."""

USUAL_STEP = 1.0
"""Grey levels by which a cell's usual value follows each look: something must stand for twenty looks to become usual,
and cars that pass never do."""

MAX_CAMERAS = 100_000
"""Cameras remembered, 18 kB each; the one not seen longest is forgotten first and just inferred once more."""

_POINTS = (COLUMNS * POINTS_PER_CELL, ROWS * POINTS_PER_CELL)

Cells = NDArray[np.float32]
"""float32 (ROWS, COLUMNS), grey levels 0..255."""

Marks = NDArray[np.bool_]
"""bool (ROWS, COLUMNS)."""

_NOWHERE: Marks = np.zeros((ROWS, COLUMNS), bool)


class Verdict(StrEnum):
    """What is to become of a look."""

    INFER = "infer"
    UNCHANGED = "unchanged"
    """What stood there still stands there."""
    PASSING = "passing"
    """Something moved that is not worth an inference now; nothing is known of what stands there."""


@dataclass(slots=True, eq=False)
class _Memory:
    """reference: of the last inferred look; usual: slow mean; previous: of the last look; moved: where it differed from
    the reference; by_force: the gate itself saw no reason to infer the last look; passing: none but what passed by."""

    reference: Cells
    usual: Cells
    previous: Cells
    inferred_at: datetime | None
    restless: Cells
    moved: Marks = field(default_factory=lambda: _NOWHERE)
    full_every_s: float = FULL_EVERY_S
    keenness: float = 1.0
    passes: float = PASSES
    by_force: bool = False
    passing: bool = False


class Gate:
    """Remembers every camera it has seen. Not thread-safe. misses: changes only a full look showed."""

    def __init__(self) -> None:
        self._memories: dict[CameraId, _Memory] = {}
        self.misses = 0
        self.full_looks = 0

    def judge(self, look: Look) -> Verdict:
        """What is to become of the look; `inferred` is told when it was inferred."""
        memory = self._memories.pop(look.camera_id, None)
        verdict = Verdict.INFER if memory is None else _judge(memory, look)
        self._memories[look.camera_id] = memory or _unknown(look)
        if len(self._memories) > MAX_CAMERAS:
            del self._memories[next(iter(self._memories))]
        return verdict

    def inferred(self, look: Look, *, surprising: bool = False) -> None:
        """The look was inferred: it is what later ones are compared with.

        surprising: it showed something new. When the gate had seen no change, that was a miss, and it is keener from
        now on.
        """
        memory = self._memories.get(look.camera_id)
        if memory is None:
            return
        if memory.inferred_at is not None:
            earned = max((look.captured_at - memory.inferred_at).total_seconds(), 0.0) / PASS_EVERY_S
            memory.passes = min(memory.passes + earned, PASSES) - (1.0 if memory.passing else 0.0)
        memory.reference, memory.inferred_at = signature(look.small), look.captured_at
        memory.moved = _NOWHERE
        if memory.by_force and look.reason is LookReason.ROUTINE:
            self._learn(memory, missed=surprising)

    def forget(self, camera_id: CameraId) -> None:
        """For a camera that was removed, moved or given new zones: its next look is inferred."""
        self._memories.pop(camera_id, None)

    def _learn(self, memory: _Memory, *, missed: bool) -> None:
        self.full_looks += 1
        self.misses += missed
        if missed:
            memory.full_every_s = FULL_EVERY_S
            memory.keenness = max(memory.keenness * MISSED, KEENEST)
        else:
            memory.full_every_s = min(memory.full_every_s * 2, FULL_AT_MOST_S)
            memory.keenness = min(memory.keenness * REGAINED, 1.0)


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
    left: Cells = np.abs(cells - _explained(reference, gain, offset))
    return left


def _unknown(look: Look) -> _Memory:
    cells = signature(look.small)
    return _Memory(cells, cells.copy(), cells, None, np.zeros_like(cells))


def _judge(memory: _Memory, look: Look) -> Verdict:
    """Learns how restless each cell is, and what it usually looks like."""
    cells = signature(look.small)
    difference = unexplained(cells, memory.reference)
    least = np.maximum(memory.restless * RESTLESS, STEP * memory.keenness)
    moved = difference > least
    moves = _is_something(moved)
    stays = moves and _is_something(_standing(moved, cells, memory) & (np.abs(cells - memory.usual) > least))
    memory.usual += np.clip(cells - memory.usual, -USUAL_STEP, USUAL_STEP)
    memory.restless += LEARNING * (np.minimum(difference, RESTLESS_CAP) - memory.restless)
    memory.moved, memory.previous = moved, cells
    if memory.inferred_at is None:
        return Verdict.INFER
    age_s = (look.captured_at - memory.inferred_at).total_seconds()
    memory.passing = moves and not stays
    memory.by_force = not moves
    affordable = moves and memory.passes + max(age_s, 0.0) / PASS_EVERY_S >= 1.0
    if stays or affordable or _forced(look, memory, age_s):
        return Verdict.INFER
    return Verdict.PASSING if moves else Verdict.UNCHANGED


def _standing(moved: Marks, cells: Cells, memory: _Memory) -> Marks:
    """What differs from the reference in this look and the one before, and is the same in both."""
    marks: Marks = moved & memory.moved & (np.abs(cells - memory.previous) < STEP)
    return marks


def _forced(look: Look, memory: _Memory, age_s: float) -> bool:
    """Promised looks are inferred, and one from time to time; also after the clock was set back."""
    if look.reason is not LookReason.ROUTINE:
        return True
    early = zlib.crc32(look.camera_id.encode()) / 2**32 * FULL_SPREAD
    return not 0 <= age_s < memory.full_every_s * (1 - early)


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


def _is_something(over: Marks) -> bool:
    """More than a speck: neighbouring cells."""
    if np.count_nonzero(over) < CELLS:
        return False
    return bool((over[:, 1:] & over[:, :-1]).any() or (over[1:] & over[:-1]).any())
