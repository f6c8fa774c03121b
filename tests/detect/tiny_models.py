"""Tiny networks of other people's making, for tests: they see one thing, the more surely the brighter the picture.

ONNX files are written as bytes, field by field (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): no package of
ours writes them, and the format is small.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

SIDE = 64
PLACES = 84  # of strides 8, 16 and 32 on 64 x 64
Constants = tuple[NDArray[np.float32], NDArray[np.float32]]
THING = (0.25, 0.25, 0.75, 0.75)  # where the one thing lies, in fractions of the input


def yolo_output(class_count: int, *, row: int = 0, most: float = 1.0) -> Constants:
    """(boxes, scores) of shape (1, 4 + classes, places): the output is boxes + scores * brightness."""
    boxes = np.zeros((1, 4 + class_count, PLACES), np.float32)
    boxes[0, :4] = SIDE / 2
    scores = np.zeros_like(boxes)
    scores[0, 4 + row, 7] = most
    return boxes, scores


def end_to_end_output(*, class_id: float = 0, most: float = 1.0) -> Constants:
    """(finds, scores) of shape (1, 10, 6): corners, score, class."""
    finds = np.zeros((1, 10, 6), np.float32)
    finds[0, :, :4] = np.array(THING, np.float32) * SIDE
    finds[0, 0, 5] = class_id
    scores = np.zeros_like(finds)
    scores[0, 0, 4] = most
    return finds, scores


def write_ir(path: Path, fixed: NDArray[np.float32], by_light: NDArray[np.float32], *, channels: int = 3) -> Path:
    """An OpenVINO graph (.xml and .bin) with one input (1, channels, SIDE, SIDE)."""
    picture = ops.parameter([1, channels, SIDE, SIDE], np.float32, name="images")
    light = ops.reduce_mean(picture, np.array([1, 2, 3]), keep_dims=False)
    result = ops.add(ops.constant(fixed), ops.multiply(ops.constant(by_light), light))
    path.parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(ov.Model([result], [picture], "tiny"), str(path), compress_to_fp16=False)
    return path


def export_folder(folder: Path, fixed: NDArray[np.float32], by_light: NDArray[np.float32], *, names: str) -> Path:
    """As `yolo export format=openvino` leaves it."""
    write_ir(folder / "tiny.xml", fixed, by_light)
    (folder / "metadata.yaml").write_text(
        f"description: a tiny model\nauthor: nobody\nversion: 8.4.0\nlicense: MIT\nstride: 32\ntask: detect\nbatch: 1\n"
        f"imgsz:\n- {SIDE}\n- {SIDE}\nnames: {names}\n"
    )
    return folder


def write_onnx(
    path: Path, fixed: NDArray[np.float32], by_light: NDArray[np.float32], *, metadata: dict[str, str] | None = None
) -> Path:
    """The same network as ONNX, opset 13: mean of the picture, times one constant, plus the other."""
    graph = b"".join(
        (
            _node("ReduceMean", ["images"], ["light"], attributes=[_int_attribute("keepdims", 0)]),
            _node("Mul", ["by_light", "light"], ["seen"]),
            _node("Add", ["fixed", "seen"], ["output0"]),
            _field(2, b"tiny"),
            _field(5, _tensor("fixed", fixed)),
            _field(5, _tensor("by_light", by_light)),
            _field(11, _value("images", (1, 3, SIDE, SIDE))),
            _field(12, _value("output0", fixed.shape)),
        )
    )
    extra = b"".join(
        _field(14, _field(1, key.encode()) + _field(2, value.encode())) for key, value in (metadata or {}).items()
    )
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, _number(2, 13)) + extra)
    return path


def _node(kind: str, inputs: list[str], outputs: list[str], *, attributes: list[bytes] | None = None) -> bytes:
    content = b"".join(_field(1, name.encode()) for name in inputs) + b"".join(_field(2, n.encode()) for n in outputs)
    return _field(1, content + _field(4, kind.encode()) + b"".join(_field(5, one) for one in attributes or []))


def _int_attribute(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _number(3, value) + _number(20, 2)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    shape = b"".join(_number(1, side) for side in values.shape)
    raw = struct.pack(f"<{values.size}f", *values.ravel().tolist())
    return shape + _number(2, 1) + _field(8, name.encode()) + _field(9, raw)


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, 1) + _field(2, sides)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
