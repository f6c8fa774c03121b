"""Where and when: zone membership, nearness, size and time of day, shared by all rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from detect.memory import Scene, Thing
from models.geometry import Box
from models.places import Zone, ZoneKind
from models.taxonomy import Recipe

_BY_CENTRE = frozenset({ZoneKind.WALL, ZoneKind.HANGING, ZoneKind.WATER, ZoneKind.SITE})
"""Zones of upright surfaces (and of heads on a site): things there do not stand on ground, their middle counts."""


def inside(box: Box, zone: Zone) -> bool:
    """Whether a thing with this box is in the zone: its foot, or its middle where nothing stands on ground."""
    return zone.polygon.contains(box.centre if zone.kind in _BY_CENTRE else box.foot)


def zone_of(thing: Thing, zones: Sequence[Zone]) -> Zone | None:
    """The first of the zones the thing is in."""
    return next((zone for zone in zones if inside(thing.box, zone)), None)


def suits(thing: Thing, recipe: Recipe) -> bool:
    """Class, score and shape of one thing, as the recipe asks."""
    box = thing.box
    return (
        thing.name in recipe.classes
        and thing.score >= recipe.min_score
        and (not recipe.aspect or (box.x2 - box.x1) * _PICTURE_ASPECT >= recipe.aspect * (box.y2 - box.y1))
    )


_PICTURE_ASPECT = 16 / 9
"""Boxes are fractions of a picture that is wider than high; nearly all street cameras are 16:9."""


def fits_in_size(area: float, recipe: Recipe) -> bool:
    return area >= recipe.area and (not recipe.max_area or area <= recipe.max_area)


def in_hours(at: datetime, recipe: Recipe) -> bool:
    """at: local time. 22 to 6 runs past midnight; 0 to 0 is always.

    >>> from models.taxonomy import RuleKind
    >>> night = Recipe(RuleKind.DWELL, ("car",), from_hour=22, to_hour=6)
    >>> in_hours(datetime(2026, 1, 1, 23, 30), night), in_hours(datetime(2026, 1, 1, 12), night)
    (True, False)
    """
    start, end = recipe.from_hour, recipe.to_hour
    if start == end:
        return True
    hour = at.hour + at.minute / 60
    return start <= hour < end if start < end else hour >= start or hour < end


def near(thing: Thing, others: Iterable[Thing], classes: Sequence[str], *, reach: float) -> list[Thing]:
    """Those of the classes whose foot or middle lies within `reach` widths of the thing's box."""
    width, box = thing.box.x2 - thing.box.x1, thing.box
    margin = reach * width
    return [
        other for other in others
        if other.thing_id != thing.thing_id and other.name in classes
        and any(
            box.x1 - margin <= x <= box.x2 + margin and box.y1 - margin <= y <= box.y2 + margin
            for x, y in (other.box.foot, other.box.centre)
        )
    ]  # fmt: skip


def alone(thing: Thing, scene: Scene, recipe: Recipe) -> bool:
    return not recipe.without_classes or not near(thing, scene.present, recipe.without_classes, reach=recipe.reach)
