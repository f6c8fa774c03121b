"""Raw maps of a YOLO head to boxes: only places above the threshold are decoded, then per-class suppression."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STRIDES = (8, 16, 32)
BOX_BINS = 16
OVERLAP = 0.6  # two finds of a class that share more are one thing; bins in a row overlap by up to half
MOST_CANDIDATES = 2000  # per picture, best first: only reached when evaluating at scores near 0
MOST_FINDS = 300  # per picture, as COCO evaluation allows at most; a crowd on a small picture has under 100


@lru_cache(maxsize=16)
def places(shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Cell centres (A, 2) in pixels and strides (A, 1) of an input of (height, width), finest first."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = shape[0] // stride, shape[1] // stride
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) + np.float32(0.5)
        centres.append(np.stack([x.ravel(), y.ravel()], 1) * stride)
        strides.append(np.full((rows * columns, 1), stride, np.float32))
    return np.concatenate(centres), np.concatenate(strides)


def logits(scores: Floats) -> Floats:
    """Thresholds as logits, so that only what passes is ever put through the sigmoid."""
    bounded = np.clip(scores, 1e-6, 1 - 1e-6)
    result: Floats = np.log(bounded / (1 - bounded)).astype(np.float32)
    return result


def decode(
    bins: Floats, raw_scores: Floats, *, least: Floats, shape: tuple[int, int]
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Boxes (N, 4) xyxy pixels of the input, scores (N,) and class rows (N,) of one picture and one head.

    bins: (64, A), raw_scores: (classes, A), least: (classes,), all but the bins as logits. Values that are not
    finite are left out: a comparison with NaN is never true, and boxes are checked.
    """
    rows, columns = np.nonzero(raw_scores >= least[:, None])
    values = raw_scores[rows, columns]
    if len(rows) > MOST_CANDIDATES:
        best = np.argpartition(-values, MOST_CANDIDATES)[:MOST_CANDIDATES]
        rows, columns, values = rows[best], columns[best], values[best]
    boxes = _boxes(bins[:, columns], columns, shape)
    scores = 1 / (1 + np.exp(-values))
    sound = np.isfinite(boxes).all(1) & np.isfinite(values)
    return boxes[sound], scores[sound].astype(np.float32), rows[sound]


def _boxes(bins: Floats, columns: NDArray[np.intp], shape: tuple[int, int]) -> Floats:
    """Expected distance to each side under the 16 bins (the "distribution focal" form of YOLOv8 and 11)."""
    centres, strides = places(shape)
    sides = bins.T.reshape(-1, 4, BOX_BINS)
    weights = np.exp(sides - sides.max(2, keepdims=True, initial=-np.inf))
    distances = weights @ np.arange(BOX_BINS, dtype=np.float32) / weights.sum(2)
    distances *= strides[columns]
    boxes: Floats = np.concatenate([centres[columns] - distances[:, :2], centres[columns] + distances[:, 2:]], 1)
    return boxes


def suppressed(boxes: Floats, scores: Floats, classes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows to keep, best first: of finds of one class that overlap by more than OVERLAP, the best."""
    if not len(boxes):
        return np.zeros(0, np.intp)
    corners_and_sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    kept = cv2.dnn.NMSBoxesBatched(
        corners_and_sizes.tolist(), scores.tolist(), classes.tolist(), score_threshold=0.0, nms_threshold=OVERLAP
    )
    order = np.asarray(kept, np.intp).ravel()
    return order[np.argsort(-scores[order], kind="stable")][:MOST_FINDS]
