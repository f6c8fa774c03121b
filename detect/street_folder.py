"""The folder a street's data set lies in: written beside first, so that who reads it sees the old set or the new one.

Both layouts at once: `data.yaml` for any YOLO tool, and `classes.txt`, `sets.tsv`, `splits/` (`detect.labels`), which
also say which classes each picture speaks about. `examples.tsv` tells where each picture comes from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detect.street_lessons import Lesson
from models.errors import DatasetError
from models.geometry import Box
from models.ids import CameraId
from models.teaching import JudgedSighting
from models.wire import moment

VAL_SHARE = 0.2
"""Of the cameras, by their names' hash: a camera is in one split only, or val would measure how well it is known."""

INDEX = "examples.tsv"
COLUMNS = (
    "picture", "split", "set", "incident", "camera", "taken_at", "subcategory", "classes", "verdict", "judged_by",
    "judged_at", "box", "covered",
)  # fmt: skip

README = """Pictures of one district's own cameras, as people have judged them. Made by `gridwarden learn export`.

data.yaml is for any YOLO tool. sets.tsv says more: which classes the pictures of each folder speak about. A picture
without a box says that none of these classes is in it; of all other classes it says nothing. Grey areas hide finds
that nobody has judged. examples.tsv tells for each picture which incident it comes from and what was said about it.

Heads of people are pixelated. These are still pictures of a public street: keep them where the record is kept, pass
them on only as far as the record may be passed on, and delete them when they have been used.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """picture: the masked JPEG, waiting in the staging folder; look: `street_lessons.look_of` the judged place."""

    sighting: JudgedSighting
    taught: Lesson
    picture: Path
    look: int


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder beside, in which everything is made."""

    folder: Path

    def write(self, examples: Iterable[Example], *, known: tuple[str, ...]) -> None:
        """known: classes in the order the data set numbers them."""
        examples = sorted(examples, key=lambda one: (one.sighting.number, one.sighting.taken_at))
        spoken = {name for one in examples for name in one.taught.classes}
        names = tuple(name for name in known if name in spoken)
        rows = [_place(one, self.folder, names) for one in examples]
        marked = {set_of(one): one.taught.classes for one in examples}
        _lines(self.folder / INDEX, ["\t".join(COLUMNS), *("\t".join(row) for row in rows)])
        _describe(self.folder, names, marked, rows)
        shutil.rmtree(self.folder / "waiting")


def split_of(camera_id: CameraId) -> str:
    """The same for ever, on every machine."""
    part = int.from_bytes(hashlib.sha256(camera_id.encode()).digest()[:4], "big") / 2**32
    return "val" if part < VAL_SHARE else "train"


def set_of(example: Example) -> str:
    """Pictures of one folder speak about the same classes and belong to the same split."""
    return f"{'+'.join(example.taught.classes)}-{split_of(example.sighting.camera_id)}".replace(" ", "_")


def check_place(out: Path) -> None:
    """Raises DatasetError when `out` holds something that is not ours to replace."""
    if out.exists() and not out.is_dir():
        raise DatasetError(f"{out} is a file; name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / INDEX).is_file():
        raise DatasetError(f"{out} holds something that is no export of the street; name another folder with --out.")


@contextmanager
def staging(out: Path) -> Iterator[Stage]:
    """What is in the stage when the context ends takes the place of `out`; nothing does when it ends in an error."""
    beside, old = out.with_name(f".{out.name}.new-{os.getpid()}"), out.with_name(f".{out.name}.old-{os.getpid()}")
    try:
        (beside / "waiting").mkdir(parents=True)
        beside.chmod(0o700)  # pictures of people's street, even with their heads masked
        yield Stage(beside)
        if out.exists():
            out.rename(old)
        beside.rename(out)
    except OSError as trouble:
        raise DatasetError(f"{out} cannot be written: {trouble.strerror}; free space or name another folder.") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def prune(folder: Path, opted_out: Collection[CameraId]) -> int:
    """Removes from an export what shows cameras that opted out; how many pictures that were."""
    rows = _index(folder)
    leaving = {row[0] for row in rows if row[COLUMNS.index("camera")] in opted_out}
    for name in leaving:
        picture = folder / name
        if ".." in picture.parts:
            raise DatasetError(f"{folder / INDEX}: {name} lies outside the folder; this is no export.")
        picture.unlink(missing_ok=True)
        (folder / "labels" / picture.parent.name / f"{picture.stem}.txt").unlink(missing_ok=True)
    staying = [row for row in rows if row[0] not in leaving]
    _splits(folder, staying)
    _lines(folder / INDEX, ["\t".join(COLUMNS), *("\t".join(row) for row in staying)])
    return len(leaving)


def _place(one: Example, folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Moves the picture to its set, writes its labels; its row of the index."""
    seen, set_name = one.sighting, set_of(one)
    picture = folder / "images" / set_name / one.picture.name
    picture.parent.mkdir(parents=True, exist_ok=True)
    one.picture.rename(picture)
    labels = (_label(names.index(label), box) for label, box in one.taught.boxes)
    _lines(folder / "labels" / set_name / f"{picture.stem}.txt", labels)
    return (
        str(picture.relative_to(folder)), split_of(seen.camera_id), set_name, str(seen.number), seen.camera_id,
        moment(seen.taken_at), seen.subcategory, ",".join(one.taught.classes), seen.verdict.value,
        seen.judged_by.value, moment(seen.judged_at), " ".join(f"{value:.4f}" for value in seen.box.xyxy),
        str(len(one.taught.covered)),
    )  # fmt: skip


def _describe(
    folder: Path, names: tuple[str, ...], marked: Mapping[str, tuple[str, ...]], rows: list[tuple[str, ...]]
) -> None:
    _lines(folder / "classes.txt", names)
    table = [
        f"{set_name}\t{','.join(str(names.index(name)) for name in classes)}\t{','.join(classes)}"
        for set_name, classes in sorted(marked.items())
    ]
    _lines(folder / "sets.tsv", ["set\tannotated_class_ids\tannotated_classes", *table])
    _splits(folder, rows)
    folders = {split: [f"images/{name}" for name in sorted(marked) if name.endswith(split)] for split in SPLITS}
    settings = {"path": ".", **folders, "names": dict(enumerate(names))}
    _lines(folder / "data.yaml", [f"{key}: {_yaml(value)}" for key, value in settings.items()])
    (folder / "README.md").write_text(README, encoding="utf-8")


SPLITS = ("train", "val")


def _splits(folder: Path, rows: Iterable[tuple[str, ...]]) -> None:
    listed = [(row[0], row[1]) for row in rows]
    for split in SPLITS:
        _lines(folder / "splits" / f"{split}.txt", [picture for picture, one in listed if one == split])


def _yaml(value: object) -> str:
    """JSON is YAML, but for the numbers that are keys."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{number}: {json.dumps(name)}" for number, name in value.items()) + "}"
    return json.dumps(value)


def _label(number: int, box: Box) -> str:
    x, y = box.centre
    return f"{number} {x:.6f} {y:.6f} {box.x2 - box.x1:.6f} {box.y2 - box.y1:.6f}"


def _index(folder: Path) -> list[tuple[str, ...]]:
    try:
        lines = (folder / INDEX).read_text(encoding="utf-8").splitlines()[1:]
    except OSError as trouble:
        raise DatasetError(f"{folder / INDEX} cannot be read ({trouble.strerror}): is this an export?") from None
    return [tuple(line.split("\t")) for line in lines]


def _lines(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
