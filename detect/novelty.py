"""Whether an inferred look showed something the one before had not: what the gate learns its keenness from. Pure."""

from __future__ import annotations

from models.geometry import Box
from models.pictures import Detections

SURE = 0.5
"""Least score of something new: marginal finds flicker from look to look without anything having changed."""

SAME_PLACE = 0.3
"""Share of the smaller box that is covered by the former one of the same class."""


def surprising(before: Detections | None, after: Detections) -> bool:
    """Something surely seen now where nothing of its class was seen before, however faintly."""
    if before is None:
        return False
    known = list(before)
    return any(
        not any(other.name == row.name and _covered(other.box, row.box) >= SAME_PLACE for other in known)
        for row in after.above(SURE)
    )


def _covered(first: Box, second: Box) -> float:
    return first.intersection(second) / min(first.area, second.area)
