"""The worst of an evaluation as one picture: what was overlooked and what was seen that is not there, class by class.

A figure says how often a detector errs; only the pictures say at what, and whether the label was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from detect.drawing import write_line
from detect.evaluation import Judged, matches
from detect.pixels import read_picture
from models.errors import SettingsError
from models.geometry import Boxes
from models.pictures import Image
from models.text import Text

TILES = 6  # of each kind and class: enough to see a habit, few enough that all classes fit one look
TILE = 160  # pixels a side: a thing is recognised, and 12 in a row fit a screen
CAPTION = 34  # pixels under a tile: two lines
HEADING = 30
GAP = 8
MOST_CLASSES = 100  # COCO's 80 and ours; a JPEG ends at 65,535 rows, this at a third of that
AROUND = 1.8  # a thing is judged by what is around it
LEAST_CROP = 48  # pixels: less is a smear
WHITE, GREY, GREEN, RED = (255, 255, 255), (90, 90, 90), (60, 160, 0), (40, 40, 230)
ENDINGS = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Error:
    """One box in pixels of its picture: a marked one that was missed, or a find where nothing is marked.

    score: of the best find on a missed box (0 for none), or of the false find.
    """

    path: Path
    box: tuple[float, float, float, float]
    score: float


@dataclass(frozen=True, slots=True)
class ClassErrors:
    """The worst of one class, and how many there are of each kind in all."""

    name: str
    misses: tuple[Error, ...]
    missed: int
    false_finds: tuple[Error, ...]
    false: int


def worst(judged: Sequence[Judged], row: int, *, name: str, threshold: float) -> ClassErrors:
    """Misses by the lowest score of what was found there, larger first; false finds by the highest score.

    threshold: the score from which a find counts, as for precision and recall.
    """
    misses = [error for one in judged for error in _misses(one, row, threshold)]
    false = [error for one in judged for error in _false_finds(one, row, threshold)]
    sizes = {one.path: one.size[0] * one.size[1] for one in judged}
    misses.sort(key=lambda error: (error.score, -_area(error.box) / max(sizes[error.path], 1)))
    false.sort(key=lambda error: -error.score)
    return ClassErrors(name, tuple(misses[:TILES]), len(misses), tuple(false[:TILES]), len(false))


def _misses(one: Judged, row: int, threshold: float) -> Iterator[Error]:
    for box in one.true_boxes[one.true_classes == row]:
        alone = replace(one, true_boxes=box[None], true_classes=np.array([row], np.int32))
        scores, hits, _ = matches([alone], row)
        best = float(scores[hits].max()) if hits.any() else 0.0
        if best < threshold:
            yield Error(one.path, _corners(box), best)


def _false_finds(one: Judged, row: int, threshold: float) -> Iterator[Error]:
    scores, hits, _ = matches([one], row)
    mine = np.flatnonzero(one.classes == row)
    boxes: Boxes = one.boxes[mine[np.argsort(-one.scores[mine], kind="stable")]]  # best first, as `matches` answers
    for box, score, hit in zip(boxes, scores, hits, strict=True):
        if not hit and score >= threshold:
            yield Error(one.path, _corners(box), float(score))


def _corners(box: Boxes) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def check_sheet_path(path: Path) -> None:
    """Raises SettingsError when no picture can be written there: before minutes of judging, not after."""
    if path.suffix.lower() not in ENDINGS:
        raise SettingsError(f"{path}: a sheet is a picture; let its name end in {', '.join(sorted(ENDINGS))}")
    if not path.parent.is_dir():
        raise SettingsError(f"{path}: the folder {path.parent} does not exist; make it first")


def write_sheet(path: Path, classes: Sequence[ClassErrors], names: Mapping[str, Text]) -> int:
    """Writes the picture; how many classes are on it. names: what each class is called, by its name in the data.

    Classes without an error are left out. Raises SettingsError when the file cannot be written.
    """
    shown = [one for one in classes if one.missed or one.false][:MOST_CLASSES]
    width = GAP + 2 * TILES * (TILE + GAP)
    bands = [_band(one, names.get(one.name, Text(one.name, one.name)), width) for one in shown]
    sheet = np.concatenate(bands) if bands else _nothing(width)
    _, data = cv2.imencode(path.suffix.lower(), sheet)
    try:
        path.write_bytes(data.tobytes())
    except OSError as trouble:
        raise SettingsError(f"{path}: cannot be written: {trouble.strerror}") from None
    return len(shown)


def _nothing(width: int) -> Image:
    canvas = np.full((HEADING, width, 3), 255, np.uint8)
    write_line(canvas, Text("没有漏检和误报", "nothing missed, nothing false"), (GAP, 20), size=16, most=width)
    return canvas


def _band(one: ClassErrors, name: Text, width: int) -> Image:
    """A class: its heading, missed boxes on the left, false finds on the right."""
    canvas = np.full((HEADING + TILE + CAPTION, width, 3), 255, np.uint8)
    half = TILES * (TILE + GAP)
    write_line(canvas, name, (GAP, 22), size=17, most=half // 2 - GAP)
    missed, false = Text("漏检", f"missed {one.missed}"), Text("误报", f"false finds {one.false}")
    write_line(canvas, missed, (GAP + half // 2, 22), size=17, most=half // 2 - GAP, colour=GREEN)
    write_line(canvas, false, (GAP + half, 22), size=17, most=half - GAP, colour=RED)
    for start, errors, colour in ((GAP, one.misses, GREEN), (GAP + half, one.false_finds, RED)):
        for place, error in enumerate(errors):
            _put(canvas, error, start + place * (TILE + GAP), colour=colour)
    return canvas


def _put(canvas: Image, error: Error, left: int, *, colour: tuple[int, int, int]) -> None:
    top = HEADING + TILE
    image = read_picture(error.path)
    if image is not None:  # it was there when it was judged; a caption alone still says which one it was
        canvas[HEADING:top, left : left + TILE] = tile(image, error.box, colour=colour)
    score = Text("得分", f"score {error.score:.2f}") if error.score else Text("未见", "not seen at all")
    write_line(canvas, score, (left, top + 14), size=13, most=TILE)
    file = error.path.name
    write_line(canvas, Text(file, file), (left, top + 29), size=11, most=TILE, colour=GREY)


def tile(image: Image, box: tuple[float, float, float, float], *, colour: tuple[int, int, int]) -> Image:
    """The box with what is around it, TILE pixels a side, white where the picture ends."""
    x1, y1, x2, y2 = box
    scale = TILE / max((x2 - x1) * AROUND, (y2 - y1) * AROUND, LEAST_CROP)
    if scale < 1:  # averaging first: picking single pixels of a large picture turns it into noise
        sides = [max(round(side * scale), 1) for side in image.shape[1::-1]]
        image = cv2.resize(image, sides, interpolation=cv2.INTER_AREA).astype(np.uint8)
    shift = (TILE - (x1 + x2) * scale) / 2, (TILE - (y1 + y2) * scale) / 2
    zoom = max(scale, 1.0)
    place = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float32)
    result: Image = cv2.warpAffine(image, place, (TILE, TILE), borderValue=WHITE).astype(np.uint8)
    left, top, right, bottom = (round(v * scale + move) for v, move in zip(box, shift * 2, strict=True))
    cv2.rectangle(result, (left, top), (right, bottom), colour, 2)
    return result
