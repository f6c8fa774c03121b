"""What was known is kept by distillation: a frozen copy of the start network shows its answer to every picture.

Its answer is soft: scores of all classes and the distribution of every box side, at every place, so that a street
without a single umbrella still says what is no umbrella (Hinton et al., 2015, arXiv:1503.02531; for boxes as
distributions, Zheng et al., 2022, arXiv:2102.12252). The same copy can speak for the street classes a picture's set
does not mark: a bin behind a hard hat is then neither learnt as "no bin" nor passed over.
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
    """The start network's trunk after the stem, and both its tails; never trained."""

    def __init__(self, network: StreetNetwork) -> None:
        super().__init__()
        self.trunk, self.coco, self.street = (deepcopy(part) for part in (network.trunk, network.coco, network.street))
        self.known_classes = network.known_classes
        self.eval().requires_grad_(False)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def forward(self, stem: Tensor) -> tuple[Maps, Maps]:
        """Its COCO maps and its street maps."""
        features = self.trunk.rest(stem)
        return self.coco(*features), self.street(*features)


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


def gap_loss(given: Tensor, wanted: Tensor, *, counted: Tensor, known: int) -> Tensor:
    """How far the street scores (B, C, A) are from the teacher's where no set speaks: the first `known` classes,
    where `counted` (B, C) is 0. In the units of `keep_loss`."""
    told = wanted[:, :known].sigmoid()
    silent = (counted[:, :known, None] == 0).float()
    total = (told * silent).amax(1).sum().clamp(min=1)
    apart = functional.binary_cross_entropy_with_logits(given[:, :known], told, reduction="none")
    at_rest = functional.binary_cross_entropy_with_logits(wanted[:, :known], told, reduction="none")
    return CLASS_GAIN * ((apart - at_rest) * silent).sum() / total
