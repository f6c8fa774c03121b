"""Other people's models without a manifest of ours: an ONNX file, an OpenVINO graph, a folder as ultralytics exports.

What the file tells of itself (names, input size, licence) is read; what it does not tell comes from `classes.toml`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from detect.backends.class_map import class_map_beside, mapped, read_class_map
from detect.backends.graph import CORNER_ROWS, END_TO_END_COLUMNS, is_picture_input, opened_graph
from detect.weights import LARGEST_SIDE, Form, Manifest, Output
from models.errors import WeightsError

GRAPHS = frozenset({".onnx", ".xml"})
METADATA = "metadata.yaml"
USUAL_SIDE = 640  # what ultralytics trains and exports at unless told otherwise
UNKNOWN_LICENCE = "not stated"


def foreign_manifest(path: Path, *, class_map: Path | None = None) -> Manifest:
    """What a graph is, told as a manifest (without sha256: nobody has vouched for it yet).

    path: an .onnx or .xml file, or a folder that holds exactly one. Raises WeightsError with what is missing.
    """
    model_path = _graph_in(path)
    model = opened_graph(model_path)
    metadata = {**_told_inside(model), **_told_beside(model_path)}
    where = class_map or class_map_beside(path) or class_map_beside(model_path)
    table = read_class_map(where) if where else None
    names = class_names(metadata.get("names")) or (table.names if table else ())
    form, count = _form(model, model_path, metadata, named=len(names))
    if not names:
        raise WeightsError(
            f"{model_path}: does not tell its {count or 'several'} class names; write them in their order into "
            f'{model_path.with_suffix(".classes.toml").name} beside it: names = ["first", "second"]'
        )
    output = model.outputs[0]
    tensor = next(iter(sorted(output.get_names())), "0")
    manifest = Manifest(
        folder=model_path.parent, name=model_path.stem, backend="openvino", model=model_path.name,
        files=dict.fromkeys(_files_of(model_path), ""), shapes=(_shape(model, model_path, metadata),),
        outputs=(Output(tensor, tensor, names),), thresholds={}, form=form,
        licence=str(metadata.get("license") or UNKNOWN_LICENCE), provenance=_provenance(metadata),
    )  # fmt: skip
    return mapped(manifest, table, where=where) if table and where else manifest


def class_names(told: Any) -> tuple[str, ...]:
    """Names in id order from a list, a map 0, 1, 2 … -> name, or such a map written out as text; () for no such."""
    if isinstance(told, str):
        try:
            told = ast.literal_eval(told)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ()
    if isinstance(told, dict) and all(isinstance(number, int) for number in told):
        told = [told[number] for number in range(len(told))] if sorted(told) == list(range(len(told))) else []
    names = tuple(str(name) for name in told) if isinstance(told, list | tuple) else ()
    return names if len(set(names)) == len(names) and all(names) else ()


def _graph_in(path: Path) -> Path:
    if not path.exists():
        raise WeightsError(f"{path}: no weights here: neither a folder nor a file")
    if not path.is_dir():
        return path
    graphs = sorted(file for file in path.iterdir() if file.suffix.lower() in GRAPHS)
    if len(graphs) != 1:
        raise WeightsError(
            f"{path}: no manifest.json, and {len(graphs) or 'no'} .xml or .onnx files in it; name one file, or a "
            "folder that holds one"
        )
    return graphs[0]


def _files_of(model: Path) -> list[str]:
    """What belongs to the model: an .xml has its weights in a .bin, a large .onnx may have them in a .onnx.data."""
    beside = [model.with_suffix(".bin")] if model.suffix.lower() == ".xml" else [Path(f"{model}.data")]
    return [model.name, *(file.name for file in beside if file.is_file())]


def _told_inside(model: Any) -> dict[str, Any]:
    """ONNX keeps names and size in its metadata; OpenVINO passes them on as `framework`."""
    told = dict(model.get_rt_info().items()).get("framework", {})
    told = getattr(told, "value", told)
    return {key: getattr(value, "value", value) for key, value in told.items()} if isinstance(told, dict) else {}


def _told_beside(model: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]

    path = model.parent / METADATA
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as trouble:
        raise WeightsError(f"{path}: cannot be read as YAML: {trouble}") from None
    if not isinstance(told, dict):
        raise WeightsError(f"{path}: is not a table of names and values; export the model again")
    return told


def _form(model: Any, path: Path, metadata: dict[str, Any], *, named: int) -> tuple[Form, int]:
    """The form of the output and how many classes it has; 0 where it does not tell."""
    shape = model.outputs[0].partial_shape
    sides = [side.get_length() if side.is_static else 0 for side in shape] if shape.rank.is_static else []
    if len(model.inputs) != 1 or not is_picture_input(model.inputs[0].partial_shape) or len(sides) != 3:
        raise WeightsError(f"{path}: not a detector as YOLOv8, 11 or later are exported; it gives {shape}")
    told = str(metadata.get("end2end", "")).lower() == "true"
    if told or (sides[2] == END_TO_END_COLUMNS and sides[1] != CORNER_ROWS + named):
        return Form.END_TO_END, 0
    if sides[1] and sides[2] and sides[1] > sides[2]:
        raise WeightsError(
            f"{path}: its output is {shape}, finds before values as in YOLOv5; only YOLOv8, 11 and end-to-end exports "
            "are understood. Export it again with a newer ultralytics"
        )
    return Form.YOLO, max(sides[1] - CORNER_ROWS, 0)


def _shape(model: Any, path: Path, metadata: dict[str, Any]) -> tuple[int, int]:
    free = _told_size(metadata.get("imgsz"))
    given = model.inputs[0].partial_shape
    height, width = (
        given[axis].get_length() if given[axis].is_static else told for axis, told in zip((2, 3), free, strict=True)
    )
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise WeightsError(f"{path}: its input is {height} x {width}; up to {LARGEST_SIDE} a side can be used")
    return height, width


def _told_size(told: Any) -> tuple[int, int]:
    try:
        sides = ast.literal_eval(told) if isinstance(told, str) else told
        pair = [int(side) for side in sides] if isinstance(sides, list | tuple) else [int(sides)] * 2
        return pair[0], pair[1]
    except (TypeError, ValueError, SyntaxError, IndexError, OverflowError):
        return USUAL_SIDE, USUAL_SIDE


def _provenance(metadata: dict[str, Any]) -> str:
    told = [str(metadata[key]) for key in ("description", "author", "date", "version") if metadata.get(key)]
    return "As told by the file itself: " + ", ".join(told) if told else "Not stated by the file."
