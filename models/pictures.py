"""A Look is one still picture of one camera; Detections are what a detector saw in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.geometry import Box, Boxes
from models.ids import CameraId

Image = NDArray[np.uint8]
"""uint8 (H, W, 3), BGR."""


class LookReason(StrEnum):
    """Why a camera is looked at now."""

    ROUTINE = "routine"
    FOLLOW_UP = "follow_up"
    VERIFICATION = "verification"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One still picture.

    image: uint8 (H, W, 3) BGR; captured_at: UTC, from the camera when trustworthy, else arrival;
    seq: grows by one per look of this camera since the source was opened.
    """

    camera_id: CameraId
    image: Image
    captured_at: datetime
    seq: int
    reason: LookReason = LookReason.ROUTINE

    @property
    def small(self) -> Image:
        """The same picture where a small one is as good, at least 160 pixels wide: the picture itself, unless the
        source had a smaller one at less cost."""
        return self.image

    def reduced(self, side: int) -> Image:
        """The same picture, its longest side `side` pixels or more: the picture itself, unless decoding less of it
        costs less."""
        return self.image


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What was seen in one picture, as a struct of arrays (the idea of `supervision.Detections`).

    boxes: float32 (N, 4), xyxy, fractions of width and height; scores: float32 (N,), 0..1;
    class_ids: int32 (N,), indices into `names`. Raises ValueError when the lengths differ.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (len(self.boxes) == len(self.scores) == len(self.class_ids)):
            raise ValueError(
                f"boxes {len(self.boxes)}, scores {len(self.scores)}, class_ids {len(self.class_ids)} differ in length"
            )

    @classmethod
    def empty(cls, names: tuple[str, ...]) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), names)

    @classmethod
    def merge(cls, parts: list[Detections]) -> Detections:
        """One Detections of all parts, which must share `names`. Raises ValueError on none or on differing names."""
        if not parts or any(part.names != parts[0].names for part in parts):
            raise ValueError("merge needs at least one part, and all with the same names")
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.class_ids for part in parts]),
            parts[0].names,
        )

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Detections:
        return Detections(self.boxes[index], self.scores[index], self.class_ids[index], self.names)

    def of(self, *classes: str) -> Detections:
        """Only those of the named classes."""
        wanted = [number for number, name in enumerate(self.names) if name in classes]
        return self[np.isin(self.class_ids, wanted)]

    def above(self, score: float) -> Detections:
        """Only those with at least this score."""
        return self[self.scores >= score]

    def __iter__(self) -> Iterator[Detection]:
        for box, score, class_id in zip(self.boxes, self.scores, self.class_ids, strict=True):
            x1, y1, x2, y2 = (float(value) for value in box)
            yield Detection(self.names[int(class_id)], Box(x1, y1, x2, y2), float(score))


@dataclass(frozen=True, slots=True)
class Detection:
    """One row of Detections, for code that reads better one at a time."""

    name: str
    box: Box
    score: float
