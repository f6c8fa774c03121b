"""OpenVINO graphs: read, held against their manifest, given uint8 pictures as input, compiled for one input shape."""

from __future__ import annotations

import logging
import queue
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detect.backends.heads import holds_scores
from detect.weights import Form, Manifest
from models.errors import WeightsError

log = logging.getLogger(__name__)

MAP_ROWS = 64  # of our box maps: four sides of 16 bins
CORNER_ROWS = 4
END_TO_END_COLUMNS = 6


def opened_graph(path: Path) -> Any:
    """The file as OpenVINO understands it (.xml or .onnx). Raises WeightsError when it does not."""
    import openvino

    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    try:
        return openvino.Core().read_model(str(path))
    except RuntimeError as trouble:
        reason = str(trouble).strip().splitlines()[-1:] or ["it does not say why"]
        raise WeightsError(f"{path}: OpenVINO cannot read it: {reason[0]}") from None


def read_graph(manifest: Manifest) -> Any:
    """The graph, its outputs checked against the manifest, with uint8 BGR pictures as input."""
    from openvino import Layout, PartialShape, Type
    from openvino.preprocess import ColorFormat, PrePostProcessor

    model = opened_graph(manifest.model_path)
    _check_input(model, manifest)
    if manifest.form is Form.MAPS:
        _check_maps(model, manifest)
        model.reshape(PartialShape([1, 3, -1, -1]))
    else:
        _check_foreign(model, manifest)
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC")).set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_element_type(Type.f32).convert_color(ColorFormat.RGB).scale(255.0)
    steps.input().model().set_layout(Layout("NCHW"))
    return steps.build()


def compiled_requests(
    model: Any, shape: tuple[int, int], streams: int, *, cache: Path | None
) -> queue.SimpleQueue[Any]:
    """Warm infer requests for one input shape; one thread each, so that looks do not wait for each other's layers."""
    import openvino

    height, width = shape
    reshaped = model.clone()
    reshaped.reshape([1, height, width, 3])
    settings: dict[str, int | str] = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        "PERFORMANCE_HINT": "THROUGHPUT",
    }
    if cache is not None:
        settings["CACHE_DIR"] = str(cache)
    compiled = openvino.Core().compile_model(reshaped, "CPU", settings)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(streams):
        request = compiled.create_infer_request()
        request.infer({0: np.zeros((1, height, width, 3), np.uint8)})
        idle.put(request)
    log.debug("compiled %s for %s x %s", model.get_friendly_name(), width, height)
    return idle


def check_scores(raw: NDArray[np.float32], manifest: Manifest) -> None:
    """Raises WeightsError when the first picture's "scores" cannot be any."""
    scores = raw[CORNER_ROWS:] if manifest.form is Form.YOLO else raw[:, 4]
    if not holds_scores(scores):
        raise WeightsError(
            f"{manifest.model_path}: its scores leave 0..1, so they are logits; export it with the sigmoid inside"
        )


def _check_input(model: Any, manifest: Manifest) -> None:
    if len(model.inputs) != 1 or not is_picture_input(model.inputs[0].partial_shape):
        raise WeightsError(
            f"{manifest.model_path}: its input is not one picture of the form (1, 3, height, width); "
            "export a detector for colour pictures"
        )


def is_picture_input(shape: Any) -> bool:
    """(1, 3, height, width), where any side may be free."""
    return bool(shape.rank.is_static and len(shape) == 4 and may_be(shape[0], 1) and may_be(shape[1], 3))


def may_be(side: Any, length: int) -> bool:
    return bool(side.is_dynamic or side.get_length() == length)


def _check_maps(model: Any, manifest: Manifest) -> None:
    rows = {name: output.partial_shape[1] for output in model.outputs for name in output.get_names()}
    for output in manifest.outputs:
        for tensor, wanted in ((output.boxes, MAP_ROWS), (output.scores, len(output.classes))):
            if tensor not in rows:
                raise WeightsError(f"{manifest.model_path}: has no output {tensor!r} that the manifest names")
            if rows[tensor].is_static and rows[tensor].get_length() != wanted:
                raise WeightsError(
                    f"{manifest.model_path}: output {tensor!r} has {rows[tensor].get_length()} rows, "
                    f"the manifest names {wanted}; the two do not belong together"
                )


def _check_foreign(model: Any, manifest: Manifest) -> None:
    shape = model.outputs[0].partial_shape
    if manifest.form is Form.END_TO_END:
        sound = len(shape) == 3 and may_be(shape[2], END_TO_END_COLUMNS)
        wanted = f"(1, finds, {END_TO_END_COLUMNS})"
    else:
        sound = len(shape) == 3 and may_be(shape[1], CORNER_ROWS + len(manifest.own_names))
        wanted = f"(1, {CORNER_ROWS} + {len(manifest.own_names)} classes, places)"
    if not sound:
        raise WeightsError(
            f"{manifest.model_path}: its output is {shape}, not {wanted}: another task (segmentation, pose), another "
            "kind of network, or other class names than these"
        )
