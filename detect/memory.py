"""What a camera remembers from look to look: things, by place and class, never by motion.

Looks are seconds apart, so a walking person cannot be followed and no track is invented for one: whoever is
somewhere else is somebody new, seen once. What stands still is recognised by where it stands (the idea of
norfair's distance function, with the place instead of a predicted motion). Pure: `remember` takes a scene and
returns the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from models.geometry import Box, iou_matrix
from models.pictures import Detection, Detections

SAME_PLACE_IOU = 0.4
"""Boxes of one standing thing differ this little between looks; neighbours in a parking row overlap less."""

SAME_PERSON_IOU = 0.25
"""People who wait shift their weight and turn: their boxes change more than a car's."""

DUPLICATE_IOU = 0.8
"""Two boxes this alike in one look are one thing with two names (van: car and truck)."""

START_SCORE = 0.25
"""A thing begins with at least this score …"""

KEEP_SCORE = 0.15
"""… and is held by less, so that a thing near the detector's threshold does not come and go."""

SCORE_WEIGHT = 0.3
"""Weight of the newest score in a thing's score: three looks decide."""

PATIENCE_LOOKS = 3
"""Looks in a row a standing thing may be missed before it is gone; one more per `PATIENCE_PER_SIGHTINGS`."""

PATIENCE_PER_SIGHTINGS = 10
MAX_PATIENCE_LOOKS = 8

LONGEST_GAP_S = 300.0
"""After a longer blindness nobody knows that a thing stood there all the time: its dwell starts again."""

COVERED = 0.6
"""Share of a place another thing must cover for the place to count as hidden, not empty."""

MAX_THINGS = 200
"""Per camera; a crowded square shows 60. Beyond it those seen least are forgotten."""

ESTABLISHED_SIGHTINGS = 10
"""A thing seen this often belonged there: its absence is worth remembering."""

MAX_DEPARTED = 20
"""Established things that left, newest kept."""

_KIN = (frozenset({"car", "bus", "truck"}), frozenset({"bicycle", "motorcycle"}))
"""Classes detectors confuse on one and the same thing."""

_HIDING = frozenset({"person", "car", "bus", "truck"})
"""What passes in front of other things."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something at a place. `anchor`: where it was first seen; `box`: where last; `missed`: looks in a row without it.

    name: what most looks called it, weighted by score (`votes`); first_seen is part of its identity;
    standing_since: how long it has been watched standing, without a blind gap.
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

    @property
    def standing(self) -> bool:
        """Seen at its place again: what moves never is, it becomes another thing each look."""
        return self.sightings >= 2

    @property
    def patience(self) -> int:
        if not self.standing:
            return 0
        return min(PATIENCE_LOOKS + self.sightings // PATIENCE_PER_SIGHTINGS, MAX_PATIENCE_LOOKS)


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera's memory at one moment. `departed`: established things that left, newest last."""

    things: tuple[Thing, ...] = ()
    departed: tuple[Thing, ...] = ()
    looked_at: datetime | None = None
    next_id: int = 1

    @property
    def present(self) -> tuple[Thing, ...]:
        """What the last look showed."""
        return tuple(thing for thing in self.things if thing.missed == 0)

    def confirmed(self, at: datetime) -> Scene:
        """The picture has not changed: what was there is still there, at almost no cost."""
        if self.looked_at is None:
            return self
        scene = _after_gap(self, at)
        now = max(at, scene.looked_at or at)
        things = tuple(
            replace(thing, last_seen=now, sightings=thing.sightings + 1) if thing.missed == 0 else thing
            for thing in scene.things
        )
        return replace(scene, things=things, looked_at=now)


def remember(scene: Scene, detections: Detections, at: datetime) -> Scene:
    """The scene after one more look. A look older than the last one counts as taken at the same moment.

    >>> from datetime import UTC, datetime, timedelta
    >>> parked = Detections(np.array([[.1, .1, .3, .3]], np.float32), np.array([.8], np.float32),
    ...     np.array([0], np.int32), ("car",))
    >>> start = datetime(2026, 11, 23, tzinfo=UTC)
    >>> scene = remember(Scene(), parked, start)
    >>> scene = remember(scene, parked, start + timedelta(seconds=8))
    >>> [(thing.name, thing.standing, thing.sightings) for thing in scene.things]
    [('car', True, 2)]
    """
    now = at if scene.looked_at is None else max(at, scene.looked_at)
    scene = _after_gap(scene, now)
    seen = _without_duplicates([row for row in detections if row.score >= KEEP_SCORE])
    pairs = _pairs(scene.things, seen)
    known = [
        _seen_again(thing, seen[pairs[index]], now) if index in pairs else thing
        for index, thing in enumerate(scene.things)
    ]
    taken = set(pairs.values())
    fresh = [row for index, row in enumerate(seen) if index not in taken and row.score >= START_SCORE]
    begun = [_begin(row, scene.next_id + number, now) for number, row in enumerate(fresh)]
    kept, gone = _sort_out(known, pairs.keys(), [thing for index, thing in enumerate(known) if index in pairs] + begun)
    things = _bounded(kept + begun)
    return Scene(things, _departed(scene.departed, gone, things), now, scene.next_id + len(fresh))


def _after_gap(scene: Scene, at: datetime) -> Scene:
    if scene.looked_at is None or (at - scene.looked_at).total_seconds() <= LONGEST_GAP_S:
        return scene
    return replace(scene, things=tuple(replace(thing, standing_since=at) for thing in scene.things))


def kin(name: str) -> frozenset[str]:
    """The class and those a detector takes it for."""
    return next((group for group in _KIN if name in group), frozenset({name}))


def overlap(first: Box, second: Box) -> float:
    """Shared area over the smaller of both, 0..1."""
    return first.intersection(second) / min(first.area, second.area)


def _without_duplicates(rows: list[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for row in sorted(rows, key=lambda item: -item.score):
        if not any(row.name in kin(other.name) and row.box.iou(other.box) > DUPLICATE_IOU for other in kept):
            kept.append(row)
    return kept


def _pairs(things: Sequence[Thing], seen: Sequence[Detection]) -> dict[int, int]:
    """Thing index -> detection index, best overlap first; of equals the same name wins."""
    if not things or not seen:
        return {}
    boxes = np.array([row.box.xyxy for row in seen], np.float32)
    alike = np.maximum(
        iou_matrix(np.array([thing.anchor.xyxy for thing in things], np.float32), boxes),
        iou_matrix(np.array([thing.box.xyxy for thing in things], np.float32), boxes),
    )
    candidates = [
        (float(alike[index, other]) + 0.05 * (things[index].name == seen[other].name), int(index), int(other))
        for index, other in np.argwhere(alike >= SAME_PERSON_IOU)
        if _may_be_same(things[index], seen[other], float(alike[index, other]))
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, other in sorted(candidates, reverse=True):
        if index not in pairs and other not in taken:
            pairs[index] = other
            taken.add(other)
    return pairs


def _may_be_same(thing: Thing, row: Detection, alike: float) -> bool:
    needed = SAME_PERSON_IOU if row.name == "person" else SAME_PLACE_IOU
    return alike >= needed and row.name in kin(thing.name)


def _begin(row: Detection, thing_id: int, at: datetime) -> Thing:
    return Thing(thing_id, row.name, row.box, row.box, row.score, at, at, at, votes=((row.name, row.score),))


def _seen_again(thing: Thing, row: Detection, at: datetime) -> Thing:
    votes = dict(thing.votes)
    votes[row.name] = votes.get(row.name, 0.0) + row.score
    return replace(
        thing,
        name=max(votes, key=lambda name: votes[name]),
        box=row.box,
        score=thing.score + SCORE_WEIGHT * (row.score - thing.score),
        last_seen=at,
        sightings=thing.sightings + 1,
        missed=0,
        votes=tuple(votes.items()),
    )


def _sort_out(known: list[Thing], matched: Iterable[int], visible: list[Thing]) -> tuple[list[Thing], list[Thing]]:
    """Known things that stay, and those whose patience has run out."""
    seen, kept, gone = set(matched), list[Thing](), list[Thing]()
    for index, thing in enumerate(known):
        if index in seen:
            kept.append(thing)
            continue
        hidden = thing.standing and any(_hides(other, thing) for other in visible)
        missed = replace(thing, missed=max(thing.missed, 1) if hidden else thing.missed + 1)
        (kept if missed.missed <= missed.patience else gone).append(missed)
    return kept, gone


def _hides(other: Thing, thing: Thing) -> bool:
    return other.name in _HIDING and other.box.intersection(thing.box) >= COVERED * thing.box.area


def _bounded(things: list[Thing]) -> tuple[Thing, ...]:
    if len(things) <= MAX_THINGS:
        return tuple(things)
    return tuple(sorted(sorted(things, key=lambda thing: -thing.sightings)[:MAX_THINGS], key=lambda t: t.thing_id))


def _departed(departed: tuple[Thing, ...], gone: list[Thing], things: tuple[Thing, ...]) -> tuple[Thing, ...]:
    """Established things that left; one that stands there again (or one like it) is no longer missing."""
    left = [*departed, *(thing for thing in gone if thing.sightings >= ESTABLISHED_SIGHTINGS)]
    back = [
        thing for thing in left
        if any(other.name in kin(thing.name) and other.box.iou(thing.box) >= SAME_PLACE_IOU for other in things)
    ]  # fmt: skip
    return tuple(thing for thing in left if thing not in back)[-MAX_DEPARTED:]
