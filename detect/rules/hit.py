"""What a rule finds in one scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from detect.things import Thing
from models.geometry import Box


@dataclass(frozen=True, slots=True)
class Hit:
    """A recipe's condition holds now, without regard to how long.

    identity: what it is about, the same in every look ("thing 7", "zone gate"); zone: the zone's name, "" for the
    whole picture; since: from when on it is known to hold, None when only the looks themselves can tell;
    sightings: looks that showed it, 0 when only the looks themselves can tell; companions: how many others are
    near; size: what "grew a lot" is measured by; ripe: it may be told, not only watched.
    """

    identity: str
    box: Box
    things: tuple[Thing, ...]
    zone: str
    size: float
    since: datetime | None = None
    sightings: int = 0
    companions: int = 0
    ripe: bool = True

    @property
    def confidence(self) -> float:
        return max(thing.score for thing in self.things)


def box_around(things: Sequence[Thing]) -> Box:
    """The smallest box around all (at least one)."""
    return reduce(Box.union, (thing.box for thing in things))
