"""What COCO taught is kept by distillation: a frozen copy of the start network shows its answer to every picture.

Its answer is soft: scores of all classes and the distribution of every box side, at every place, so that a street
without a single umbrella still says what is no umbrella (Hinton et al., 2015, arXiv:1503.02531; for boxes as
distributions, Zheng et al., 2022, arXiv:2102.12252).
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from detect.training.network import BOX_BINS, Maps, StreetNetwork

# In the units of the street loss, whose own parts lie between 0.5 and 2: large enough that agreement is held, small
# enough that the trunk still moves.
CLASS_GAIN, BOX_GAIN = 0.5, 0.25
LEAST_TAUGHT = 0.05  # a place where the teacher sees less than this has no box worth copying


class Teacher(nn.Module):  # type: ignore[misc]
    """The start network's trunk after the stem, and its COCO tail; never trained."""

    def __init__(self, network: StreetNetwork) -> None:
        super().__init__()
        self.trunk, self.coco = deepcopy(network.trunk), deepcopy(network.coco)
        self.eval().requires_grad_(False)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def forward(self, stem: Tensor) -> Maps:
        boxes, scores = self.coco(*self.trunk.rest(stem))
        return boxes, scores


def keep_loss(given: Maps, wanted: Maps) -> Tensor:
    """How far `given` is from the teacher's maps, per unit of what the teacher sees."""
    told = wanted[1].sigmoid()
    strongest = told.amax(1)  # (B, A)
    total = strongest.sum().clamp(min=1)
    classes = functional.binary_cross_entropy_with_logits(given[1], told, reduction="sum")
    at_rest = functional.binary_cross_entropy_with_logits(wanted[1], told, reduction="sum")  # the entropy: no fault
    batch, _, places = given[0].shape
    shape = (batch, 4, BOX_BINS, places)
    apart = functional.kl_div(
        given[0].view(shape).log_softmax(2), wanted[0].view(shape).log_softmax(2), reduction="none", log_target=True
    ).sum((1, 2))
    boxes = (apart * strongest * (strongest > LEAST_TAUGHT)).sum()
    return (CLASS_GAIN * (classes - at_rest) + BOX_GAIN * boxes) / total
