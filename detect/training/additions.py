"""A district's own pictures beside the training data: one folder that looks like the data folder, with more sets in it.

Everything that reads the data folder (samples, calibration, val, clips, start weights) reads this one the same way,
each added set with its own marked classes. Val stays what it was, or before and after could not be compared.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detect.evaluation import common_classes
from detect.labels import Dataset, LabelledPicture, read_dataset
from models.errors import DatasetError

OURS = ".gridwarden-additions"
"""Marks a folder that may be made anew."""


@dataclass(frozen=True, slots=True)
class Additions:
    """folder: to be used as the data folder; pictures: how many were added; problems: sentences about what was not."""

    folder: Path
    pictures: int
    problems: tuple[str, ...]


def overlay(data: Path, added: Sequence[Path], into: Path) -> Additions:
    """Makes `into` anew: `data` by links, and the train pictures of each added folder as sets of its own.

    Raises DatasetError for a folder that cannot be read, or has no class that `data` names.
    """
    train, val = read_dataset(data, split="train"), read_dataset(data, split="val")
    known = _contents(val.pictures)
    _empty(into)
    _link_data(data, into)
    sets: dict[str, frozenset[int]] = {}
    lines: list[str] = []
    problems: list[str] = []
    for number, folder in enumerate(added, 1):
        for picture in _mapped(folder, train.names, problems):
            if _content(picture.path) in known:
                problems.append(f"{picture.path}: is a validation picture of {data}; left out")
                continue
            set_name = _set_name(number, picture, sets)
            lines.append(_put(picture, set_name, into, number=len(lines)))
    if not lines:
        raise DatasetError(f"None of the pictures in {', '.join(map(str, added))} can be added: {'; '.join(problems)}")
    _extend(into / "splits" / "train.txt", data / "splits" / "train.txt", lines)
    _extend(into / "sets.tsv", data / "sets.tsv", (_row(name, marked, train.names) for name, marked in sets.items()))
    return Additions(into, len(lines), tuple(problems))


def street_val(added: Sequence[Path]) -> list[tuple[Path, Dataset]]:
    """The added folders' own val pictures: cameras that were not trained on. A folder without any is passed over."""
    found = []
    for folder in added:
        try:
            trained_on = {picture.path for picture in read_dataset(folder, split="train").pictures}
            val = read_dataset(folder, split="val")
        except DatasetError:
            continue
        fresh = tuple(picture for picture in val.pictures if picture.path not in trained_on)
        if fresh:
            found.append((folder, replace(val, pictures=fresh)))
    return found


def _mapped(folder: Path, names: tuple[str, ...], problems: list[str]) -> Iterable[LabelledPicture]:
    """The folder's train pictures with class numbers as in `names`; classes that are not named there are dropped."""
    given = read_dataset(folder, split="train")
    ours = {theirs: number for number, theirs in common_classes(names, given.names).items()}
    if not ours:
        raise DatasetError(f"{folder}: names {', '.join(given.names)}; none of these is trained: {', '.join(names)}")
    problems += given.problems
    if strange := [name for number, name in enumerate(given.names) if number not in ours]:
        problems.append(f"{folder}: {', '.join(strange)}: no class that is trained; these boxes are left out")
    for picture in given.pictures:
        keep = [row for row, class_id in enumerate(picture.class_ids) if int(class_id) in ours]
        class_ids = picture.class_ids[keep].copy()
        class_ids[:] = [ours[int(class_id)] for class_id in class_ids]
        marked = frozenset(ours[number] for number in picture.marked if number in ours)
        if marked:
            yield replace(picture, class_ids=class_ids, boxes=picture.boxes[keep], marked=marked)


def _set_name(number: int, picture: LabelledPicture, sets: dict[str, frozenset[int]]) -> str:
    """Unlike any set of the data folder; pictures of one set speak about the same classes."""
    plain = "".join(letter if letter.isalnum() or letter in "-_+" else "_" for letter in picture.set_name)
    name = f"added{number}-{plain}"
    while sets.setdefault(name, picture.marked) != picture.marked:
        name += "+"
    return name


def _put(picture: LabelledPicture, set_name: str, into: Path, *, number: int) -> str:
    """Links the picture, writes its labels in our class numbers; its line in the split."""
    name = f"images/{set_name}/{number:06d}{picture.path.suffix.lower()}"
    labels = into / "labels" / set_name / f"{number:06d}.txt"
    for path in (into / name, labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    (into / name).symlink_to(picture.path.resolve())
    rows = []
    for class_id, (x1, y1, x2, y2) in zip(picture.class_ids, picture.boxes, strict=True):
        rows.append(f"{class_id} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}\n")
    labels.write_text("".join(rows))
    return name


def _empty(into: Path) -> None:
    if into.exists() and any(into.iterdir()) and not (into / OURS).is_file():
        raise DatasetError(f"{into} holds something else; name another folder with --work.")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    (into / OURS).touch()


def _link_data(data: Path, into: Path) -> None:
    """Pictures and labels set by set, since ours come beside them; val and the rest as they are."""
    for inside in ("images", "labels"):
        (into / inside).mkdir()
        for entry in (data / inside).iterdir():
            (into / inside / entry.name).symlink_to(entry.resolve())
    (into / "splits").mkdir()
    for split in (data / "splits").iterdir():
        (into / "splits" / split.name).symlink_to(split.resolve())
    for entry in data.iterdir():
        if entry.name not in ("images", "labels", "splits", "sets.tsv"):
            (into / entry.name).symlink_to(entry.resolve())


def _extend(path: Path, original: Path, lines: Iterable[str]) -> None:
    path.unlink(missing_ok=True)
    path.write_text("\n".join([original.read_text().rstrip("\n"), *lines]) + "\n")


def _row(name: str, marked: frozenset[int], names: tuple[str, ...]) -> str:
    numbers = sorted(marked)
    return f"{name}\t{','.join(map(str, numbers))}\t{','.join(names[number] for number in numbers)}"


def _contents(pictures: Iterable[LabelledPicture]) -> frozenset[str]:
    return frozenset(_content(picture.path) for picture in pictures)


def _content(path: Path) -> str:
    """Of a picture that cannot be read: its path, which is like no other's content."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return str(path)
