"""One pure function per kind of rule: the scene and a planned rule in, hits out.

`RULES` is the table; a new kind is a line there and in `models.taxonomy.RuleKind`. None of them looks at how long
something has lasted: that is the same for all and lies in `episodes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from detect.memory import Scene, Thing
from detect.rules.conditions import alone, fits_in_size, inside, near, suits, zone_of
from detect.rules.hit import Hit, box_around
from detect.rules.plan import PlannedRule
from models.geometry import Box
from models.taxonomy import RuleKind

NEIGHBOURS = 0.5
"""Heaps closer than half their width are one heap to whoever has to clear them."""


def dwell(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something stands in the zone. Serves `appears` too: a static change is a thing like others.

    A thing hidden by a passing bus still stands there; it only counts as soon as it was seen twice.
    """
    recipe = rule.recipe
    return [
        Hit(
            f"thing {thing.thing_id}", thing.box, (thing,), name, thing.box.area,
            since=thing.standing_since, sightings=thing.sightings,
        )
        for thing, name in _in_place(rule, scene.things)
        if thing.standing and fits_in_size(thing.box.area, recipe) and alone(thing, scene, recipe)
    ]  # fmt: skip


def count(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """At least `count` things are in the zone, standing or walking."""
    recipe = rule.recipe
    small = [thing for thing in scene.things if fits_in_size(thing.box.area, recipe)]
    return [
        Hit(f"zone {name}", box_around(found), tuple(found), name, len(found))
        for name, found in _by_zone(rule, small)
        if len(found) >= recipe.count and (not recipe.max_count or len(found) <= recipe.max_count)
    ]


def area(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Standing things that lie together cover at least `area` of the picture."""
    standing = [(thing, name) for thing, name in _in_place(rule, scene.things) if thing.standing]
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
                    sightings=max(thing.sightings for thing in heap),
                )
            )  # fmt: skip
    return hits


def crossing(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something is in the zone now, whether it stays or passes."""
    loose = [thing for thing in scene.present if alone(thing, scene, rule.recipe)]
    return [
        Hit(f"zone {name}", max(found, key=lambda thing: thing.score).box, tuple(found), name, len(found))
        for name, found in _by_zone(rule, loose)
    ]


def together(rule: PlannedRule, scene: Scene) -> list[Hit]:
    """Something stands in the zone and others (a vendor, customers) are at it."""
    recipe = rule.recipe
    hits = []
    for thing, name in _in_place(rule, scene.things):
        others = near(thing, scene.present, recipe.with_classes, reach=recipe.reach)
        if thing.standing and len(others) >= recipe.with_count:
            hits.append(
                Hit(
                    f"thing {thing.thing_id}", box_around([thing, *others]), (thing,), name, thing.box.area,
                    since=thing.standing_since, companions=len(others),
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
    RuleKind.ABSENT: absent,
}


def _in_place(rule: PlannedRule, things: Iterable[Thing]) -> list[tuple[Thing, str]]:
    """Things the recipe is about, each with the name of its zone ("" when the whole picture counts)."""
    found = []
    for thing in things:
        if not suits(thing, rule.recipe) or zone_of(thing, rule.excluded) is not None:
            continue
        zone = zone_of(thing, rule.zones)
        if zone is not None or not rule.zones:
            found.append((thing, zone.name if zone else ""))
    return found


def _by_zone(rule: PlannedRule, things: Iterable[Thing]) -> list[tuple[str, list[Thing]]]:
    groups: dict[str, list[Thing]] = {}
    for thing, name in _in_place(rule, things):
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
