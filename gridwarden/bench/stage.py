"""A stage to build one scene on: things are put on a ground of a place, and what must be told is written down."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from gridwarden.bench.cutting import Cut
from gridwarden.bench.staging import SIDE, Actor, Allowed, Expected, Place, Scene, small_plate
from models.geometry import Box, Polygon
from models.ids import SubcategoryCode
from models.places import Zone, ZoneKind
from models.taxonomy import Recipe, Taxonomy

WARM_UP_S = 90.0
"""Nothing is put before the background is learnt: 8 looks, at 10 s each, and one to spare."""

NOON = datetime(2026, 6, 9, 4, 0, tzinfo=UTC)
"""12:00 on a Tuesday in China: recipes with hours of the day are in force."""

LATE_SHARE, LATE_S = 0.25, 60.0
"""How much later than its limit a thing may be told: a condition may be interrupted for a quarter of its time."""

LATE_AT_MOST_S = 1800.0
"""… and at most so much later."""

LONG_SIDE_PX, SHORT_SIDE_PX = 45, 16
"""Least size in a picture 640 wide, 7 % of its width: zones are drawn where things can be recognised, not to the
horizon, and the network sees a picture 448 wide. The coverage page says so."""

SHOWN = 1000
"""Numbers of the things a film shows by itself begin here, above those of the actors."""

TRIES = 60
"""Random places tried for a thing before a scene goes on without more of them."""


@dataclass(slots=True)
class Stage:
    """Mutable while a scene is built, `scene` ends it. interval_s: between looks."""

    place: Place
    cuts: Mapping[str, Sequence[Cut]]
    taxonomy: Taxonomy
    seed: int
    starts_at: datetime = NOON
    random: np.random.Generator = field(init=False)
    zones: list[Zone] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    allowed: list[Allowed] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    truth: dict[int, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def recipe(self, code: str) -> Recipe:
        """Raises LookupError when cameras do not see it (any more)."""
        recipe = self.taxonomy.subcategories[SubcategoryCode(code)].recipe
        if recipe is None:
            raise LookupError(code)
        return recipe

    def zone(self, kind: ZoneKind, ground: str) -> None:
        self.zones.append(Zone(f"{ground} {kind}", kind, self.place.grounds[ground]))

    def put(
        self,
        thing: str,
        ground: str,
        *,
        since: float = WARM_UP_S,
        until: float,
        area: tuple[float, float] = (0, 1),
        apart: bool = True,
        near: int | None = None,
        step: float = 0.0,
        metres: float = 0.0,
        lying: bool = False,
    ) -> int | None:
        """A thing somewhere on the ground; its index, or None where none fits.

        area: least and most share of the picture; apart: not in front of others; near: beside this actor;
        metres: its height, when not its class's own; lying: turned by 90 degrees.
        """  # fmt: skip
        for _ in range(TRIES):
            cut = self._next(thing, lying=lying)
            foot = self._foot(ground, near)
            height = self.place.height_of(metres or float(self.random.uniform(*cut.height_m)), foot[1])
            if lying:
                height *= cut.image.shape[0] / cut.image.shape[1]
            tall, wide = small_plate(self.place.clip).shape[:2]
            width = height * cut.image.shape[1] / cut.image.shape[0] * tall / wide
            actor = Actor(cut, foot, height, width, since, until, step, thing in ("fire", "smoke"))
            box = actor.box_at(since)
            pixels = sorted((height * tall, width * SIDE))
            if box is None or box.y1 <= 0 or pixels[0] < SHORT_SIDE_PX or pixels[1] < LONG_SIDE_PX:
                continue
            if not area[0] <= box.area <= area[1]:
                continue
            if apart and any(self._crowds(box, other) for other in self.actors):
                continue
            self.actors.append(actor)
            return len(self.actors) - 1
        return None

    def warm_up_s(self, code: str) -> float:
        """When things may be put: a background is learnt from looks, minutes apart where limits are days."""
        return max(WARM_UP_S, 10 * self.interval_for(self.recipe(code).dwell_s))

    def stay_s(self, code: str) -> float:
        """How long a thing must be there to be surely told."""
        dwell = self.recipe(code).dwell_s
        return dwell + late_s(dwell) + LATE_S

    def expect(self, code: str, *actors: int | None, since: float = WARM_UP_S) -> None:
        """To be told about the actors, if all of them found a place."""
        if any(actor is None for actor in actors):
            return
        dwell = self.recipe(code).dwell_s
        there = tuple(actor for actor in actors if actor is not None)
        late = since + dwell + late_s(dwell) + self.interval_for(dwell) * 3
        self.expected.append(Expected(SubcategoryCode(code), there, since + dwell * 0.85 - 15, late))

    def expect_shown(self, code: str, thing: str) -> None:
        """To be told about what the place's film itself shows from its first look on."""
        number, dwell = SHOWN + len(self.truth), self.recipe(code).dwell_s
        self.truth[number] = self.place.shown[thing]
        late = dwell + late_s(dwell) + self.interval_for(dwell) * 3
        self.expected.append(Expected(SubcategoryCode(code), (number,), 0, late))

    def allow(self, codes: str, *actors: int | None) -> None:
        """Codes apart by blanks."""
        there = tuple(actor for actor in actors if actor is not None)
        self.allowed += [Allowed(SubcategoryCode(code), there) for code in codes.split()]

    @staticmethod
    def interval_for(dwell_s: float) -> float:
        """5 s between looks, 10 s where the limit is 10 minutes, and more only where it is half an hour to days."""
        if dwell_s < 600:
            return 5.0
        return 10.0 if dwell_s < 1800 else min(max(math.ceil(dwell_s / 400), 20), 280)

    def scene(self, name: str, *, code: str, length_s: float | None = None) -> Scene:
        dwell = self.recipe(code).dwell_s
        ends = max([actor.until_s for actor in self.actors] + [item.until_s for item in self.expected], default=300.0)
        night = float(self.random.random()) < 0.15
        return Scene(
            name=name, place=self.place, zones=tuple(self.zones), actors=tuple(self.actors),
            expected=tuple(self.expected), allowed=tuple(self.allowed), starts_at=self.starts_at,
            length_s=length_s or ends, interval_s=self.interval_for(dwell), seed=self.seed,
            pool=40 if dwell >= 3600 else 0, truth=dict(self.truth),
            grey_from_s=0.0 if night else float("inf"),
            shake=int(self.random.random() < 0.15),
            quality=int(self.random.choice([40, 60, 75, 85])),
        )  # fmt: skip

    def _next(self, thing: str, *, lying: bool) -> Cut:
        """The class's things one after the other, from a random one on, so that scenes use different ones."""
        choice = self.cuts[thing]
        if thing not in self.used:
            self.used[thing] = int(self.random.integers(len(choice)))
        self.used[thing] += 1
        cut = choice[self.used[thing] % len(choice)]
        turns = int(lying)
        image, mask = np.rot90(cut.image, turns), np.rot90(cut.mask, turns)
        if self.random.random() < 0.5 and thing != "signboard":
            image, mask = image[:, ::-1], mask[:, ::-1]
        return Cut(cut.name, cut.thing, cut.how, np.ascontiguousarray(image), np.ascontiguousarray(mask), cut.height_m)

    def _foot(self, ground: str, near: int | None) -> tuple[float, float]:
        polygon = self.place.grounds[ground]
        xs, ys = zip(*polygon.corners, strict=True)
        other = self.actors[near] if near is not None else None
        for _ in range(200):
            if other is not None:
                side = 1 if self.random.random() < 0.5 else -1
                reach = other.width / 2 + float(self.random.uniform(0.01, 0.04))
                point = (other.foot[0] + side * reach, min(other.foot[1] + float(self.random.uniform(0, 0.03)), 0.99))
                if 0 < point[0] < 1:
                    return point
                continue
            point = (float(self.random.uniform(min(xs), max(xs))), float(self.random.uniform(min(ys), max(ys))))
            if well_inside(point, polygon) and point[1] < 0.99:
                return point
        return polygon.corners[0]

    @staticmethod
    def _crowds(box: Box, other: Actor) -> bool:
        theirs = other.box_at(other.since_s)
        return theirs is not None and box.intersection(theirs) > 0.02 * min(box.area, theirs.area)


def late_s(dwell_s: float) -> float:
    """How much later than its limit a thing may be told."""
    return min(dwell_s * LATE_SHARE, LATE_AT_MOST_S) + LATE_S


def well_inside(point: tuple[float, float], polygon: Polygon, margin: float = 0.03) -> bool:
    """Inside with a margin, so that a detected foot a few pixels off does not decide."""
    x, y = point
    return all(
        polygon.contains((min(max(x + dx, 0.001), 0.999), min(max(y + dy, 0.001), 0.999)))
        for dx in (-margin, margin)
        for dy in (-margin, margin)
    )


def later(start: datetime, hours: float) -> datetime:
    return start + timedelta(hours=hours)
