"""Any ultralytics weights (`.pt`, `.engine`, open vocabulary) as a `Detector`; extra `ultralytics`."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detect.backends.class_map import ClassMap, class_map_beside, mapped, read_class_map
from detect.backends.letterbox import check_picture
from detect.backends.naming import Naming, finds
from detect.weights import Manifest, Output, verified_manifest
from models.errors import WeightsError
from models.pictures import Detections, Image

ENDINGS = frozenset({".pt", ".engine"})
DEFAULT_SIDE = 640  # what ultralytics trains at unless told otherwise
OPEN_VOCABULARY = frozenset({"YOLOWorld", "YOLOE"})  # ultralytics' classes whose models are told what to look for


class UltralyticsDetector:
    """A `Detector` over a YOLO file; ultralytics keeps state per call, so calls take turns.

    weights: the file, or a manifest (or its folder) that names one. words: what to look for -> our class, for an
    open-vocabulary model whose manifest or `classes.toml` gives none.
    """

    def __init__(
        self,
        weights: Path | Manifest,
        *,
        least_score: float | None = None,
        side: int | None = None,
        class_map: Path | None = None,
        words: Mapping[str, str] | None = None,
    ) -> None:
        known = verified_manifest(weights) if isinstance(weights, Path) and weights.is_dir() else weights
        path = known.model_path if isinstance(known, Manifest) else known
        self._model = _load(path)
        if isinstance(known, Manifest):
            self.manifest = known
            if known.open_vocabulary:
                _give_words(self._model, known.own_names, path)
            _check_names(self._model, known)
        else:
            self.manifest = _told(self._model, path, class_map=class_map, words=words or {})
        self._naming = Naming.of(self.manifest)
        self._least = self._naming.least(self.manifest, least_score)
        self._side = side or max(self.manifest.shapes[0])
        self._lock = threading.Lock()
        self._closed = False
        self.detect([np.zeros((32, 32, 3), np.uint8)])

    @property
    def names(self) -> tuple[str, ...]:
        return self._naming.names

    def detect(self, batch: list[Image]) -> list[Detections]:
        """One Detections per picture. Raises ValueError for an array that is no picture, and after `close`."""
        if self._closed:
            raise ValueError("this detector is closed")
        for image in batch:
            check_picture(image)
        if not batch:
            return []
        least = float(self._least.min())
        with self._lock:
            results = self._model.predict(list(batch), conf=least, imgsz=self._side, verbose=False)
        return [self._detections(result) for result in results]

    def close(self) -> None:
        self._closed = True

    def _detections(self, result: Any) -> Detections:
        boxes = np.clip(result.boxes.xyxyn.cpu().numpy().astype(np.float32), 0.0, 1.0)
        scores = result.boxes.conf.cpu().numpy().astype(np.float32)
        rows = result.boxes.cls.cpu().numpy().astype(np.intp)
        sound = np.isfinite(boxes).all(1) & np.isfinite(scores) & (rows < len(self._least))
        boxes, scores, rows = boxes[sound], scores[sound], rows[sound]
        enough = scores >= self._least[rows]
        return finds(boxes[enough], scores[enough], rows[enough], naming=self._naming)


def _load(path: Path) -> Any:
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # a detector that is opened must not install packages
    try:
        from ultralytics import YOLO
    except ImportError:
        raise WeightsError(f"{path}: needs ultralytics: `pip install gridwarden[ultralytics]`") from None
    if not path.exists():  # ultralytics would go and download a file of that name
        raise WeightsError(f"{path}: no such weights file")
    try:
        return YOLO(str(path))
    except Exception as trouble:  # unpickling a wrong file can raise anything
        raise WeightsError(f"{path}: ultralytics cannot load it: {trouble}") from trouble


def _told(model: Any, path: Path, *, class_map: Path | None, words: Mapping[str, str]) -> Manifest:
    """What the file is. For an open vocabulary the words are the left side of `classes.toml`, else `words`."""
    where = class_map or class_map_beside(path)
    table = read_class_map(where) if where else ClassMap()
    open_vocabulary = type(model).__name__ in OPEN_VOCABULARY
    if open_vocabulary:
        wanted = dict(table.renames or words)
        _give_words(model, tuple(wanted), path)
        table = replace(table, renames=wanted, names=())
    manifest = Manifest(
        folder=path.parent, name=path.stem, backend="ultralytics", model=path.name, files={path.name: ""},
        shapes=((_side_of(model),) * 2,), outputs=(Output("", "", _names_of(model)),), thresholds={},
        licence=str((getattr(model, "ckpt", None) or {}).get("license", "not stated")),
        provenance="Loaded by ultralytics from a file of other people's.", open_vocabulary=open_vocabulary,
    )  # fmt: skip
    return mapped(manifest, table, where=where or path)


def _give_words(model: Any, words: tuple[str, ...], path: Path) -> None:
    """Tells an open-vocabulary model what to look for; one that was saved with these words needs no text network."""
    if not words or _names_of(model) == words:
        return
    try:
        model.set_classes(list(words))
    except Exception as trouble:  # the text network is fetched and installed by ultralytics: anything can go wrong
        raise WeightsError(
            f"{path}: cannot be told what to look for ({trouble}). Its text network (CLIP) must be at hand once; "
            "set the words where there is a network, save the model, and use that file"
        ) from trouble


def _check_names(model: Any, manifest: Manifest) -> None:
    if _names_of(model) != manifest.own_names:
        raise WeightsError(
            f"{manifest.model_path}: its classes are {', '.join(_names_of(model))}, the manifest says "
            f"{', '.join(manifest.own_names)}; the two do not belong together"
        )


def _names_of(model: Any) -> tuple[str, ...]:
    names = model.names
    return tuple(str(names[number]) for number in sorted(names)) if isinstance(names, dict) else tuple(map(str, names))


def _side_of(model: Any) -> int:
    """The size it was trained at: anything else costs points."""
    told = (getattr(model, "overrides", None) or {}).get("imgsz", DEFAULT_SIDE)
    return int(max(told)) if isinstance(told, list | tuple) else int(told)
