"""Whether a look needs inference: has anything changed since the look inferred last? At most 0.2 ms.

Brightness and a shaking mast are explained away first (one gain, offset and small shift for the whole picture, fitted
where the picture agrees), so clouds, auto-exposure, dusk and wind do not open the gate; what cannot be explained that
way, in more than a speck, does.
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
"""Pixels averaged across and down for a cell, at least where the picture has them: 16 of them quarter the noise, and
reading many more costs too much."""

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

LEAST_GAIN, MOST_GAIN = 0.25, 4.0
"""What exposure can do between two looks."""

FURTHEST = 0.25
"""Cells a shake may move the picture: three pixels of 640. Further away slopes say little, and it is a moved camera."""

STILL = 2.5
"""Grey levels below which there is nothing to explain: noise after averaging, a quarter of the least step."""

STIFFNESS = 1.0
"""Keeps a picture without slopes, a wall or a black one, without a shift; nothing beside real slopes."""

_TRUSTED_CELLS = int(COLUMNS * ROWS * TRUSTED)

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
    """The picture in 48 × 27 grey cells; some ten thousand pixels are read whatever its size."""
    height, width = image.shape[:2]
    rows = max(height // (ROWS * POINTS_PER_CELL), 1)
    columns = max(width // (COLUMNS * POINTS_PER_CELL), 1)
    points: Image = np.ascontiguousarray(image[::rows, ::columns, 1])
    # The mean of all its pixels: of a picture moved by one pixel, single ones would differ by chance.
    return np.asarray(cv2.resize(points, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


def unexplained(cells: Cells, reference: Cells) -> Cells:
    """Grey levels by which each cell differs from the reference under the best common gain, offset and shift."""
    plain: Cells = np.abs(cells - reference)
    if plain.max() <= STILL:
        return plain
    terms, now = _terms(reference), cells.ravel()
    error = np.abs(now - _explained(terms, _fit(terms, now)))
    trusted = np.flatnonzero(error <= np.partition(error, _TRUSTED_CELLS)[_TRUSTED_CELLS])
    found = _fit(terms.take(trusted, axis=1), now.take(trusted))
    left: Cells = np.abs(now - _explained(terms, found)).reshape(cells.shape)
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


def _terms(reference: Cells) -> Cells:
    """float32 (4, cells): what a later picture is made of: the reference, its slopes across and down, a constant.

    A picture moved by part of a cell is the reference and that part of its slopes (Lucas and Kanade, 1981).
    """
    terms = np.zeros((4, *reference.shape), np.float32)
    terms[0], terms[3] = reference, 1.0
    np.subtract(reference[:, 2:], reference[:, :-2], out=terms[1, :, 1:-1])
    np.subtract(reference[2:], reference[:-2], out=terms[2, 1:-1])
    return terms.reshape(4, -1)


def _explained(terms: Cells, found: Cells) -> Cells:
    """What the reference would look like now; a camera's levels end at 0 and 255."""
    explained: Cells = found @ terms
    return explained.clip(0, 255, out=explained)


def _fit(terms: Cells, now: Cells) -> Cells:
    """float32 (4,): gain, half shifts across and down, offset, by least squares; no shift where slopes cannot tell."""
    products = (terms @ terms.T).astype(np.float64)
    products.flat[:15:5] += STIFFNESS
    found = np.linalg.solve(products, (terms @ now).astype(np.float64))
    gain, across, down, _ = found
    if LEAST_GAIN <= gain <= MOST_GAIN and max(abs(across), abs(down)) <= FURTHEST / 2:
        return found.astype(np.float32)
    return _fit_brightness(terms[0], now)


def _fit_brightness(before: Cells, now: Cells) -> Cells:
    """float32 (4,): gain, no shifts, offset."""
    mean_before, mean_now = float(before.mean()), float(now.mean())
    centred = before - np.float32(mean_before)
    spread = float(centred @ centred)
    gain = float(centred @ now) / spread if spread > 1.0 else 1.0
    gain = min(max(gain, LEAST_GAIN), MOST_GAIN)
    return np.array([gain, 0.0, 0.0, mean_now - gain * mean_before], np.float32)


def _is_something(over: Marks) -> bool:
    """More than a speck: neighbouring cells."""
    if np.count_nonzero(over) < CELLS:
        return False
    return bool((over[:, 1:] & over[:, :-1]).any() or (over[1:] & over[:-1]).any())
