"""Labelled pictures on disk: the YOLO layout (`data.yaml`) and our own folder of partly marked sets (`sets.tsv`).

One bad line, label file or picture is named in `Dataset.problems` and left out; the rest is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import DatasetError
from models.geometry import Boxes

PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
SMALLEST_SIDE = 1e-4  # of the picture: thinner boxes are slips of a labelling tool, and no detector finds them


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """One picture and what is marked in it.

    class_ids: int32 (N,); boxes: float32 (N, 4), xyxy fractions. `marked` are the classes whose absence means
    something here: a set of hard-hat pictures says nothing about bins.
    """

    path: Path
    set_name: str
    class_ids: NDArray[np.int32]
    boxes: Boxes
    marked: frozenset[int]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pictures with one list of class names; `problems` are sentences about what was left out."""

    names: tuple[str, ...]
    pictures: tuple[LabelledPicture, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one picture and its label file lie."""

    picture: Path
    labels: Path
    set_name: str
    marked: frozenset[int]


def read_dataset(folder: Path, *, split: str = "val") -> Dataset:
    """Reads either layout. Raises DatasetError when the folder is neither, or holds no picture."""
    if (folder / "sets.tsv").is_file():
        names, places = _set_folder(folder, split)
    elif (folder / "data.yaml").is_file():
        names, places = _yolo_folder(folder, split)
    else:
        raise DatasetError(f"{folder}: no data.yaml (YOLO layout) and no sets.tsv in it")
    if not places:
        raise DatasetError(f"{folder}: no pictures of split {split!r} in it")
    return _read_all(names, places)


def _read_all(names: tuple[str, ...], places: list[Place]) -> Dataset:
    pictures, problems = [], []
    for place in places:
        class_ids, boxes, bad = read_labels(place.labels, class_count=len(names))
        problems += bad
        pictures.append(LabelledPicture(place.picture, place.set_name, class_ids, boxes, place.marked))
    return Dataset(names, tuple(pictures), tuple(problems))


def read_labels(path: Path, *, class_count: int) -> tuple[NDArray[np.int32], Boxes, list[str]]:
    """Boxes of one label file, and a sentence for each line that was left out. No file means nothing is marked."""
    try:
        lines = path.read_text().splitlines() if path.is_file() else []
    except (OSError, UnicodeDecodeError) as trouble:
        return (*_no_boxes(), [f"{path}: cannot be read ({trouble}); counted as unmarked"])
    rows, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(_row(line, class_count))
        except ValueError as trouble:
            problems.append(f"{path}:{number}: {trouble}; line left out")
    if not rows:
        return (*_no_boxes(), problems)
    table = np.array(rows, np.float64)
    return table[:, 0].astype(np.int32), table[:, 1:].astype(np.float32), problems


def _no_boxes() -> tuple[NDArray[np.int32], Boxes]:
    return np.zeros(0, np.int32), np.zeros((0, 4), np.float32)


def _row(line: str, class_count: int) -> tuple[float, float, float, float, float]:
    """class, x1, y1, x2, y2 of one line: `class cx cy w h`, or a polygon `class x y x y x y …`, taken as its box."""
    fields = line.split()
    try:
        class_id, values = int(fields[0]), np.array(fields[1:], np.float64)
    except ValueError:
        raise ValueError("not a class number and numbers") from None
    if not 0 <= class_id < class_count:
        raise ValueError(f"class {class_id} is not one of the {class_count} named")
    x1, y1, x2, y2 = np.clip(_corners(values), 0.0, 1.0)
    if x2 - x1 < SMALLEST_SIDE or y2 - y1 < SMALLEST_SIDE:
        raise ValueError("the box is empty or lies outside the picture")
    return class_id, float(x1), float(y1), float(x2), float(y2)


def _corners(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(values).all():
        raise ValueError("a number is not finite")
    if len(values) == 4:
        centre, size = values[:2], values[2:]
        return np.concatenate([centre - size / 2, centre + size / 2])
    if len(values) >= 6 and len(values) % 2 == 0:
        points = values.reshape(-1, 2)
        return np.concatenate([points.min(0), points.max(0)])
    raise ValueError(f"{len(values)} numbers after the class, not 4 and not a polygon")


def _set_folder(folder: Path, split: str) -> tuple[tuple[str, ...], list[Place]]:
    try:
        names = tuple((folder / "classes.txt").read_text().split())
        rows = [line.split("\t") for line in (folder / "sets.tsv").read_text().splitlines()[1:] if line.strip()]
        marked = {row[0]: frozenset(int(number) for number in row[1].split(",")) for row in rows}
        listed = (folder / "splits" / f"{split}.txt").read_text().split()
    except (OSError, ValueError, IndexError) as trouble:
        raise DatasetError(f"{folder}: classes.txt, sets.tsv or splits/{split}.txt cannot be used: {trouble}") from None
    places = []
    for line in listed:
        relative = Path(line)
        set_name = relative.parent.name
        if set_name not in marked:
            raise DatasetError(f"{folder}/splits/{split}.txt: set {set_name!r} of {line} is not in sets.tsv")
        labels = folder / "labels" / set_name / f"{relative.stem}.txt"
        places.append(Place(folder / relative, labels, set_name, marked[set_name]))
    return names, places


def _yolo_folder(folder: Path, split: str) -> tuple[tuple[str, ...], list[Place]]:
    names, settings = _data_yaml(folder / "data.yaml")
    everything = frozenset(range(len(names)))
    root = folder / str(settings.get("path") or ".")
    if not root.is_dir():  # data.yaml often holds the path of the machine that wrote it
        root = folder
    places = []
    for pictures in _picture_folders(folder, root, settings.get(split)):
        for picture in sorted(pictures.rglob("*")):
            if picture.suffix.lower() in PICTURE_ENDINGS:
                places.append(Place(picture, _labels_beside(picture), pictures.name, everything))
    return names, places


def _data_yaml(path: Path) -> tuple[tuple[str, ...], dict[str, object]]:
    import yaml  # type: ignore[import-untyped]

    try:
        settings = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as trouble:
        raise DatasetError(f"{path}: cannot be read as YAML: {trouble}") from None
    names = settings.get("names") if isinstance(settings, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DatasetError(f"{path}: `names` must list the classes, or map 0, 1, 2 … to them")
    return tuple(str(name) for name in names), settings


def _picture_folders(folder: Path, root: Path, listed: object) -> list[Path]:
    """What data.yaml says of the split when that exists; else every picture under images/."""
    entries = listed if isinstance(listed, list) else [listed] if listed else []
    found = [base / str(entry) for entry in entries for base in (root, folder) if (base / str(entry)).is_dir()]
    if found:
        return found[: len(entries)]
    return [folder / "images"] if (folder / "images").is_dir() else []


def _labels_beside(picture: Path) -> Path:
    """…/images/…/name.jpg -> …/labels/…/name.txt: the last folder called images is the one that has the twin."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")
