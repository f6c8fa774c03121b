"""What has newly come to stand in front of a camera, whatever it is: static change against a learnt background.

Grey values are normalised by their surroundings, so that clouds, dusk and exposure change nothing; people and
vehicles in the detections are left out, so that passers-by neither count nor wear into the background. A place that
differs the same way look after look is a static change. It never becomes background by itself: a heap of rubble does
not turn legal by lying there.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import PayloadError
from models.geometry import Box
from models.pictures import Detections, Image
from models.taxonomy import STATIC_CHANGE

WIDTH, HEIGHT = 160, 90
"""Grain of the comparison: a bag of 40 pixels in a 640-pixel picture is 10 cells wide."""

SURROUNDINGS = 31
"""Cells whose mean and spread a cell is compared with: larger than a bag, smaller than a cloud's shadow."""

SPREAD_FLOOR = 12.0
"""Grey levels added to the spread, so that noise on a plain wall is not blown up."""

CHANGED = 0.8
"""Normalised difference that counts: noise stays under 0.3, a bag on asphalt makes 1 to 3."""

STEADY = 0.5
"""Difference to the previous look under which a place holds still."""

STATIC_LOOKS = 3
"""Looks in a row a place must differ and hold still."""

MOST_HELD = 6
"""What is static is held that firmly: somebody the detector misses walks past, a bus makes the exposure jump."""

LET_GO = 4
"""Held looks that one look with the old background there takes back: what was taken away is gone at once, and a cell
that merely flickers is static again with the next look."""

LEARN_LOOKS = 8
"""First looks only learn; with 5 to 10 s between them that is about a minute of street life averaged out."""

LEARN_RATE, KEEP_RATE = 0.3, 0.03
"""Share of a new look in the background while learning, and later (the sun's way is followed, a bag is not)."""

UPHEAVAL = 0.3
"""Share of the picture that differs when the camera was moved or the lights went out: it is learnt anew."""

UPHEAVAL_LOOKS = 3
"""… when so many looks in a row agree; one of them may be a bus in front of the lens."""

MOST_REGIONS = 12
"""More static changes than this at once are no objects but another view: a camera that was knocked askew."""

LEAST_CELLS = 12
"""Smaller spots are noise: 12 cells are 0.08 % of the picture."""

SCORE = 0.6
"""A static change has no probability; this lies above every recipe's least score."""

PASSING = ("person", "car", "bus", "truck", "bicycle", "motorcycle", "dog")
"""What is known by name is told by its own recipes, and hides what is behind it."""

Cells = NDArray[np.float32]
"""float32 (HEIGHT, WIDTH), normalised grey."""


class Background:
    """One camera's learnt background. Not thread-safe; about 130 kB."""

    def __init__(self) -> None:
        self._reference: Cells | None = None
        self._previous: Cells | None = None
        self._held: NDArray[np.int8] = np.zeros((HEIGHT, WIDTH), np.int8)
        self._hidden: NDArray[np.bool_] = np.zeros((HEIGHT, WIDTH), bool)
        self._looks = 0
        self._upheavals = 0

    def changes(self, image: Image, detections: Detections) -> Detections:
        """The static changes in this look, as detections of the one class `static_change`."""
        cells, hidden = normalised(image), _hidden(detections)
        self._hidden = hidden
        if self._reference is None or self._previous is None:
            self._reference, self._previous = cells.copy(), cells
            return Detections.empty((STATIC_CHANGE,))
        moved = cv2.blur(np.abs(cells - self._reference), (3, 3)) > CHANGED
        steady = np.abs(cells - self._previous) < STEADY
        self._previous = cells
        self._looks += 1
        if self._learning(cells, moved, hidden):
            return self._static()
        self._held = np.where(hidden, self._held, _counted(self._held, moved, steady)).astype(np.int8)
        calm = ~hidden & ~moved
        self._reference[calm] += KEEP_RATE * (cells[calm] - self._reference[calm])
        regions = self._static()
        if len(regions) > MOST_REGIONS:
            self._learn_anew(cells)
            return Detections.empty((STATIC_CHANGE,))
        return regions

    def unchanged(self) -> Detections:
        """The static changes after one more look that was like the last one, as the gate says: no picture is needed.

        Otherwise a quiet camera, inferred every eight minutes, would take an hour to learn its background, with
        everything that comes to lie there meanwhile.
        """
        if self._reference is None or self._previous is None:
            return Detections.empty((STATIC_CHANGE,))
        visible = ~self._hidden
        if self._looks < LEARN_LOOKS:
            self._reference[visible] += LEARN_RATE * (self._previous[visible] - self._reference[visible])
        self._looks += 1
        grown = visible & (self._held > 0)
        self._held[grown] = np.minimum(self._held[grown] + 1, MOST_HELD)
        return self._static()

    def _static(self) -> Detections:
        """Behind people, too: what lay there before they came lies there still."""
        return _regions(self._held >= STATIC_LOOKS)

    def to_state(self) -> dict[str, Any]:
        """JSON-ready, about 10 kB: the background survives a restart, or what stands there would become part of it."""
        if self._reference is None:
            return {}
        small = np.clip(self._reference * 32, -127, 127).astype(np.int8)
        return {"looks": self._looks, "reference": base64.b64encode(zlib.compress(small.tobytes())).decode()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Background:
        """Raises PayloadError when it is not what `to_state` wrote."""
        background = cls()
        if not state:
            return background
        try:
            raw = zlib.decompress(base64.b64decode(state["reference"], validate=True))
            background._reference = (np.frombuffer(raw, np.int8).reshape(HEIGHT, WIDTH) / 32).astype(np.float32)
            background._looks = int(state["looks"])
        except (KeyError, TypeError, ValueError, zlib.error) as trouble:
            raise PayloadError(f"a saved background is damaged ({trouble}); it is learnt again") from trouble
        background._previous = background._reference.copy()
        return background

    def _learn_anew(self, cells: Cells) -> None:
        self._reference, self._looks, self._upheavals = cells.copy(), 0, 0
        self._held = np.zeros((HEIGHT, WIDTH), np.int8)

    def _learning(self, cells: Cells, moved: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> bool:
        """Takes the look in while learning, or when the whole view has become another."""
        assert self._reference is not None
        visible = max(int((~hidden).sum()), 1)
        upheaval = (moved & ~hidden).sum() / visible > UPHEAVAL
        self._upheavals = self._upheavals + 1 if upheaval else 0
        if self._upheavals >= UPHEAVAL_LOOKS:
            self._learn_anew(cells)
        if self._looks < LEARN_LOOKS:
            self._reference[~hidden] += LEARN_RATE * (cells[~hidden] - self._reference[~hidden])
            return True
        return bool(upheaval)


def _counted(held: NDArray[np.int8], moved: NDArray[np.bool_], steady: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Looks for which each cell has differed and held still; what is static is not forgotten for one passer-by."""
    restless = np.where(held >= STATIC_LOOKS, held, 0)
    still = np.minimum(held + 1, MOST_HELD)
    counted: NDArray[np.int8] = np.where(moved, np.where(steady, still, restless), np.maximum(held - LET_GO, 0))
    return counted


def normalised(image: Image) -> Cells:
    """Grey cells, each as its distance from the mean around it in units of the spread around it."""
    grey = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    cells = cv2.cvtColor(grey, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean = cv2.blur(cells, (SURROUNDINGS, SURROUNDINGS))
    spread = np.sqrt(np.maximum(cv2.blur(cells * cells, (SURROUNDINGS, SURROUNDINGS)) - mean * mean, 0))
    result: Cells = ((cells - mean) / (spread + SPREAD_FLOOR)).astype(np.float32)
    return result


def _hidden(detections: Detections) -> NDArray[np.bool_]:
    """Cells of people and vehicles, a little enlarged: their shadows come along."""
    hidden = np.zeros((HEIGHT, WIDTH), bool)
    for x1, y1, x2, y2 in detections.of(*PASSING).boxes:
        margin = 0.1 * (y2 - y1)
        top, bottom = int(max(y1 - margin, 0) * HEIGHT), int(min(y2 + margin, 1) * HEIGHT) + 1
        hidden[top:bottom, int(max(x1 - margin, 0) * WIDTH) : int(min(x2 + margin, 1) * WIDTH) + 1] = True
    return hidden


def _regions(static: NDArray[np.bool_]) -> Detections:
    """Connected static cells as boxes; a gap of a few cells does not divide a thing: chairs have legs."""
    closed = cv2.morphologyEx(static.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, _, rows, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    boxes = [
        Box(x / WIDTH, y / HEIGHT, (x + width) / WIDTH, (y + height) / HEIGHT).xyxy
        for x, y, width, height, cells in rows[1:].tolist()
        if cells >= LEAST_CELLS
    ]
    if not boxes:
        return Detections.empty((STATIC_CHANGE,))
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32), np.full(count, SCORE, np.float32), np.zeros(count, np.int32), (STATIC_CHANGE,)
    )
