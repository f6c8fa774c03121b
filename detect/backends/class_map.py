"""`classes.toml`: what other people's classes are called here, in a few lines beside their model.

"rubbish pile" = "garbage"      # their name = ours; a class that is left out keeps its own name
"no helmet" = "head_no_helmet"

names = ["rubbish pile", "no helmet"]   # only for a file that does not name its classes itself
[thresholds]                            # only where the usual one does not fit; our names
garbage = 0.5
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from detect.weights import Manifest, Output
from models.errors import WeightsError

CLASS_MAP = "classes.toml"
LARGEST_BYTES = 1_000_000  # ten thousand classes; a model named by mistake is not read to its end


@dataclass(frozen=True, slots=True)
class ClassMap:
    """renames: their name -> ours; names: theirs in order, where the model does not tell; thresholds: by our names."""

    renames: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)


def class_map_beside(model: Path) -> Path | None:
    """`yolo.classes.toml` for `yolo.onnx`, else `classes.toml` in its folder (or in it, when it is a folder)."""
    own = [model / CLASS_MAP] if model.is_dir() else [model.with_suffix(f".{CLASS_MAP}"), model.parent / CLASS_MAP]
    return next((path for path in own if path.is_file()), None)


def read_class_map(path: Path) -> ClassMap:
    """Raises WeightsError that names the file and the place in it."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError(f"larger than {LARGEST_BYTES:,} bytes, so hardly a list of class names")
        return _class_map(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as trouble:  # TOML and Unicode errors are ValueErrors
        raise WeightsError(f'{path}: {trouble}; it holds lines like "their name" = "our class"') from None


def _class_map(table: dict[str, Any]) -> ClassMap:
    renames = {theirs: ours for theirs, ours in table.items() if isinstance(ours, str)}
    names, thresholds = table.get("names", []), table.get("thresholds", {})
    if isinstance(names, str):  # a class that is called "names"
        names = []
    if isinstance(thresholds, str):
        thresholds = {}
    if unknown := table.keys() - renames.keys() - {"names", "thresholds"}:
        raise ValueError(f"{sorted(unknown)[0]!r} is not a class name in quotes")
    if empty := [theirs for theirs, ours in renames.items() if not theirs.strip() or not ours.strip()]:
        raise ValueError(f"{empty[0]!r} or its class here is empty")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("`names` must be a list of class names")
    if not isinstance(thresholds, dict):
        raise ValueError("`thresholds` must be a table")
    return ClassMap(renames, tuple(names), {name: _score(name, value) for name, value in thresholds.items()})


def _score(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"the threshold of {name!r} is {value!r}, not a number between 0 and 1")
    return float(value)


def mapped(manifest: Manifest, table: ClassMap, *, where: Path) -> Manifest:
    """The manifest with the names and thresholds of a class map. Raises WeightsError for a name nobody knows.

    A line about a class that these weights lack is an error: it is a slip of the pen, or the map of another model.
    """
    outputs = _named(manifest.outputs, table.names, where=where) if table.names else manifest.outputs
    named = replace(manifest, outputs=outputs, renames={**manifest.renames, **table.renames})
    if unknown := sorted(table.renames.keys() - set(named.own_names)):
        raise WeightsError(
            f"{where}: these weights have no class {unknown[0]!r}; they have {', '.join(named.own_names)}"
        )
    if unknown := sorted(table.thresholds.keys() - set(named.names)):
        raise WeightsError(f"{where}: a threshold for {unknown[0]!r}, which no class of these weights is called here")
    return replace(named, thresholds={**manifest.thresholds, **table.thresholds})


def _named(outputs: tuple[Output, ...], names: tuple[str, ...], *, where: Path) -> tuple[Output, ...]:
    if len(outputs) != 1:
        raise WeightsError(f"{where}: `names` is for networks with one head; this one has {len(outputs)}")
    count = len(outputs[0].classes)
    if count and count != len(names):
        raise WeightsError(f"{where}: `names` lists {len(names)} classes, the network has {count}")
    if len(set(names)) != len(names):
        raise WeightsError(f"{where}: `names` lists a class twice")
    return (replace(outputs[0], classes=names),)
