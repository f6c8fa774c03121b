"""Weights on the CPU through OpenVINO: the shipped int8 ones and other people's, no torch, one look per core."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detect.backends.decoding import Floats, decode, logits
from detect.backends.graph import check_scores, compiled_requests, read_graph
from detect.backends.heads import read_end_to_end, read_yolo
from detect.backends.letterbox import Letterbox, letterboxed, nearest_shape
from detect.backends.naming import Naming, finds
from detect.weights import Form, Manifest, verified_manifest
from models.errors import WeightsError
from models.pictures import Detections, Image

DEFAULT_STREAMS = 2  # looks in flight: one per core of the smallest box gridwarden is made for


@dataclass(frozen=True, slots=True)
class _Flight:
    """One look on its way through the network."""

    position: int
    request: Any
    letterbox: Letterbox
    shape: tuple[int, int]


class OpenVinoDetector:
    """A `Detector` over a weights folder, or over a manifest made for a graph that has none (`foreign`).

    least_score: pass on everything from this score on, instead of the manifest's threshold per class (evaluation).
    streams: looks inferred at the same time, each on one core; batches on a CPU gain nothing over that.
    cache: folder for compiled networks, which makes the next start three times as quick; only this user may write it.
    """

    def __init__(
        self,
        weights: Path | Manifest,
        *,
        least_score: float | None = None,
        streams: int = DEFAULT_STREAMS,
        cache: Path | None = None,
    ) -> None:
        self.manifest = weights if isinstance(weights, Manifest) else verified_manifest(weights)
        if self.manifest.backend != "openvino":
            raise WeightsError(
                f"{self.manifest.folder}: made for the backend {self.manifest.backend!r}, not for openvino"
            )
        self._naming = Naming.of(self.manifest)
        self._least = self._naming.least(self.manifest, least_score)
        self._cache = cache
        self._streams = max(streams, 1)
        self._model = read_graph(self.manifest)
        self._lock = threading.Lock()
        self._idle: dict[tuple[int, int], queue.SimpleQueue[Any]] = {}
        self._closed = False
        self._requests(self.manifest.shapes[0])  # the usual one is warm; the others cost a second when first needed

    @property
    def names(self) -> tuple[str, ...]:
        return self._naming.names

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

    def _requests(self, shape: tuple[int, int]) -> queue.SimpleQueue[Any]:
        """The idle requests of one input shape, compiled and warmed at first use."""
        with self._lock:
            if shape not in self._idle:
                self._idle[shape] = self._warmed(shape)
            return self._idle[shape]

    def _warmed(self, shape: tuple[int, int]) -> queue.SimpleQueue[Any]:
        idle = compiled_requests(self._model, shape, self._streams, cache=self._cache)
        if self.manifest.form is not Form.MAPS:
            request = idle.get()
            check_scores(request.get_output_tensor(0).data[0], self.manifest)
            idle.put(request)
        return idle

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
        boxes, scores, rows = self._read(flight)
        return finds(flight.letterbox.to_fractions(boxes), scores, rows, naming=self._naming)

    def _read(self, flight: _Flight) -> tuple[Floats, Floats, NDArray[np.intp]]:
        if self.manifest.form is Form.YOLO:
            return read_yolo(flight.request.get_output_tensor(0).data[0], least=self._least)
        if self.manifest.form is Form.END_TO_END:
            return read_end_to_end(flight.request.get_output_tensor(0).data[0], least=self._least)
        return self._read_maps(flight)

    def _read_maps(self, flight: _Flight) -> tuple[Floats, Floats, NDArray[np.intp]]:
        boxes, scores, classes, first = [], [], [], 0
        for output in self.manifest.outputs:
            least = logits(self._least[first : first + len(output.classes)])
            bins = flight.request.get_tensor(output.boxes).data[0]
            raw = flight.request.get_tensor(output.scores).data[0]
            some_boxes, some_scores, rows = decode(bins, raw, least=least, shape=flight.shape)
            boxes.append(some_boxes)
            scores.append(some_scores)
            classes.append(rows + first)
            first += len(output.classes)
        return np.concatenate(boxes), np.concatenate(scores), np.concatenate(classes)
