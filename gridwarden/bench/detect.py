"""`gridwarden bench detect`: pictures a second and CPU of the detector, against what its network alone allows.

The limit is OpenVINO's infer call in a bare loop on the same graph, shape and pictures, already on the input. Both
take turns in slices, so that whatever else the machine does hits them alike, and their ratio is what letterbox and
decoding cost. "threads" are callers, each with one request on one core, one picture at a time.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detect.backends.graph import compiled_requests, opened_graph, read_graph
from detect.backends.letterbox import letterboxed, nearest_shape
from detect.backends.opening import described
from detect.backends.openvino import OpenVinoDetector
from detect.detector import Detector
from detect.evaluation import EVALUATION_SCORE, evaluate
from detect.inference import DETAIL_SIDE
from detect.labels import Dataset, read_dataset
from detect.pixels import read_picture
from detect.weights import STRIDE, Form, Manifest
from gridwarden.bench.peer import Peer, why_no_peer
from models.errors import WeightsError
from models.pictures import Image

Shapes = tuple[tuple[int, int], ...]

SHIPPED = "shipped"
SIDES = (320, 416, 640)  # sizes other people's figures are told at
THREADS = (1, 2)  # up to one per core of the smallest box gridwarden is made for
PICTURES = 48  # of the val split, evenly taken: every shape occurs, and 60 MB hold them
SLICE_S = 0.5  # of each turn: long against one inference, short against the machine's moods
MADE_PICTURE = (720, 1280)  # where no data is: full of noise, which costs the network as much as any other


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure. seconds: of each figure; floating: the same network before it was quantised."""

    weights: Path
    data: Path
    floating: Path | None = None
    peer: Path | None = None
    seconds: float = 3.0
    accuracy: bool = False
    sides: tuple[int, ...] = SIDES
    threads: tuple[int, ...] = THREADS


@dataclass(slots=True)
class Pace:
    """What some slices of one kind came to."""

    pictures: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    def to_json(self) -> dict[str, float]:
        return {
            "pictures_per_s": round(self.pictures / max(self.seconds, 1e-9), 2),
            "cpu_ms_per_picture": round(1000 * self.cpu_s / max(self.pictures, 1), 2),
        }


Look = Callable[[int, int], object]
"""One picture (by its number) looked at by one caller (by its number)."""


def measure(wanted: Wanted, *, tick: Callable[[int, int], None]) -> dict[str, Any]:
    """The figures, and a sentence for each that could not be taken. tick: figures done and in all."""
    networks, missing = _networks(wanted)
    pictures, source, dataset = _pictures(wanted, missing)
    rows: list[dict[str, Any]] = []
    jobs = [
        (label, manifest, size, shapes)
        for label, manifest in networks.items()
        for size, shapes in _sizes(manifest, wanted.sides, missing)
    ]
    for done, (label, manifest, size, shapes) in enumerate(jobs):
        tick(done, len(jobs))
        resized = replace(manifest, shapes=shapes)
        peer = wanted.peer if label == "weights" else None
        accuracy = _accuracies(resized, peer, dataset) if wanted.accuracy and dataset else {}
        for threads in wanted.threads:
            paces = _paces(resized, pictures, threads=threads, seconds=wanted.seconds, peer=peer)
            rows += [
                {"network": label if kind != "peer" else "peer", "size": size, "shapes": [list(s) for s in shapes],
                 "threads": threads, **figures, **accuracy.get(kind, {})}
                for kind, figures in paces.items()
            ]  # fmt: skip
    tick(len(jobs), len(jobs))
    return {
        "weights": _told(networks["weights"]), "float": _told(networks.get("float")), "pictures": len(pictures),
        "pictures_from": source, "seconds_each": wanted.seconds, "figures": rows, "not_measured": missing,
    }  # fmt: skip


def _networks(wanted: Wanted) -> tuple[dict[str, Manifest], list[str]]:
    networks, missing = {"weights": described(wanted.weights)}, []
    if networks["weights"].backend != "openvino":
        raise WeightsError(f"{wanted.weights}: bench detect measures OpenVINO graphs; give other files as --peer")
    if wanted.floating is None:
        missing.append("float: not measured, because no --float FOLDER with the float network was given")
    else:
        networks["float"] = _float_twin(described(wanted.floating), networks["weights"])
    reason = why_no_peer(wanted.peer)
    if reason:
        missing.append(f"ultralytics: not measured, because {reason}")
    if not wanted.accuracy:
        missing.append("accuracy: not measured, because --accuracy was not given; it takes minutes")
    return networks, missing


def _float_twin(manifest: Manifest, weights: Manifest) -> Manifest:
    if manifest.backend != "openvino" or quantised(manifest):
        raise WeightsError(f"{manifest.folder}: --float wants the float OpenVINO graph; this is none")
    if manifest.own_names != weights.own_names:
        raise WeightsError(f"{manifest.folder}: has other classes than {weights.folder}: not the same network")
    return manifest


def quantised(manifest: Manifest) -> bool:
    """Whether the graph computes in int8: it then says where values are rounded."""
    return any(node.get_type_name() == "FakeQuantize" for node in opened_graph(manifest.model_path).get_ops())


def _told(manifest: Manifest | None) -> dict[str, Any] | None:
    if manifest is None:
        return None
    return {"name": manifest.name, "int8": quantised(manifest), "sha256": dict(manifest.files)}


def _pictures(wanted: Wanted, missing: list[str]) -> tuple[list[Image], str, Dataset | None]:
    """Decoded beforehand and reduced as looks are: this measures the detector, not the JPEG decoder."""
    if not wanted.data.is_dir():
        missing.append(f"real pictures and accuracy: not measured, because there is no data at {wanted.data}")
        noise = np.random.default_rng(0).integers(0, 255, (*MADE_PICTURE, 3), np.uint8)
        return [noise], "made: one of noise, 1280 x 720", None
    dataset = read_dataset(wanted.data, split="val")
    step = max(len(dataset.pictures) // PICTURES, 1)
    read = (read_picture(one.path) for one in dataset.pictures[::step][:PICTURES])
    return [_reduced(image) for image in read if image is not None], "val", dataset


def _reduced(image: Image) -> Image:
    """As `Look.reduced` of a JPEG: halved as long as it stays large enough."""
    while max(image.shape[:2]) // 2 >= DETAIL_SIDE and min(image.shape[:2]) > 1:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = cv2.resize(image, half, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return image


def _sizes(manifest: Manifest, sides: Sequence[int], missing: list[str]) -> list[tuple[str, Shapes]]:
    own = (SHIPPED, manifest.shapes)
    if manifest.form is not Form.MAPS:
        missing.append(f"{manifest.name}: other sizes not measured, because only our own form takes any input size")
        return [own]
    smaller: list[tuple[str, Shapes]] = []
    larger: list[tuple[str, Shapes]] = []
    for side in sides:
        into = smaller if side * side < _area(manifest.shapes[0]) else larger
        into.append((f"{side}²", resized_shapes(manifest.shapes, side)))
    return [*smaller, own, *larger]


def resized_shapes(shapes: Shapes, side: int) -> Shapes:
    """The same aspects with about side x side pixels each, in whole places of the network.

    >>> resized_shapes(((256, 448), (352, 352)), 640)
    ((480, 832), (640, 640))
    """
    factors = [side / math.sqrt(_area(shape)) for shape in shapes]
    resized = (tuple(_whole(length * by) for length in shape) for shape, by in zip(shapes, factors, strict=True))
    return tuple(dict.fromkeys((height, width) for height, width in resized))


def _whole(length: float) -> int:
    return max(round(length / STRIDE), 1) * STRIDE


def _area(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]


def _paces(
    manifest: Manifest, pictures: list[Image], *, threads: int, seconds: float, peer: Path | None
) -> dict[str, dict[str, Any]]:
    """By kind ("detector", "peer"): pace and, for the detector, the limit and the share of it that is reached."""
    detector = OpenVinoDetector(manifest, streams=threads)
    kinds: dict[str, Look] = {
        "detector": lambda number, _: detector.detect([pictures[number]]),
        "limit": _bare(manifest, pictures, threads),
    }
    if peer and not why_no_peer(peer):
        peers = [Peer(peer, manifest.shapes) for _ in range(threads)]
        kinds["peer"] = lambda number, caller: peers[caller].detect([pictures[number]])
    firsts = {nearest_shape(image, manifest.shapes): number for number, image in enumerate(pictures)}
    for look in kinds.values():  # compiled and warm before anything is timed
        for number in firsts.values():
            for caller in range(threads):
                look(number, caller)
    paces = in_turns(kinds, pictures=len(pictures), threads=threads, seconds=seconds)
    detector.close()
    told: dict[str, dict[str, Any]] = {kind: pace.to_json() for kind, pace in paces.items()}
    limit = told.pop("limit")
    told["detector"]["limit"] = limit
    told["detector"]["share_of_limit"] = round(told["detector"]["pictures_per_s"] / limit["pictures_per_s"], 3)
    return told


def _bare(manifest: Manifest, pictures: list[Image], threads: int) -> Look:
    """The network alone: requests of the product's own making, on inputs made beforehand."""
    graph = read_graph(manifest)
    shapes = [nearest_shape(image, manifest.shapes) for image in pictures]
    inputs = [letterboxed(image, shape)[0][None] for image, shape in zip(pictures, shapes, strict=True)]
    idle = {shape: compiled_requests(graph, shape, threads, cache=None) for shape in Counter(shapes)}
    requests = [{shape: waiting.get() for shape, waiting in idle.items()} for _ in range(threads)]
    return lambda number, caller: requests[caller][shapes[number]].infer({0: inputs[number]}, share_inputs=True)


def in_turns(kinds: Mapping[str, Look], *, pictures: int, threads: int, seconds: float) -> dict[str, Pace]:
    """The kinds take turns until each had its seconds."""
    paces = {kind: Pace() for kind in kinds}
    while any(pace.seconds < seconds for pace in paces.values()):
        for kind, look in kinds.items():
            _slice(look, paces[kind], pictures=pictures, threads=threads, length=min(SLICE_S, seconds))
    return paces


def _slice(look: Look, pace: Pace, *, pictures: int, threads: int, length: float) -> None:
    counts, first = [0] * threads, pace.pictures  # goes on where the last slice ended: all shapes get their share
    started, cpu = time.perf_counter(), time.process_time()

    def call(caller: int) -> None:
        while time.perf_counter() - started < length:
            look((first + caller + counts[caller] * threads) % pictures, caller)
            counts[caller] += 1

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    pace.pictures += sum(counts)
    pace.seconds += time.perf_counter() - started
    pace.cpu_s += time.process_time() - cpu


def _accuracies(manifest: Manifest, peer: Path | None, dataset: Dataset) -> dict[str, dict[str, Any]]:
    detector = OpenVinoDetector(manifest, least_score=EVALUATION_SCORE)
    told = {"detector": accuracy(detector, dataset, manifest)}
    detector.close()
    if peer and not why_no_peer(peer):
        told["peer"] = accuracy(Peer(peer, manifest.shapes, least_score=EVALUATION_SCORE), dataset, manifest)
    return told


def accuracy(detector: Detector, dataset: Dataset, manifest: Manifest) -> dict[str, Any]:
    """mAP50, and recall at the weights' own thresholds as the mean over the classes that are marked."""
    result = evaluate(detector, dataset, threshold=manifest.threshold)
    recalls = [one.recall for one in result.classes.values() if one.recall is not None]
    return {
        "map50": None if result.map50 is None else round(result.map50, 4),
        "recall": round(float(np.mean(recalls)), 4) if recalls else None,
        "classes_judged": len(recalls), "pictures_judged": result.images,
    }  # fmt: skip
