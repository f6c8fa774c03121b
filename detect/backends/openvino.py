"""Shipped weights on the CPU through OpenVINO: int8, no torch, one look per core at a time."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detect.backends.decoding import decode, logits, suppressed
from detect.backends.letterbox import LEAST_SIDE, Letterbox, letterboxed, nearest_shape
from detect.weights import Manifest, Output, verified_manifest
from models.errors import WeightsError
from models.pictures import Detections, Image

log = logging.getLogger(__name__)

DEFAULT_STREAMS = 2  # looks in flight: one per core of the smallest box gridwarden is made for


@dataclass(frozen=True, slots=True)
class _Flight:
    """One look on its way through the network."""

    position: int
    request: Any
    letterbox: Letterbox
    shape: tuple[int, int]


class OpenVinoDetector:
    """A `Detector` over a weights folder.

    least_score: pass on everything from this score on, instead of the manifest's threshold per class (evaluation).
    streams: looks inferred at the same time, each on one core; batches on a CPU gain nothing over that.
    cache: folder for compiled networks, which makes the next start three times as quick; only this user may write it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        least_score: float | None = None,
        streams: int = DEFAULT_STREAMS,
        cache: Path | None = None,
    ) -> None:
        self.manifest = verified_manifest(folder)
        if self.manifest.backend != "openvino":
            raise WeightsError(f"{folder}: made for the backend {self.manifest.backend!r}, not for openvino")
        self._names = self.manifest.names
        self._cache = cache
        self._streams = max(streams, 1)
        self._least = [self._least_of(output, least_score) for output in self.manifest.outputs]
        self._model = _read(self.manifest)
        self._lock = threading.Lock()
        self._idle: dict[tuple[int, int], queue.SimpleQueue[Any]] = {}
        self._closed = False
        self._requests(self.manifest.shapes[0])  # the usual one is warm; the others cost a second when first needed

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def detect(self, batch: list[Image]) -> list[Detections]:
        """One Detections per picture. Raises ValueError for an array that is no picture, and after `close`."""
        if self._closed:
            raise ValueError("this detector is closed")
        found: list[Detections | None] = [None] * len(batch)
        flying: deque[_Flight] = deque()
        try:
            for position, image in enumerate(batch):
                flying.append(self._start(position, image, flying, found))
            while flying:
                self._land(flying, found)
        finally:
            for flight in flying:  # only when a picture was refused: the others' requests must come back
                flight.request.wait()
                self._idle[flight.shape].put(flight.request)
        return [one for one in found if one is not None]

    def warm(self) -> None:
        """Compiles every shape now, so that the first look of an odd camera does not hold up the others."""
        for shape in self.manifest.shapes:
            self._requests(shape)

    def close(self) -> None:
        self._closed = True
        self._idle.clear()

    def _least_of(self, output: Output, least_score: float | None) -> NDArray[np.float32]:
        scores = [self.manifest.threshold(name) if least_score is None else least_score for name in output.classes]
        return logits(np.array(scores, np.float32))

    def _requests(self, shape: tuple[int, int]) -> queue.SimpleQueue[Any]:
        """The idle requests of one input shape, compiled and warmed at first use."""
        with self._lock:
            if shape not in self._idle:
                self._idle[shape] = _compiled(self._model, shape, self._streams, cache=self._cache)
            return self._idle[shape]

    def _start(self, position: int, image: Image, flying: deque[_Flight], found: list[Detections | None]) -> _Flight:
        shape = nearest_shape(image, self.manifest.shapes)
        canvas, letterbox = letterboxed(image, shape)
        request = self._free_request(shape, flying, found)
        request.start_async({0: canvas[None]}, share_inputs=False)
        return _Flight(position, request, letterbox, shape)

    def _free_request(self, shape: tuple[int, int], flying: deque[_Flight], found: list[Detections | None]) -> Any:
        """Waits for own looks before waiting for others': two callers holding one request each would wait forever."""
        idle = self._requests(shape)
        while flying:
            try:
                return idle.get_nowait()
            except queue.Empty:
                self._land(flying, found)
        return idle.get()

    def _land(self, flying: deque[_Flight], found: list[Detections | None]) -> None:
        flight = flying[0]
        flight.request.wait()
        found[flight.position] = self._detections(flight)
        self._idle[flight.shape].put(flying.popleft().request)

    def _detections(self, flight: _Flight) -> Detections:
        boxes, scores, classes, first = [], [], [], 0
        for output, least in zip(self.manifest.outputs, self._least, strict=True):
            bins = flight.request.get_tensor(output.boxes).data[0]
            raw = flight.request.get_tensor(output.scores).data[0]
            some_boxes, some_scores, rows = decode(bins, raw, least=least, shape=flight.shape)
            boxes.append(some_boxes)
            scores.append(some_scores)
            classes.append(rows + first)
            first += len(output.classes)
        return finds(
            flight.letterbox.to_fractions(np.concatenate(boxes)),
            np.concatenate(scores),
            np.concatenate(classes),
            names=self._names,
        )


def finds(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.intp], *, names: tuple[str, ...]
) -> Detections:
    """Suppressed, and without the boxes that lay on the grey beside the picture."""
    sides = boxes[:, 2:] - boxes[:, :2]
    real = (sides > LEAST_SIDE).all(1)
    boxes, scores, classes = boxes[real], scores[real], classes[real]
    kept = suppressed(boxes, scores, classes)
    return Detections(boxes[kept], scores[kept], classes[kept].astype(np.int32), names)


def _read(manifest: Manifest) -> Any:
    """The graph, its outputs checked against the manifest, with uint8 BGR pictures as input."""
    import openvino
    from openvino import Layout, PartialShape, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    try:
        model = openvino.Core().read_model(str(manifest.model_path))
    except RuntimeError as trouble:
        raise WeightsError(f"{manifest.model_path}: OpenVINO cannot read it: {trouble}") from None
    _check_outputs(model, manifest)
    model.reshape(PartialShape([1, 3, -1, -1]))
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(255.0)
    steps.input().model().set_layout(Layout("NCHW"))
    return steps.build()


def _check_outputs(model: Any, manifest: Manifest) -> None:
    rows = {name: output.partial_shape[1] for output in model.outputs for name in output.get_names()}
    for output in manifest.outputs:
        for tensor, wanted in ((output.boxes, 64), (output.scores, len(output.classes))):
            if tensor not in rows:
                raise WeightsError(f"{manifest.model_path}: has no output {tensor!r} that the manifest names")
            if rows[tensor].is_static and rows[tensor].get_length() != wanted:
                raise WeightsError(
                    f"{manifest.model_path}: output {tensor!r} has {rows[tensor].get_length()} rows, "
                    f"the manifest names {wanted}; the two do not belong together"
                )


def _compiled(model: Any, shape: tuple[int, int], streams: int, *, cache: Path | None) -> queue.SimpleQueue[Any]:
    """Warm infer requests for one input shape; one thread each, so that looks do not wait for each other's layers."""
    import openvino

    height, width = shape
    reshaped = model.clone()
    reshaped.reshape([1, height, width, 3])
    settings: dict[str, int | str] = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        "PERFORMANCE_HINT": "THROUGHPUT",
    }
    if cache is not None:
        settings["CACHE_DIR"] = str(cache)
    compiled = openvino.Core().compile_model(reshaped, "CPU", settings)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(streams):
        request = compiled.create_infer_request()
        request.infer({0: np.zeros((1, height, width, 3), np.uint8)})
        idle.put(request)
    log.debug("compiled %s for %s x %s", model.get_friendly_name(), width, height)
    return idle
