"""Any ultralytics weights (`.pt`, `.engine`, `.onnx`, open vocabulary) as a `Detector`; extra `ultralytics`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from detect.backends.letterbox import LEAST_SIDE, check_picture
from models.errors import WeightsError
from models.pictures import Detections, Image

DEFAULT_SCORE = 0.35
DEFAULT_SIDE = 640  # what ultralytics trains at unless told otherwise


class UltralyticsDetector:
    """A `Detector` over a YOLO file; ultralytics keeps state per call, so calls take turns.

    prompts: for an open-vocabulary model (YOLO-World, YOLOE), the words to look for, which become the class names.
    """

    def __init__(
        self, path: Path, *, least_score: float | None = None, side: int = DEFAULT_SIDE, prompts: tuple[str, ...] = ()
    ) -> None:
        self._model = _load(path, prompts)
        names = self._model.names
        self._names = tuple(str(names[number]) for number in sorted(names))
        self._score, self._side = DEFAULT_SCORE if least_score is None else least_score, side
        self._lock = threading.Lock()
        self._closed = False
        self.detect([np.zeros((32, 32, 3), np.uint8)])

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def detect(self, batch: list[Image]) -> list[Detections]:
        """One Detections per picture. Raises ValueError for an array that is no picture, and after `close`."""
        if self._closed:
            raise ValueError("this detector is closed")
        for image in batch:
            check_picture(image)
        if not batch:
            return []
        with self._lock:
            results = self._model.predict(list(batch), conf=self._score, imgsz=self._side, verbose=False)
        return [self._detections(result) for result in results]

    def close(self) -> None:
        self._closed = True

    def _detections(self, result: Any) -> Detections:
        boxes = np.clip(result.boxes.xyxyn.cpu().numpy().astype(np.float32), 0.0, 1.0)
        scores = result.boxes.conf.cpu().numpy().astype(np.float32)
        classes = result.boxes.cls.cpu().numpy().astype(np.int32)
        sides = boxes[:, 2:] - boxes[:, :2]
        sound = (sides > LEAST_SIDE).all(1) & np.isfinite(boxes).all(1) & np.isfinite(scores)
        return Detections(boxes[sound], scores[sound], classes[sound], self._names)


def _load(path: Path, prompts: tuple[str, ...]) -> Any:
    try:
        from ultralytics import YOLO
    except ImportError:
        raise WeightsError(f"{path}: needs ultralytics: `pip install gridwarden[ultralytics]`") from None
    if not path.exists():  # ultralytics would go and download a file of that name
        raise WeightsError(f"{path}: no such weights file")
    try:
        model = YOLO(str(path))
        if prompts:
            model.set_classes(list(prompts))
    except Exception as trouble:  # unpickling a wrong file can raise anything
        raise WeightsError(f"{path}: ultralytics cannot load it: {trouble}") from trouble
    return model
