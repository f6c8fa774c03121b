"""One pure function per kind of rule: the scene and a planned rule in, hits out.

`RULES` is the table; a new kind is a line there and in `models.taxonomy.RuleKind`. None of them looks at how long
something has lasted: that is the same for all and lies in `episodes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from detect.memory import Scene
from detect.rules.conditions import alone, confirmed, fits_in_size, inside, is_free, near, suits, zone_of
from detect.rules.hit import Hit, box_around
from detect.rules.plan import PlannedRule
from detect.things import Thing, kin, overlap
from models.geometry import Box
from models.taxonomy import STATIC_CHANGE, RuleKind

NEIGHBOURS = 0.5
"""Heaps closer than half their width are one heap to whoever has to clear them."""

SAME_THING = 0.5
"""Boxes of two classes this alike are one thing with two names; a bag on a bench shares less with it."""

NESTED, NESTED_IOU = 0.8, 0.35
"""A lorry's cab, or a car without its roof, lies that much in the box of the whole and fills that much of it; a car
that stands in front of a lorry fills less."""


def dwell(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something stands in the zone. Serves `appears` too: a static change is a thing like others.

    A car parked in a no-parking zone; an umbrella nobody holds; somebody lying on the footway. A car hidden by a
    passing bus still stands there; a car in the lane is somewhere else in the next look; a bicycle somebody waits
    on, an umbrella over a walker's head and a suitcase in a hand are no standing things.
    """
    recipe = rule.recipe
    standing = [
        (thing, name)
        for thing, name in _in_place(rule, scene.things, aspect=scene.aspect)
        if thing.standing
        and is_free(thing, recipe)
        and fits_in_size(thing.box.area, recipe)
        and alone(thing, scene, recipe)
    ]
    return [
        Hit(
            f"thing {thing.thing_id}", thing.box, (thing,), name, thing.box.area,
            since=thing.standing_since, sightings=thing.sightings, ripe=_shown([thing]) and confirmed([thing], recipe),
        )
        for thing, name in _one_per_place(standing)
    ]  # fmt: skip


def count(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """At least `count` things are in the zone, standing or (unless the recipe asks for standing ones) walking.

    Fifteen people on a square, whoever they are; three bicycles left on the footway, not three that ride past.
    """
    recipe = rule.recipe
    small = [
        thing for thing in scene.things
        if fits_in_size(thing.box.area, recipe)
        and is_free(thing, recipe)
        and (thing.standing or not recipe.standing)
    ]  # fmt: skip
    return [
        Hit(f"zone {name}", box_around(found), tuple(found), name, len(found), ripe=_shown(found))
        for name, found in _by_zone(rule, small, aspect=scene.aspect)
        if len(found) >= recipe.count and (not recipe.max_count or len(found) <= recipe.max_count)
    ]


def area(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Standing things that lie together cover at least `area` of the picture: three bags side by side are one pile."""
    placed = _in_place(rule, scene.things, aspect=scene.aspect)
    standing = [(thing, name) for thing, name in placed if thing.standing]
    names = {thing.thing_id: name for thing, name in standing}
    hits = []
    for heap in _heaps([thing for thing, _ in standing]):
        size = sum(thing.box.area for thing in heap)
        if fits_in_size(size, rule.recipe):
            oldest = min(heap, key=lambda thing: thing.thing_id)
            hits.append(
                Hit(
                    f"heap {oldest.thing_id}", box_around(heap), tuple(heap), names[oldest.thing_id], size,
                    since=min(thing.standing_since for thing in heap),
                    sightings=max(thing.sightings for thing in heap), ripe=_shown(heap),
                )
            )  # fmt: skip
    return hits


def crossing(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something is in the zone now, whether it stays or passes.

    A flame; a lorry in a restricted street; somebody behind a fence; a dog with nobody near it.
    """
    loose = [thing for thing in scene.present if alone(thing, scene, rule.recipe)]
    return [
        Hit(
            f"zone {name}", max(found, key=lambda thing: thing.score).box, tuple(found), name, len(found),
            ripe=confirmed(found, rule.recipe),
        )
        for name, found in _by_zone(rule, loose, aspect=scene.aspect)
    ]  # fmt: skip


def worn(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something on somebody's body, one problem per somebody who stands there.

    A bare head belongs to the person whose box holds it: while she works at one place she is one problem, however
    her head comes and goes between looks. Heads nobody stands under, or whose owners walk about, are one problem of
    the zone together.
    """
    heads = [thing for thing in scene.present if alone(thing, scene, rule.recipe)]
    hits, others = [], dict[str, list[Thing]]()
    for head, name in _in_place(rule, heads, aspect=scene.aspect):
        wearer = _wearer(head, scene.things, rule.recipe.with_classes)
        if wearer is None or not wearer.standing:
            others.setdefault(name, []).append(head)
        else:
            hits.append(Hit(f"thing {wearer.thing_id}", wearer.box, (head,), name, 1))
    if not hits:
        hits = [
            Hit(f"zone {name}", max(found, key=lambda thing: thing.score).box, tuple(found), name, len(found))
            for name, found in others.items()
        ]
    return hits


def together(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something stands in the zone and others (a vendor, customers) are at it.

    A parasol with a vendor under it; a tricycle with two customers. Not an umbrella in the hand of somebody who waits.
    """
    recipe = rule.recipe
    hits = []
    for thing, name in _in_place(rule, scene.things, aspect=scene.aspect):
        others = near(thing, scene.present, recipe.with_classes, reach=recipe.reach)
        if thing.standing and is_free(thing, recipe) and len(others) >= recipe.with_count:
            hits.append(
                Hit(
                    f"thing {thing.thing_id}", box_around([thing, *others]), (thing,), name, thing.box.area,
                    since=thing.standing_since, companions=len(others),
                    ripe=_shown([thing]) and confirmed([thing], recipe),
                )
            )  # fmt: skip
    return hits


def absent(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something that belonged into the zone has left, and nothing of its kind stands there."""
    hits = []
    for zone in rule.zones:
        there = any(thing.name in rule.recipe.classes and inside(thing.box, zone) for thing in scene.things)
        left = [item for item in scene.departed if item.name in rule.recipe.classes and inside(item.box, zone)]
        if left and not there:
            hits.append(Hit(f"zone {zone.name}", left[-1].box, (left[-1],), zone.name, 1, since=left[-1].last_seen))
    return hits


RULES: dict[RuleKind, Callable[[PlannedRule, Scene], list[Hit]]] = {
    RuleKind.DWELL: dwell,
    RuleKind.APPEARS: dwell,
    RuleKind.COUNT: count,
    RuleKind.AREA: area,
    RuleKind.CROSSING: crossing,
    RuleKind.TOGETHER: together,
    RuleKind.WORN: worn,
    RuleKind.ABSENT: absent,
}


def _shown(things: Iterable[Thing]) -> bool:
    """The last look itself shows one of them. What is only believed to stand there is watched, and told when it is
    seen again: a car that has just driven off must not be announced while memory is still patient."""
    return any(not thing.missed for thing in things)


def _one_per_place(placed: Sequence[tuple[Thing, str]]) -> list[tuple[Thing, str]]:
    """A box that is a suitcase to one look and a bin to the next is one thing; the one known longest stands for it.

    Of a static change and something with a name there, the one with the name: it says what it is.
    """
    kept: list[tuple[Thing, str]] = []
    for thing, name in sorted(placed, key=lambda pair: (pair[0].name == STATIC_CHANGE, pair[0].thing_id)):
        if not any(_one_thing(thing, other) for other, _ in kept):
            kept.append((thing, name))
    return kept


def _one_thing(thing: Thing, other: Thing) -> bool:
    """A static change has the box of what differs, which may be less than the thing or more."""
    if STATIC_CHANGE in (thing.name, other.name):
        return overlap(thing.box, other.box) >= SAME_THING
    alike = thing.box.iou(other.box)
    nested = other.name in kin(thing.name) and overlap(thing.box, other.box) >= NESTED
    return alike >= SAME_THING or (nested and alike >= NESTED_IOU)


def _wearer(head: Thing, things: Iterable[Thing], classes: Sequence[str]) -> Thing | None:
    """Whose upper third holds the middle of the head; of several the one whose top is nearest."""
    x, y = head.box.centre
    owners = [
        thing for thing in things
        if thing.name in classes
        and thing.box.x1 <= x <= thing.box.x2
        and thing.box.y1 - _height(head) <= y <= thing.box.y1 + _height(thing) / 3
    ]  # fmt: skip
    return min(owners, key=lambda thing: abs(thing.box.y1 - head.box.y1), default=None)


def _height(thing: Thing) -> float:
    return thing.box.y2 - thing.box.y1


def _in_place(rule: PlannedRule, things: Iterable[Thing], *, aspect: float) -> list[tuple[Thing, str]]:
    """Things the recipe is about, each with the name of its zone ("" when the whole picture counts)."""
    found = []
    for thing in things:
        if not suits(thing, rule.recipe, aspect=aspect) or zone_of(thing, rule.excluded) is not None:
            continue
        zone = zone_of(thing, rule.zones)
        if zone is not None or not rule.zones:
            found.append((thing, zone.name if zone else ""))
    return found


def _by_zone(rule: PlannedRule, things: Iterable[Thing], *, aspect: float) -> list[tuple[str, list[Thing]]]:
    groups: dict[str, list[Thing]] = {}
    for thing, name in _in_place(rule, things, aspect=aspect):
        groups.setdefault(name, []).append(thing)
    return list(groups.items())


def _heaps(things: Sequence[Thing]) -> list[list[Thing]]:
    """Things that touch when each is half a width wider, joined transitively."""
    heaps: list[list[Thing]] = []
    for thing in things:
        joined = [heap for heap in heaps if any(_touch(thing.box, other.box) for other in heap)]
        heaps = [heap for heap in heaps if heap not in joined]
        heaps.append([thing, *(item for heap in joined for item in heap)])
    return heaps


def _touch(first: Box, second: Box) -> bool:
    margin = NEIGHBOURS * max(first.x2 - first.x1, second.x2 - second.x1)
    return (
        first.x1 - margin <= second.x2 and second.x1 - margin <= first.x2
        and first.y1 - margin <= second.y2 and second.y1 - margin <= first.y2
    )  # fmt: skip
