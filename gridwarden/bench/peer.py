"""Ultralytics running a `.pt`, on the same pictures at the same input shapes as ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from detect.backends.letterbox import nearest_shape
from detect.backends.ultralytics import UltralyticsDetector
from models.pictures import Detections, Image


def why_no_peer(path: Path | None) -> str | None:
    """The reason why there is nothing to compare with, None when there is."""
    if path is None:
        return "no --peer FILE.pt was given"
    absent = [name for name in ("ultralytics", "torch") if importlib.util.find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} is not installed: `pip install gridwarden[ultralytics]`"
    return None if path.is_file() else f"there is no file {path}"


class Peer:
    """A `Detector` that gives each picture to ultralytics at the input shape ours would use.

    Ultralytics scales the longest side to its size and pads to whole places, so one size per shape does it. Torch's
    threads are its own choice: one less than the machine has cores, so one per caller on two cores.
    """

    def __init__(self, path: Path, shapes: tuple[tuple[int, int], ...], *, least_score: float | None = None) -> None:
        self._shapes = shapes
        sides = {max(shape) for shape in shapes}
        self._by_side = {side: UltralyticsDetector(path, side=side, least_score=least_score) for side in sides}

    @property
    def names(self) -> tuple[str, ...]:
        return next(iter(self._by_side.values())).names

    def detect(self, batch: list[Image]) -> list[Detections]:
        """One by one: in a batch of mixed sizes ultralytics would pad them all to a square."""
        return [self._by_side[max(nearest_shape(image, self._shapes))].detect([image])[0] for image in batch]

    def close(self) -> None:
        for detector in self._by_side.values():
            detector.close()
