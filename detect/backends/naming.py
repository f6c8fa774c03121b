"""From the rows of a network to `Detections` in our words: two of their classes may be one of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detect.backends.decoding import Floats, suppressed
from detect.backends.letterbox import LEAST_SIDE
from detect.weights import Manifest
from models.pictures import Detections


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """names: our classes; ids: int32 (their classes,), the place of each of theirs among ours."""

    names: tuple[str, ...]
    ids: NDArray[np.int32]

    @classmethod
    def of(cls, manifest: Manifest) -> Naming:
        names = manifest.names
        places = {name: number for number, name in enumerate(names)}
        ours = [places[manifest.renames.get(name, name)] for name in manifest.own_names]
        return cls(names, np.array(ours, np.int32))

    def least(self, manifest: Manifest, least_score: float | None) -> Floats:
        """The least score of each of their classes: `least_score` when given, else the threshold of ours."""
        scores = [manifest.threshold(name) if least_score is None else least_score for name in self.names]
        return np.array(scores, np.float32)[self.ids]


def finds(boxes: Floats, scores: Floats, rows: NDArray[np.intp], *, naming: Naming) -> Detections:
    """boxes: xyxy fractions; rows: their classes. Suppressed per class of ours, without what has no area.

    No area have boxes that lay on the grey beside the picture, and those of a network gone wrong.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    real = (sides > LEAST_SIDE).all(1)
    boxes, scores, classes = boxes[real], scores[real], naming.ids[rows[real]]
    kept = suppressed(boxes, scores, classes.astype(np.intp))
    return Detections(boxes[kept], scores[kept], classes[kept], naming.names)
