"""Weights on disk: a folder with `manifest.json`, loaded only when every file is what the manifest says.

The manifest travels with the network because boxes without the right class names are worse than none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import models
from models.errors import WeightsError

MANIFEST = "manifest.json"
FORMAT = 1
SHIPPED = "street"  # the folder under models/weights that is used when nothing else is asked for
DEFAULT_THRESHOLD = 0.35  # for a class without one of its own
STRIDE = 32  # pixels of the input per place of the coarsest map: our own decoding counts on whole places
LARGEST_SIDE = 2048  # pixels: a typing error in the shape must not ask for gigabytes


class Form(StrEnum):
    """What a network gives back, and so how it is read (`detect.backends.heads`)."""

    MAPS = "maps"  # ours: box bins and class logits as two tensors per head, any input shape
    YOLO = "yolo"  # YOLOv8 and 11 as ultralytics exports them: (1, 4 + classes, places), centre, size and scores
    END_TO_END = "end_to_end"  # (1, finds, 6): corners, score, class; suppressed inside the network


@dataclass(frozen=True, slots=True)
class Output:
    """One head: the names of its tensors (the same twice where it has one), and its classes in the scores' order."""

    boxes: str
    scores: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the weights are. `shapes` are (height, width) of the input; the one nearest in aspect is used.

    renames: what other people call a class -> what our recipes call it. open_vocabulary: the classes are words that
    are given to the network when it is loaded (YOLO-World, YOLOE).
    """

    folder: Path
    name: str
    backend: str
    model: str
    files: dict[str, str]
    shapes: tuple[tuple[int, int], ...]
    outputs: tuple[Output, ...]
    thresholds: dict[str, float]
    licence: str
    provenance: str
    data: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    form: Form = Form.MAPS
    renames: dict[str, str] = field(default_factory=dict)
    open_vocabulary: bool = False

    @property
    def own_names(self) -> tuple[str, ...]:
        """All classes of all outputs, in order, as the network's makers call them."""
        return tuple(name for output in self.outputs for name in output.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """All classes as our recipes call them, each once: the ids of `Detections`."""
        return tuple(dict.fromkeys(self.renames.get(name, name) for name in self.own_names))

    @property
    def model_path(self) -> Path:
        return self.folder / self.model

    def threshold(self, name: str) -> float:
        """The score from which on a find of this class is worth passing on."""
        return self.thresholds.get(name, DEFAULT_THRESHOLD)


def shipped_weights() -> Path:
    """The folder of the weights that come with the product."""
    return Path(models.__file__).parent / "weights" / SHIPPED


def read_manifest(folder: Path) -> Manifest:
    """Reads and checks the manifest, not the files. Raises WeightsError with the place that is wrong."""
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"{path}: no weights here; give the folder that holds {MANIFEST}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as trouble:
        raise WeightsError(f"{path}: cannot be read as JSON: {trouble}; restore it or download it again") from None
    try:
        manifest = _manifest(folder, raw)
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as trouble:
        what = f"{trouble} is missing" if isinstance(trouble, KeyError) else str(trouble)
        raise WeightsError(f"{path}: {what}; restore it or download it again") from None
    return manifest


def verified_manifest(folder: Path) -> Manifest:
    """As `read_manifest`, and every named file has its sha256. Raises WeightsError otherwise."""
    manifest = read_manifest(folder)
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{path}: named in {MANIFEST} but missing; download the weights again")
        if sha256(path) != wanted:
            raise WeightsError(
                f"{path}: does not have the sha256 that {MANIFEST} names: altered or damaged; get the weights again"
            )
    return manifest


def write_manifest(manifest: Manifest) -> Path:
    """Writes the manifest into its folder, with the sha256 of each named file taken now."""
    files = {name: sha256(manifest.folder / name) for name in manifest.files}
    raw = {
        "format": FORMAT, "name": manifest.name, "backend": manifest.backend, "model": manifest.model, "files": files,
        "shapes": [list(shape) for shape in manifest.shapes],
        "outputs": [{"boxes": o.boxes, "scores": o.scores, "classes": list(o.classes)} for o in manifest.outputs],
        "thresholds": manifest.thresholds, "licence": manifest.licence, "provenance": manifest.provenance,
        "data": list(manifest.data), "metrics": manifest.metrics, "form": manifest.form.value,
        "renames": manifest.renames, "open_vocabulary": manifest.open_vocabulary,
    }  # fmt: skip
    path = manifest.folder / MANIFEST
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(folder: Path, raw: dict[str, Any]) -> Manifest:
    if raw["format"] != FORMAT:
        raise ValueError(f"format {raw['format']!r} is not {FORMAT}; these weights are for another version")
    outputs = tuple(
        Output(str(output["boxes"]), str(output["scores"]), tuple(str(name) for name in output["classes"]))
        for output in raw["outputs"]
    )
    return Manifest(
        folder=folder,
        name=str(raw["name"]),
        backend=str(raw["backend"]),
        model=str(raw["model"]),
        files={str(name): str(digest) for name, digest in raw["files"].items()},
        shapes=tuple((int(height), int(width)) for height, width in raw["shapes"]),
        outputs=outputs,
        thresholds={str(name): float(score) for name, score in raw["thresholds"].items()},
        licence=str(raw["licence"]),
        provenance=str(raw["provenance"]),
        data=tuple(str(line) for line in raw.get("data", [])),
        metrics=dict(raw.get("metrics", {})),
        form=Form(raw.get("form", Form.MAPS)),
        renames={str(theirs): str(ours) for theirs, ours in raw.get("renames", {}).items()},
        open_vocabulary=bool(raw.get("open_vocabulary", False)),
    )


def _check(manifest: Manifest) -> None:
    if manifest.model not in manifest.files:
        raise ValueError(f"`files` gives no sha256 for the model {manifest.model}")
    strange = [name for name in manifest.files if Path(name).name != name or name in ("", "..")]
    if strange:
        raise ValueError(f"`files` names {strange[0]!r}, which is not a plain file name")
    step = STRIDE if manifest.form is Form.MAPS else 1
    if not manifest.shapes or any(not _usable(side, step) for shape in manifest.shapes for side in shape):
        raise ValueError(f"`shapes` must be multiples of {step} up to {LARGEST_SIDE}, not {manifest.shapes}")
    _check_classes(manifest)


def _check_classes(manifest: Manifest) -> None:
    own, names = manifest.own_names, manifest.names
    if not own or len(set(own)) != len(own) or not all(own):
        raise ValueError("`outputs` must name at least one class, and none twice")
    unknown = manifest.renames.keys() - set(own)
    if unknown or not all(names):
        raise ValueError(f"`renames` of {', '.join(sorted(unknown)) or 'a class to nothing'}: not in these weights")
    wrong = [name for name, score in manifest.thresholds.items() if name not in names or not 0 < score < 1]
    if wrong:
        raise ValueError(f"`thresholds` of {wrong[0]!r}: unknown class, or not between 0 and 1")


def _usable(side: int, step: int) -> bool:
    return side % step == 0 and 0 < side <= LARGEST_SIDE
