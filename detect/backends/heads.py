"""Other people's networks: what comes out of them, as boxes in pixels of the input, scores and class rows.

Every reader gives boxes (N, 4) xyxy, scores (N,) and rows (N,), before suppression; values that are not finite are
left out, and a score a hair above 1 is rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detect.backends.decoding import MOST_CANDIDATES, Floats

Found = tuple[Floats, Floats, NDArray[np.intp]]

BEYOND = 0.01  # above 1 by more is no score but a logit: exported without the sigmoid


def read_yolo(raw: Floats, *, least: Floats) -> Found:
    """(4 + classes, places): centre, size, then a score per class (YOLOv8 and 11). least: (classes,), as scores."""
    rows, columns = np.nonzero(raw[4:] >= least[:, None])
    scores = raw[4:][rows, columns]
    if len(rows) > MOST_CANDIDATES:
        best = np.argpartition(-np.nan_to_num(scores), MOST_CANDIDATES)[:MOST_CANDIDATES]
        rows, columns, scores = rows[best], columns[best], scores[best]
    centres, sides = raw[:2, columns].T, raw[2:4, columns].T
    return _sound(np.concatenate([centres - sides / 2, centres + sides / 2], 1), scores, rows)


def read_end_to_end(raw: Floats, *, least: Floats) -> Found:
    """(finds, 6): corners, score, class number; a class number that nobody named is left out."""
    known = np.isfinite(raw[:, 5]) & (raw[:, 5] >= 0) & (raw[:, 5] < len(least))
    raw = raw[known]
    rows = raw[:, 5].astype(np.intp)
    chosen = raw[:, 4] >= least[rows]
    return _sound(raw[chosen, :4], raw[chosen, 4], rows[chosen])


def _sound(boxes: Floats, scores: Floats, rows: NDArray[np.intp]) -> Found:
    sound = np.isfinite(boxes).all(1) & np.isfinite(scores) & (scores > 0)
    return (
        boxes[sound].astype(np.float32),
        np.minimum(scores[sound], np.float32(1)).astype(np.float32),
        rows[sound].astype(np.intp),
    )


def holds_scores(values: Floats) -> bool:
    """Whether these can be scores at all: what leaves 0..1 was exported as logits and would be believed too much."""
    finite = values[np.isfinite(values)]
    return not finite.size or bool(finite.min() >= -BEYOND and finite.max() <= 1 + BEYOND)
