"""The detection loss of ultralytics' YOLO with one change: a class counts only in pictures that can speak about it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from ultralytics.utils.loss import BboxLoss
from ultralytics.utils.tal import TaskAlignedAssigner, dist2bbox

from detect.training.network import BOX_BINS, STRIDES, Maps

# Ultralytics' gains for yolo11; the class gain is theirs too, since masked classes add nothing to either side.
BOX_GAIN, CLASS_GAIN, DISTANCE_GAIN = 7.5, 0.5, 1.5


@dataclass(frozen=True, slots=True)
class Targets:
    """labels: (B, N, 1); boxes: (B, N, 4) xyxy pixels, padded with zeros; counted: (B, classes), 1 where it counts."""

    labels: Tensor
    boxes: Tensor
    counted: Tensor


class StreetLoss:
    """Call with raw maps, targets and the input side; gives the loss and its three parts."""

    def __init__(self, class_count: int) -> None:
        self.assigner = TaskAlignedAssigner(topk=10, num_classes=class_count, alpha=0.5, beta=6.0, stride=list(STRIDES))
        self.boxes = BboxLoss(BOX_BINS)
        self.bins = torch.arange(BOX_BINS, dtype=torch.float32)

    def __call__(self, maps: Maps, targets: Targets, side: int) -> tuple[Tensor, Tensor]:
        distances, logits = (part.transpose(1, 2).contiguous() for part in maps)
        places, strides = anchors(side)
        boxes = self._boxes(distances, places)
        valid = targets.boxes.sum(2, keepdim=True) > 0
        _, wanted, wanted_scores, chosen, _ = self.assigner(
            logits.detach().sigmoid(), boxes.detach() * strides, places * strides, targets.labels, targets.boxes,
            valid.float(),
        )  # fmt: skip
        total = wanted_scores.sum().clamp(min=1)
        scores = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted_scores, reduction="none")
        classes = (scores * targets.counted[:, None, :]).sum() / total
        size = torch.tensor([side, side], dtype=torch.float32)
        overlap, distance = self.boxes(
            distances, boxes, places, wanted / strides, wanted_scores, total, chosen, size, strides
        )
        parts = torch.stack([overlap * BOX_GAIN, classes * CLASS_GAIN, distance * DISTANCE_GAIN])
        return parts.sum(), parts.detach()

    def _boxes(self, distances: Tensor, places: Tensor) -> Tensor:
        batch, count, _ = distances.shape
        sides = distances.view(batch, count, 4, BOX_BINS).softmax(3).matmul(self.bins)
        return dist2bbox(sides, places, xywh=False)


def anchors(side: int) -> tuple[Tensor, Tensor]:
    """Cell centres (A, 2) in units of their stride, and the strides (A, 1), small stride first."""
    places, strides = [], []
    for stride in STRIDES:
        count = side // stride
        axis = torch.arange(count, dtype=torch.float32) + 0.5
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        places.append(torch.stack([x, y], 2).view(-1, 2))
        strides.append(torch.full((count * count, 1), float(stride)))
    return torch.cat(places), torch.cat(strides)
