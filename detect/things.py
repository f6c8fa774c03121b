"""A thing at a place, as a camera remembers it, and what can be said about two of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from detect.views import View
from models.geometry import Box
from models.pictures import Detection

PATIENCE_LOOKS = 3
"""Looks in a row a standing thing may be missed before it is gone; one more per `PATIENCE_PER_SIGHTINGS`."""

PATIENCE_PER_SIGHTINGS = 10
MAX_PATIENCE_LOOKS = 8

_KIN = (frozenset({"car", "bus", "truck"}), frozenset({"bicycle", "motorcycle"}))
"""Classes detectors confuse on one and the same thing."""

_HEADS = frozenset({"helmet", "head_no_helmet"})
"""A head is one thing, whatever a single look takes for its cover: the votes of the looks decide."""

HOLDABLE = frozenset({"umbrella", "bicycle", "motorcycle", "suitcase", "backpack", "handbag", "bottle", "cup"})
"""What people hold, ride or carry; left alone it is another matter."""

PARASOL = 2.5
"""Widths of a person from which an umbrella is one that stands: a hand-held one is 1.2 to 2 wide."""

PUSHED = 0.15
"""Heights of a bicycle below it that the feet of whoever pushes it may be; those of a passer-by are lower."""

CARRIED = 0.3
"""Share of a thing that lies on a person's box when the person has it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something at a place. `anchor`: where it was first seen; `box`: where last; `missed`: looks in a row without it.

    name: what most looks called it, weighted by score (`votes`); score: of the looks that saw it well; first_seen is
    part of its identity; standing_since: how long it has been watched standing, without a blind gap; held: looks in
    which somebody held, rode or carried it; compared, stirs: how often its looks were compared with those before, and
    had changed; view: how its place looked last.
    """

    thing_id: int
    name: str
    box: Box
    anchor: Box
    score: float
    first_seen: datetime
    last_seen: datetime
    standing_since: datetime
    sightings: int = 1
    missed: int = 0
    votes: tuple[tuple[str, float], ...] = ()
    held: int = 0
    compared: int = 0
    stirs: int = 0
    view: View = b""

    @property
    def standing(self) -> bool:
        """Seen at its place again: what moves never is, it becomes another thing each look."""
        return self.sightings >= 2

    @property
    def left_alone(self) -> bool:
        """Nobody had it in most looks: a passer-by in front of a parked bicycle does not ride it."""
        return 2 * self.held <= self.sightings

    @property
    def patience(self) -> int:
        if not self.standing:
            return 0
        return min(PATIENCE_LOOKS + self.sightings // PATIENCE_PER_SIGHTINGS, MAX_PATIENCE_LOOKS)


def kin(name: str) -> frozenset[str]:
    """The class and those a detector takes it for."""
    return next((group for group in _KIN if name in group), frozenset({name}))


def may_be(name: str) -> frozenset[str]:
    """The classes under which the next look may show the same thing."""
    return _HEADS if name in _HEADS else kin(name)


def overlap(first: Box, second: Box) -> float:
    """Shared area over the smaller of both, 0..1."""
    return first.intersection(second) / min(first.area, second.area)


def is_held(row: Detection, people: Iterable[Detection]) -> bool:
    """Whether somebody in this look holds, rides or carries the thing.

    >>> umbrella = Detection("umbrella", Box(.40, .30, .50, .38), .8)
    >>> walker, vendor = Box(.42, .36, .47, .60), Box(.445, .36, .47, .46)
    >>> [is_held(umbrella, [Detection("person", box, .8)]) for box in (walker, vendor)]
    [True, False]
    """
    return row.name in HOLDABLE and any(_has(person.box, row) for person in people)


def _has(person: Box, row: Detection) -> bool:
    box = row.box
    beneath = box.x1 <= person.centre[0] <= box.x2
    if row.name == "umbrella":
        narrow = box.x2 - box.x1 <= PARASOL * (person.x2 - person.x1)
        return beneath and narrow and box.y1 <= person.y1 + 0.3 * (person.y2 - person.y1) and person.y1 <= box.y2
    if row.name in ("bicycle", "motorcycle"):
        height = box.y2 - box.y1
        return beneath and person.y1 < box.y1 <= person.y2 <= box.y2 + PUSHED * height
    return person.intersection(box) >= CARRIED * box.area
