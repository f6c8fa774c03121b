"""What a camera remembers from look to look: things, by place and class, never by motion.

Looks are seconds apart, so a walking person cannot be followed and no track is invented for one: whoever is
somewhere else is somebody new, seen once. What stands still is recognised by where it stands (the idea of
norfair's distance function, with the place instead of a predicted motion; `trackers` and ByteTrack want motion
between frames a fraction of a second apart). Pure: `remember` takes a scene and returns the next one.

A thing begins with a strong find and is held by weak ones, by being hidden, and by its place looking as it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from detect.things import Thing, is_held, kin, may_be, overlap
from detect.views import WHOLE, View, Viewer, alike
from models.geometry import iou_matrix
from models.pictures import Detection, Detections

__all__ = ["Scene", "Thing", "kin", "overlap", "remember"]

SAME_PLACE_IOU = 0.4
"""Boxes of one standing thing differ this little between looks; neighbours in a parking row overlap less."""

SAME_PERSON_IOU = 0.25
"""People who wait shift their weight and turn: their boxes change more than a car's."""

DUPLICATE_IOU = 0.8
"""Two boxes this alike in one look are one thing with two names (van: car and truck)."""

FLICKERING = frozenset({"fire", "smoke"})
"""What changes its shape from look to look; its place is compared, its box need not stay."""

SAME_FLAME_IOU = 0.15
"""Boxes of one flame: it leans with the wind and doubles its height in a second."""

START_SCORE = 0.35
"""A thing begins with at least this score where nobody says what the weights' classes need …"""

KEEP_SCORE = 0.2
"""… and is held by less, so that a thing near the detector's threshold does not come and go."""

SCORE_WEIGHT = 0.3
"""Weight of the newest score in a thing's score: three looks decide."""

LONGEST_GAP_S = 300.0
"""After a longer blindness nobody knows that a thing stood there all the time: its dwell starts again, unless it is
found where it was, looking as it did."""

SAME_LOOK = 0.93
"""Likeness of a place with and without rain, noise or clouds is above; a bag or a car taken away leaves 0 to 0.8."""

SAME_VEHICLE_LOOK = 0.75
"""Likeness of a vehicle's place from which on a vehicle there is the same one. Measured on clips of a motorway and a
road: two different ones in overlapping boxes are below 0.6 in 95 of 100 pairs and below 0.75 even where the boxes are
nearly the same; one that stands is above 0.93."""

SETTLED_SIGHTINGS = 5
"""A thing seen less often may have been a car in a queue or a mistake: for it the detector must speak again."""

LONGEST_UNSEEN_S = 12 * 3600.0
"""A thing nobody detects is believed in no longer than a night, however much its place looks the same."""

OTHER_LIGHT, OTHER_VIEW = 0.97, 0.3
"""Likeness of the whole picture with the look before: less than the first is another light (infrared, street lamps),
in which a thing nobody detects is remembered as its place looks now; less than the second is another view."""

CHANGED_SHAPE = 0.96
"""Likeness from one look to the next under which a place has changed its shape: measured on a real house fire 0.80 to
0.92 (98 of 100 below 0.98), on lamps and bright walls in noise and changing exposure 0.98 and more."""

MEMORY_OF_STIRS = 8
"""Comparisons a thing's restlessness is taken from; older ones fade."""

COVERED = 0.6
"""Share of a place another thing must cover for the place to count as hidden, not empty."""

MAX_THINGS = 200
"""Per camera; a crowded square shows 60. Beyond it those seen least are forgotten."""

ESTABLISHED_SIGHTINGS = 10
"""A thing seen this often belonged there: its absence is worth remembering."""

MAX_DEPARTED = 20
"""Established things that left, newest kept."""

_HIDING = frozenset({"person", "car", "bus", "truck"})
"""What passes in front of other things."""

_VEHICLES = kin("car")

_ALWAYS_SEEN = frozenset({"person", "dog", "cat", "bird", "fire", "smoke", "static_change"})
"""What is there only while it is detected, however much its place looks the same."""

Threshold = Callable[[str], float]
"""The score from which a find of a class begins a thing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera's memory at one moment. `departed`: established things that left, newest last.

    view: how the whole picture looked last; aspect: its width per height.
    """

    things: tuple[Thing, ...] = ()
    departed: tuple[Thing, ...] = ()
    looked_at: datetime | None = None
    next_id: int = 1
    view: View = b""
    aspect: float = 16 / 9

    @property
    def present(self) -> tuple[Thing, ...]:
        """What the last look showed."""
        return tuple(thing for thing in self.things if thing.missed == 0)

    def confirmed(self, at: datetime, view: Viewer | None = None) -> Scene:
        """The picture has not changed: what was there is still there, at almost no cost."""
        if self.looked_at is None:
            return self
        now = max(at, self.looked_at)
        gap = _is_gap(self, at)
        things = tuple(
            _once_more(thing, now, view, gap=gap) if thing.missed == 0 else _after(thing, now, gap=gap)
            for thing in self.things
        )
        return replace(self, things=things, looked_at=now)


def remember(
    scene: Scene,
    detections: Detections,
    at: datetime,
    *,
    threshold: Threshold = lambda _: START_SCORE,
    view: Viewer | None = None,
) -> Scene:
    """The scene after one more look. A look older than the last one counts as taken at the same moment.

    view: how places look in this picture; without it nothing is compared.

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
    look = _Look(detections, now, view, scene, threshold)
    pairs = _pairs(scene.things, look)
    known = [
        _seen_again(thing, look.rows[pairs[index]], look) if index in pairs else _after(thing, now, gap=look.gap)
        for index, thing in enumerate(scene.things)
    ]
    taken = set(pairs.values())
    fresh = [row for index, row in enumerate(look.rows) if index not in taken and row.score >= threshold(row.name)]
    begun = [_begin(row, scene.next_id + number, look) for number, row in enumerate(fresh)]
    visible = [thing for index, thing in enumerate(known) if index in pairs] + begun
    kept, gone = _sort_out(known, pairs, visible, look)
    things = _bounded(kept + begun)
    return replace(
        scene, things=things, departed=_departed(scene.departed, gone, things), looked_at=now,
        next_id=scene.next_id + len(fresh), view=look.whole,
    )  # fmt: skip


class _Look:
    """One look as `remember` needs it."""

    def __init__(
        self, detections: Detections, at: datetime, view: Viewer | None, scene: Scene, threshold: Threshold
    ) -> None:
        self.rows = _without_duplicates([row for row in detections if row.score >= _least(row.name, threshold)])
        self.people = [row for row in self.rows if row.name == "person"]
        self.at, self.view, self.gap = at, view, _is_gap(scene, at)
        self.whole = view(WHOLE) if view else b""
        likeness = alike(scene.view, self.whole) if scene.view and self.whole else 1.0
        self.other_light = OTHER_VIEW <= likeness < OTHER_LIGHT

    def place(self, thing: Thing) -> View:
        return self.view(thing.box) if self.view else b""


def _least(name: str, threshold: Threshold) -> float:
    """The score from which a find holds what is known. Smoke is found anew in every look or is gone: weak finds of it
    on grey asphalt never end, and two plumes were told in half a quiet camera-day."""
    return threshold(name) if name == "smoke" else KEEP_SCORE


def _is_gap(scene: Scene, at: datetime) -> bool:
    return scene.looked_at is not None and (at - scene.looked_at).total_seconds() > LONGEST_GAP_S


def _after(thing: Thing, at: datetime, *, gap: bool) -> Thing:
    return replace(thing, standing_since=at) if gap else thing


def _once_more(thing: Thing, at: datetime, view: Viewer | None, *, gap: bool) -> Thing:
    place = view(thing.box) if view and thing.name in FLICKERING else b""
    same = replace(_after(thing, at, gap=gap), last_seen=at, sightings=thing.sightings + 1)
    return replace(_compared(same, place), view=place or thing.view)


def _compared(thing: Thing, place: View) -> Thing:
    """The same place in the look before and now. Equal to the last bit is one picture twice, which says nothing."""
    if thing.name not in FLICKERING or not thing.view or not place or place == thing.view:
        return thing
    faded = thing.compared >= MEMORY_OF_STIRS
    compared, stirs = (thing.compared // 2, thing.stirs // 2) if faded else (thing.compared, thing.stirs)
    return replace(thing, compared=compared + 1, stirs=stirs + (alike(thing.view, place) < CHANGED_SHAPE))


def _without_duplicates(rows: list[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for row in sorted(rows, key=lambda item: -item.score):
        if not any(row.name in kin(other.name) and row.box.iou(other.box) > DUPLICATE_IOU for other in kept):
            kept.append(row)
    return kept


def _pairs(things: Sequence[Thing], look: _Look) -> dict[int, int]:
    """Thing index -> detection index, best overlap first; of equals the same name wins."""
    seen = look.rows
    if not things or not seen:
        return {}
    boxes = np.array([row.box.xyxy for row in seen], np.float32)
    shared = np.maximum(
        iou_matrix(np.array([thing.anchor.xyxy for thing in things], np.float32), boxes),
        iou_matrix(np.array([thing.box.xyxy for thing in things], np.float32), boxes),
    )
    candidates = [
        (float(shared[index, other]) + 0.05 * (things[index].name == seen[other].name), int(index), int(other))
        for index, other in np.argwhere(shared >= SAME_FLAME_IOU)
        if _may_be_same(things[index], seen[other], float(shared[index, other])) and not _drove_up(things[index], look)
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, other in sorted(candidates, reverse=True):
        if index not in pairs and other not in taken:
            pairs[index] = other
            taken.add(other)
    return pairs


_NEEDED: Mapping[str, float] = {"person": SAME_PERSON_IOU} | dict.fromkeys(FLICKERING, SAME_FLAME_IOU)


def _may_be_same(thing: Thing, row: Detection, shared: float) -> bool:
    return shared >= _NEEDED.get(row.name, SAME_PLACE_IOU) and row.name in may_be(thing.name)


def _drove_up(thing: Thing, look: _Look) -> bool:
    """Another vehicle where one was: in traffic looks seconds apart find them at one spot again and again.

    Asked only until a vehicle is known to stand: later somebody in front of it changes its look, not what it is.
    """
    if thing.name not in _VEHICLES or thing.sightings >= SETTLED_SIGHTINGS or not thing.view or not look.view:
        return False
    return alike(thing.view, look.place(thing)) < SAME_VEHICLE_LOOK


def _begin(row: Detection, thing_id: int, look: _Look) -> Thing:
    return Thing(
        thing_id, row.name, row.box, row.box, row.score, look.at, look.at, look.at,
        votes=((row.name, row.score),),
        held=int(is_held(row, look.people)),
        view=look.view(row.box) if look.view else b"",
    )  # fmt: skip


def _seen_again(thing: Thing, row: Detection, look: _Look) -> Thing:
    votes = dict(thing.votes)
    votes[row.name] = votes.get(row.name, 0.0) + row.score
    strong = row.score >= START_SCORE
    known = _after(_compared(thing, look.place(thing)), look.at, gap=look.gap and not _looks_as_before(thing, look))
    return replace(
        known,
        name=max(votes, key=lambda name: votes[name]),
        box=row.box,
        score=thing.score + SCORE_WEIGHT * (row.score - thing.score) if strong else thing.score,
        last_seen=look.at,
        sightings=thing.sightings + 1,
        missed=0,
        votes=tuple(votes.items()),
        held=thing.held + is_held(row, look.people),
        view=look.view(row.box) if look.view else thing.view,
    )


def _looks_as_before(thing: Thing, look: _Look) -> bool:
    """One picture twice, equal to the last bit, is no evidence: what the detector says of it counts."""
    place = look.place(thing)
    return place != thing.view and alike(thing.view, place) >= SAME_LOOK


def _sort_out(
    known: list[Thing], pairs: Mapping[int, int], visible: list[Thing], look: _Look
) -> tuple[list[Thing], list[Thing]]:
    """Known things that stay, and those whose patience has run out."""
    kept, gone = list[Thing](), list[Thing]()
    for index, thing in enumerate(known):
        if index in pairs:
            kept.append(thing)
            continue
        missed = _missed(thing, visible, look)
        (kept if missed.missed <= missed.patience else gone).append(missed)
    return kept, gone


def _missed(thing: Thing, visible: list[Thing], look: _Look) -> Thing:
    """Not detected; but hidden, or in a place that looks the same, it still stands there."""
    if thing.standing and any(_hides(other, thing) for other in visible):
        return replace(thing, missed=max(thing.missed, 1))
    unseen_s = (look.at - thing.last_seen).total_seconds()
    believed = thing.sightings >= SETTLED_SIGHTINGS and thing.name not in _ALWAYS_SEEN and unseen_s <= LONGEST_UNSEEN_S
    if believed and _looks_as_before(thing, look):
        return replace(thing, missed=max(thing.missed, 1))
    view = look.place(thing) if believed and look.other_light else thing.view
    return replace(thing, missed=thing.missed + 1, view=view)


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
