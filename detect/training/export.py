"""The trained network as an OpenVINO graph, float or int8, in a weights folder with its manifest."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detect.backends.letterbox import letterboxed, nearest_shape
from detect.labels import read_dataset
from detect.pixels import read_picture
from detect.training.classes import COCO_KEPT
from detect.training.network import StreetNetwork
from detect.training.pictures import quiet_frames
from detect.weights import Manifest, Output, write_manifest
from models.pictures import Image

# Measured 2026-11-23: on one core of the build machine (AVX2, no VNNI) int8 costs 0.24 ms per 1,000 input pixels, so
# 30 ms buy about 124,000. Five shapes of that size lose nothing on val against 416 x 416 (mAP50 .617 and .619) at
# 70 % of its cost, because hardly a pixel is spent on grey. The first, 16:9, is what most cameras send.
SHAPES = ((256, 448), (352, 352), (288, 416), (416, 288), (448, 256))
CALIBRATION_PER_SET = 40
CALIBRATION_FRAMES = 40
MODEL = "street"
TENSORS = ("coco_boxes", "coco_scores", "street_boxes", "street_scores")


def float_graph(network: StreetNetwork) -> Any:
    """The graph with named outputs, free in batch, height and width."""
    import openvino as ov

    example = torch.zeros(1, 3, SHAPES[0][0], SHAPES[0][1])
    with warnings.catch_warnings():  # torch deprecates the tracing that OpenVINO's converter is built on
        warnings.simplefilter("ignore")
        graph = ov.convert_model(
            network.eval(), example_input=example, input=[ov.PartialShape([-1, 3, -1, -1])], verbose=False
        )
    for output, name in zip(graph.outputs, TENSORS, strict=True):
        output.get_tensor().set_names({name})
    return graph


def quantised_graph(graph: Any, calibration: list[NDArray[np.float32]]) -> Any:
    """int8 after training: weights per channel, activations from what the calibration pictures make of them."""
    import nncf

    nncf.set_log_level("ERROR")
    return nncf.quantize(
        graph, nncf.Dataset(calibration), subset_size=len(calibration), preset=nncf.QuantizationPreset.MIXED
    )


def calibration_inputs(data: Path, *, seed: int = 3) -> list[NDArray[np.float32]]:
    """Training pictures of every set alike, and frames of fixed cameras, as the network meets them."""
    random = np.random.default_rng(seed)
    images = list(_set_pictures(data, random))
    frames = quiet_frames(data / "clips")
    images += [frames[int(index)] for index in random.permutation(len(frames))[:CALIBRATION_FRAMES]]
    return [_input(images[int(index)]) for index in random.permutation(len(images))]


def _set_pictures(data: Path, random: np.random.Generator) -> Iterator[Image]:
    by_set: dict[str, list[Path]] = {}
    for picture in read_dataset(data, split="train").pictures:
        by_set.setdefault(picture.set_name, []).append(picture.path)
    for paths in by_set.values():
        for index in random.permutation(len(paths))[:CALIBRATION_PER_SET]:
            image = read_picture(paths[int(index)])
            if image is not None:
                yield image


def _input(image: Image) -> NDArray[np.float32]:
    canvas, _ = letterboxed(image, nearest_shape(image, SHAPES))
    return np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def save_weights(graph: Any, folder: Path, manifest: Manifest) -> Manifest:
    """Writes graph and manifest; the manifest's files get their sha256."""
    import openvino as ov

    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(graph, str(folder / f"{MODEL}.xml"), compress_to_fp16=True)
    placed = replace(manifest, folder=folder)
    write_manifest(placed)
    return placed


def draft_manifest(classes: tuple[str, ...], *, name: str = "draft") -> Manifest:
    """What is known before anything was measured."""
    return Manifest(
        folder=Path(),
        name=name,
        backend="openvino",
        model=f"{MODEL}.xml",
        files={f"{MODEL}.xml": "", f"{MODEL}.bin": ""},
        shapes=SHAPES,
        outputs=(Output(TENSORS[0], TENSORS[1], COCO_KEPT), Output(TENSORS[2], TENSORS[3], classes)),
        thresholds={},
        licence="AGPL-3.0-only",
        provenance="",
    )
