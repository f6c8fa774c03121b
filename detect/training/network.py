"""One network, one trunk, two tails: COCO street classes kept by distillation, street problems trained beside them.

Both tails read one trunk (layers 0-9 of yolo11n). Its stem (0-3) stays as COCO made it; the rest learns from street
pictures, while a frozen copy of the start network teaches the COCO tail to answer as before (`detect.training.keep`).
A second tail costs about half a network; a second network, a whole one. Decoding of boxes is left to
`detect.backends.decoding`, so that the graph works at every input shape.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from detect.training.classes import COCO_KEPT
from models.errors import WeightsError

STEM_LAYERS = 4  # 0-3: edges and textures at strides 2 to 8, the dearest to train and the least in need of it
TRUNK_LAYERS = 10  # yolo11n: 0-9 are convolutions and SPPF; 10 is the attention block, first layer worth retraining
BOX_BINS = 16  # ultralytics' reg_max: each box side is a distribution over 16 distances
STRIDES = (8, 16, 32)

Maps = tuple[Tensor, Tensor]
"""Raw box bins (B, 64, A) and class logits (B, classes, A), A = places of the three strides in a row."""

Features = tuple[Tensor, Tensor, Tensor]
"""What the tails read: strides 8, 16 and 32."""


def load_checkpoint(path: Path) -> nn.Module:
    """The float model of an ultralytics `.pt`. Raises WeightsError when it is not one."""
    from ultralytics import YOLO

    if not path.is_file():
        raise WeightsError(f"{path}: start weights are missing")
    try:
        model: nn.Module = YOLO(str(path)).model.float()
    except Exception as trouble:
        raise WeightsError(f"{path}: not an ultralytics checkpoint ({trouble})") from trouble
    return model


class Tail(nn.Module):  # type: ignore[misc]
    """Layers 10-23 of a yolo11: neck and head, from the trunk's three outputs to raw maps."""

    def __init__(self, layers: nn.Sequential, kept: list[int] | None = None) -> None:
        super().__init__()
        self.body = nn.ModuleList(deepcopy(layer) for layer in layers[TRUNK_LAYERS:-1])
        head = deepcopy(layers[-1])
        self.box_branches, self.class_branches = head.cv2, head.cv3
        self.wanted: list[int] = list(head.f)
        if kept is not None:
            keep_rows(self.class_branches, kept)

    @property
    def class_count(self) -> int:
        return int(self.class_branches[0][-1].out_channels)

    def forward(self, small: Tensor, middle: Tensor, large: Tensor) -> Maps:
        outputs: dict[int, Tensor] = {4: small, 6: middle, TRUNK_LAYERS - 1: large}
        last = large
        for layer in self.body:
            last = layer(_inputs(layer.f, outputs, last))
            outputs[layer.i] = last
        levels = [outputs[index] for index in self.wanted]
        boxes = [branch(level).flatten(2) for branch, level in zip(self.box_branches, levels, strict=True)]
        scores = [branch(level).flatten(2) for branch, level in zip(self.class_branches, levels, strict=True)]
        return torch.cat(boxes, 2), torch.cat(scores, 2)


def _inputs(source: int | list[int], outputs: dict[int, Tensor], last: Tensor) -> Tensor | list[Tensor]:
    if isinstance(source, int):
        return last if source == -1 else outputs[source]
    return [last if index == -1 else outputs[index] for index in source]


class Trunk(nn.Module):  # type: ignore[misc]
    """Layers 0-9; gives the outputs of 4, 6 and 9."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.body = nn.ModuleList(deepcopy(layer) for layer in layers[:TRUNK_LAYERS])

    def forward(self, pictures: Tensor) -> Features:
        return self.rest(self.stem(pictures))

    def stem(self, pictures: Tensor) -> Tensor:
        for layer in self.body[:STEM_LAYERS]:
            pictures = layer(pictures)
        return pictures

    def rest(self, stem: Tensor) -> Features:
        kept: dict[int, Tensor] = {}
        for number, layer in enumerate(self.body[STEM_LAYERS:], start=STEM_LAYERS):
            stem = layer(stem)
            kept[number] = stem
        return kept[4], kept[6], kept[TRUNK_LAYERS - 1]

    def trainable(self) -> list[nn.Parameter]:
        return [value for layer in self.body[STEM_LAYERS:] for value in layer.parameters()]


class StreetNetwork(nn.Module):  # type: ignore[misc]
    """Pictures (B, 3, H, W) RGB 0..1, H and W multiples of 32 -> boxes and scores of COCO, then of the street."""

    def __init__(self, trunk: Trunk, coco: Tail, street: Tail) -> None:
        super().__init__()
        self.trunk, self.coco, self.street = trunk, coco, street
        self.known_classes = street.class_count  # how many of the street classes came with the start weights

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        features = self.trunk(pictures)
        return (*self.coco(*features), *self.street(*features))


def keep_rows(class_branches: Any, rows: list[int]) -> None:
    """Shrinks (or reorders) the last layer of each class branch to the named rows."""
    for branch in class_branches:
        branch[-1] = _with_rows(branch[-1], branch[-1].weight.data[rows], branch[-1].bias.data[rows])


def add_classes(class_branches: Any, count: int) -> None:
    """Appends `count` untrained classes; the bias says "rare", so that they do not drown the first steps in loss."""
    for branch, stride in zip(class_branches, STRIDES, strict=True):
        last = branch[-1]
        rare = torch.full((count,), float(torch.log(torch.tensor(5 / 100 / (640 / stride) ** 2))))
        fresh = torch.randn(count, *last.weight.shape[1:]) * 0.01
        branch[-1] = _with_rows(last, torch.cat([last.weight.data, fresh]), torch.cat([last.bias.data, rare]))


def _with_rows(old: nn.Conv2d, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    fresh = nn.Conv2d(old.in_channels, len(weight), 1)
    fresh.weight.data, fresh.bias.data = weight.clone(), bias.clone()
    return fresh


def build(coco_path: Path, street_path: Path, classes: tuple[str, ...]) -> StreetNetwork:
    """The two-tailed network; the street tail starts from `street_path`, extended to all `classes`.

    Raises WeightsError when the two do not share their trunk or the classes are in another order.
    """
    coco, street = load_checkpoint(coco_path), load_checkpoint(street_path)
    _check_same_trunk(coco, street, street_path)
    known = tuple(street.names.values())
    if classes[: len(known)] != known:
        raise WeightsError(f"{street_path}: classes {known} are not the first of {classes}")
    rows = [list(coco.names.values()).index(name) for name in COCO_KEPT]
    tail = Tail(street.model)
    add_classes(tail.class_branches, len(classes) - len(known))
    network = StreetNetwork(Trunk(coco.model), Tail(coco.model, rows), tail)
    network.requires_grad_(True)  # ultralytics saves its averaged copy, in which nothing is trainable
    network.known_classes = len(known)
    return network


def _check_same_trunk(coco: Any, street: Any, path: Path) -> None:
    theirs = street.model[:TRUNK_LAYERS].state_dict()
    for name, value in coco.model[:TRUNK_LAYERS].state_dict().items():
        if not name.endswith("num_batches_tracked") and not torch.equal(value, theirs[name]):
            raise WeightsError(f"{path}: its trunk differs from the COCO weights at {name}; it was not frozen")
