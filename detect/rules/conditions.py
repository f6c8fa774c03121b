"""What is asked of single things: zone, nearness, size, shape, whether it is left alone, whether it flickers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detect.memory import Scene
from detect.things import Thing
from models.geometry import Box
from models.places import Zone, ZoneKind
from models.taxonomy import Recipe

_BY_CENTRE = frozenset({ZoneKind.WALL, ZoneKind.HANGING, ZoneKind.WATER, ZoneKind.SITE, ZoneKind.MARKED_OBJECT})
"""Zones of upright surfaces (and of heads on a site): things there do not stand on ground, their middle counts."""


EDGE = 0.005
"""Share of the picture: a box that ends this close to its edge is cut off by it."""

RESTLESS = 0.6
"""Share of comparisons in which a flame has changed its shape; somebody who walks past a lamp changes one or two."""


def inside(box: Box, zone: Zone) -> bool:
    """Whether a thing with this box is in the zone: its foot, or its middle where nothing stands on ground."""
    return zone.polygon.contains(box.centre if zone.kind in _BY_CENTRE else box.foot)


def zone_of(thing: Thing, zones: Sequence[Zone]) -> Zone | None:
    """The first of the zones the thing is in."""
    return next((zone for zone in zones if inside(thing.box, zone)), None)


def suits(thing: Thing, recipe: Recipe, *, aspect: float) -> bool:
    """Class, score and shape of one thing, as the recipe asks; aspect: of the picture."""
    return (
        thing.name in recipe.classes
        and thing.score >= recipe.min_score
        and (not recipe.aspect or lies(thing, recipe.aspect / aspect))
    )


def lies(thing: Thing, least: float) -> bool:
    """Wider than high from the first look to the last, and not just cut off by the picture's edge.

    Somebody who falls is another thing than somebody who stood there: the boxes share too little. Somebody of whom
    only head and shoulders reach into the picture has a flat box, too.
    """
    shapes = ((box.x2 - box.x1) >= least * (box.y2 - box.y1) for box in (thing.box, thing.anchor))
    return all(shapes) and thing.box.x1 > EDGE and thing.box.x2 < 1 - EDGE and thing.box.y2 < 1 - EDGE


def is_free(thing: Thing, recipe: Recipe) -> bool:
    """Nobody holds, rides or carries it, or the recipe does not mind."""
    return thing.left_alone or recipe.held > 0


def confirmed(things: Iterable[Thing], recipe: Recipe) -> bool:
    """Whether one of them is restless enough to be a flame or smoke, where the recipe asks for that.

    A lamp, a sunset or a neon sign looks the same in the next look; brake lights do, or are somewhere else; a flame
    has changed its shape. A source that repeats one picture to the last bit cannot show it either way.
    """
    return not recipe.flicker or any(_flickers(thing, recipe.flicker) for thing in things)


def _flickers(thing: Thing, least: float) -> bool:
    if not thing.compared:
        return thing.standing
    return thing.stirs >= least and thing.stirs >= RESTLESS * thing.compared


def fits_in_size(area: float, recipe: Recipe) -> bool:
    return area >= recipe.area and (not recipe.max_area or area <= recipe.max_area)


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
