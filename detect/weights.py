"""Weights on disk: a folder with `manifest.json`, loaded only when every file is what the manifest says.

The manifest travels with the network because boxes without the right class names are worse than none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import models
from models.errors import WeightsError

MANIFEST = "manifest.json"
FORMAT = 1
SHIPPED = "street"  # the folder under models/weights that is used when nothing else is asked for
DEFAULT_THRESHOLD = 0.35  # for a class without one of its own
LARGEST_SIDE = 2048  # pixels: a typing error in the shape must not ask for gigabytes


@dataclass(frozen=True, slots=True)
class Output:
    """One head: the names of its two tensors, and its classes in the order of the score tensor's rows."""

    boxes: str
    scores: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the weights are. `shapes` are (height, width) of the input; the one nearest in aspect is used."""

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

    @property
    def names(self) -> tuple[str, ...]:
        """All classes of all outputs, in order: the ids of `Detections`."""
        return tuple(name for output in self.outputs for name in output.classes)

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
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as trouble:
        raise WeightsError(f"{path}: cannot be read as JSON: {trouble}; restore it or download it again") from None
    try:
        manifest = _manifest(folder, raw)
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as trouble:
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
        "data": list(manifest.data), "metrics": manifest.metrics,
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
    )


def _check(manifest: Manifest) -> None:
    if manifest.model not in manifest.files:
        raise ValueError(f"`files` gives no sha256 for the model {manifest.model}")
    strange = [name for name in manifest.files if Path(name).name != name]
    if strange:
        raise ValueError(f"`files` names {strange[0]!r}, which is not a plain file name")
    if not manifest.shapes or any(not _usable(side) for shape in manifest.shapes for side in shape):
        raise ValueError(f"`shapes` must be multiples of 32 up to {LARGEST_SIDE}, not {manifest.shapes}")
    names = manifest.names
    if not names or len(set(names)) != len(names):
        raise ValueError("`outputs` must name at least one class, and none twice")
    wrong = [name for name, score in manifest.thresholds.items() if name not in names or not 0 < score < 1]
    if wrong:
        raise ValueError(f"`thresholds` of {wrong[0]!r}: unknown class, or not between 0 and 1")


def _usable(side: int) -> bool:
    return side % 32 == 0 and 0 < side <= LARGEST_SIDE
