"""How well a detector sees, on labelled pictures: COCO-style AP by faster-coco-eval, precision and recall per class.

Only classes that both the data and the detector name are judged, and each picture only for what is marked in it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detect.detector import Detector
from detect.labels import Dataset, LabelledPicture
from detect.pixels import read_picture
from models.errors import DatasetError
from models.geometry import Boxes, iou_matrix
from models.pictures import Detections, Image

log = logging.getLogger(__name__)

EVALUATION_SCORE = 0.01  # a detector to be judged passes on everything from here: AP needs the whole curve
BATCH = 8  # pictures in memory at once; a 20,000 x 20,000 one is 1.2 GB by itself
MATCH_OVERLAP = 0.5  # IoU from which a find counts as the marked thing, as in AP50
MOST_FINDS = 300  # per picture and class; a market street has more than COCO's 100

Step = Callable[[int, int], None]
"""Called with pictures done and pictures in all."""


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class. None where there is nothing to divide by: no marked box, or no find at the threshold."""

    ap50: float | None
    ap: float | None
    precision: float | None
    recall: float | None
    boxes: int
    threshold: float
    best_threshold: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`map50` and `map` average the classes that have boxes; `unknown` are the data's classes without a detector.

    judged: every picture as it was judged, its classes numbered as in `classes`: what a sheet of errors is drawn from.
    """

    map50: float | None
    map: float | None
    classes: dict[str, ClassResult]
    images: int
    seconds: float
    unknown: tuple[str, ...]
    problems: tuple[str, ...]
    judged: tuple[Judged, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The object that `gridwarden evaluate --json` prints."""
        fields = ("ap50", "ap", "precision", "recall", "boxes", "threshold", "best_threshold")
        return {
            "map50": _rounded(self.map50),
            "map": _rounded(self.map),
            "classes": {
                name: {field: _rounded(getattr(result, field)) for field in fields}
                for name, result in self.classes.items()
            },
            "images": self.images,
            "seconds": round(self.seconds, 2),
            "unknown_classes": list(self.unknown),
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One picture with its marks and finds in the common classes; boxes are pixels."""

    path: Path
    size: tuple[int, int]
    marked: frozenset[int]
    true_boxes: Boxes
    true_classes: NDArray[np.int32]
    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.int32]


def evaluate(
    detector: Detector, dataset: Dataset, *, threshold: Callable[[str], float], step: Step | None = None
) -> Evaluation:
    """Judges a detector, which should pass on finds from EVALUATION_SCORE on.

    threshold: the score from which on a class's finds count for precision and recall.
    Raises DatasetError when no class is common, or no picture can be read.
    """
    started = time.monotonic()
    common = common_classes(dataset.names, detector.names)
    if not common:
        raise DatasetError(f"no class in common: the data names {dataset.names}, the detector {detector.names}")
    names = [dataset.names[number] for number in common]
    problems = list(dataset.problems)
    judged = list(judge(detector, dataset, common=common, problems=problems, step=step))
    if not judged:
        raise DatasetError(f"none of the {len(dataset.pictures)} pictures can be read; first: {problems[0]}")
    aps = average_precisions(judged, len(names))
    results = {
        name: _class_result(judged, row, ap=aps[row], threshold=threshold(detector.names[list(common.values())[row]]))
        for row, name in enumerate(names)
    }
    return Evaluation(
        map50=_mean([result.ap50 for result in results.values()]),
        map=_mean([result.ap for result in results.values()]),
        classes=results,
        images=len(judged),
        seconds=time.monotonic() - started,
        unknown=tuple(name for number, name in enumerate(dataset.names) if number not in common),
        problems=tuple(problems),
        judged=tuple(judged),
    )


def common_classes(data: tuple[str, ...], detector: tuple[str, ...]) -> dict[int, int]:
    """Data class -> detector class by name; case, spaces, dashes and underscores do not matter."""
    known = {_plain(name): number for number, name in enumerate(detector)}
    return {number: known[_plain(name)] for number, name in enumerate(data) if _plain(name) in known}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def judge(
    detector: Detector, dataset: Dataset, *, common: dict[int, int], problems: list[str], step: Step | None = None
) -> Iterator[Judged]:
    """Runs the detector over every readable picture; one that cannot be read gets a sentence in `problems`."""
    total, done = len(dataset.pictures), 0
    for start in range(0, total, BATCH):
        part = dataset.pictures[start : start + BATCH]
        readable = [(picture, image) for picture in part if (image := _image(picture, problems)) is not None]
        found = detector.detect([image for _, image in readable])
        for (picture, image), finds in zip(readable, found, strict=True):
            yield _judged(picture, image.shape[:2], finds, common)
        done += len(part)
        if step:
            step(done, total)


def _image(picture: LabelledPicture, problems: list[str]) -> Image | None:
    image = read_picture(picture.path)
    if image is None:
        problems.append(f"{picture.path}: missing, too large, or not a picture; left out")
    return image


def _judged(picture: LabelledPicture, shape: tuple[int, ...], finds: Detections, common: dict[int, int]) -> Judged:
    scale = np.array([shape[1], shape[0]] * 2, np.float32)
    ours = {theirs: row for row, theirs in enumerate(common.values())}
    rows = {data: row for row, data in enumerate(common)}
    marked = frozenset(rows[number] for number in picture.marked if number in rows)
    true = np.array([rows.get(int(number), -1) for number in picture.class_ids], np.int32)
    seen = np.array([ours.get(int(number), -1) for number in finds.class_ids], np.int32)
    keep = np.isin(seen, sorted(marked)) & np.isfinite(finds.scores)
    return Judged(
        path=picture.path, size=(shape[1], shape[0]), marked=marked,
        true_boxes=picture.boxes[true >= 0] * scale, true_classes=true[true >= 0],
        boxes=finds.boxes[keep] * scale, scores=finds.scores[keep], classes=seen[keep],
    )  # fmt: skip


def average_precisions(judged: list[Judged], class_count: int) -> list[tuple[float | None, float | None]]:
    """(AP50, AP50-95) per class; None for a class without a marked box."""
    from faster_coco_eval import COCO, COCOeval_faster

    if not any(len(one.true_boxes) for one in judged):
        return [(None, None)] * class_count
    finds = list(_coco_finds(judged))
    if not finds:
        return [_none_found(judged, row) for row in range(class_count)]
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints its table; stdout belongs to --json
        truth = COCO(_coco_truth(judged, class_count))
        scored = COCOeval_faster(truth, truth.loadRes(finds), iouType="bbox", print_function=lambda *_: None)
        scored.params.maxDets = [1, 10, MOST_FINDS]
        scored.evaluate()
        scored.accumulate()
    table = scored.eval["precision"]  # (IoU, recall, class, area, most finds); -1 where nothing is marked
    return [(_valid(table[0, :, row, 0, -1]), _valid(table[:, :, row, 0, -1])) for row in range(class_count)]


def _none_found(judged: list[Judged], row: int) -> tuple[float | None, float | None]:
    return (0.0, 0.0) if any((one.true_classes == row).any() for one in judged) else (None, None)


def _valid(values: NDArray[np.float64]) -> float | None:
    real = values[values > -1]
    return float(real.mean()) if real.size else None


def _coco_truth(judged: list[Judged], class_count: int) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(judged, 1):
        images.append({"id": number, "width": one.size[0], "height": one.size[1], "file_name": one.path.name})
        for box, row in zip(one.true_boxes, one.true_classes, strict=True):
            xywh = _xywh(box)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": int(row) + 1, "bbox": xywh,
                 "area": xywh[2] * xywh[3], "iscrowd": 0}
            )  # fmt: skip
    categories = [{"id": row + 1, "name": str(row)} for row in range(class_count)]
    return {"images": images, "annotations": annotations, "categories": categories, "info": {}}


def _coco_finds(judged: list[Judged]) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(judged, 1):
        for box, score, row in zip(one.boxes, one.scores, one.classes, strict=True):
            yield {"image_id": number, "category_id": int(row) + 1, "bbox": _xywh(box), "score": float(score)}


def _xywh(box: NDArray[np.float32]) -> list[float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return [x1, y1, x2 - x1, y2 - y1]


def _class_result(
    judged: list[Judged], row: int, *, ap: tuple[float | None, float | None], threshold: float
) -> ClassResult:
    scores, hits, boxes = matches(judged, row)
    chosen = scores >= threshold
    return ClassResult(
        ap50=ap[0], ap=ap[1],
        precision=float(hits[chosen].mean()) if chosen.any() else None,
        recall=float(hits[chosen].sum() / boxes) if boxes else None,
        boxes=boxes, threshold=threshold, best_threshold=best_threshold(scores, hits, boxes),
    )  # fmt: skip


def matches(judged: list[Judged], row: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """Scores of all finds of a class, whether each hit a marked box (best first, each box once), and boxes in all."""
    scores: list[float] = []
    hits: list[bool] = []
    boxes = 0
    for one in judged:
        true = one.true_boxes[one.true_classes == row]
        boxes += len(true)
        mine = np.flatnonzero(one.classes == row)
        mine = mine[np.argsort(-one.scores[mine], kind="stable")]
        overlaps = iou_matrix(one.boxes[mine], true)
        for find in range(len(mine)):
            best = int(overlaps[find].argmax()) if len(true) else -1
            hit = best >= 0 and overlaps[find, best] >= MATCH_OVERLAP
            if hit:
                overlaps[:, best] = 0
            scores.append(float(one.scores[mine[find]]))
            hits.append(bool(hit))
    return np.array(scores, np.float32), np.array(hits, np.bool_), boxes


def best_threshold(scores: NDArray[np.float32], hits: NDArray[np.bool_], boxes: int) -> float:
    """The score at which F1 is greatest; 0.5 when nothing was marked or found."""
    if not boxes or not hits.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    f1 = 2 * found / (np.arange(1, len(found) + 1) + boxes)
    return float(scores[order][int(f1.argmax())])


def _mean(values: list[float | None]) -> float | None:
    real = [value for value in values if value is not None]
    return sum(real) / len(real) if real else None


def _rounded(value: float | int | None) -> float | int | None:
    return round(value, 4) if isinstance(value, float) else value
