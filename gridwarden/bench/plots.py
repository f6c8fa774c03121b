"""The plots: what happens in a scene, and what must be told of it. One line in `PLOTS` each.

Each plot puts the thing where and as long as its recipe asks for, and beside it the near misses: gone before the limit,
in the wrong place, passing through. Limits are read from the taxonomy, so an edited recipe is measured as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gridwarden.bench.cutting import Cut
from gridwarden.bench.stage import NOON, WARM_UP_S, Stage, later
from gridwarden.bench.staging import Place, Scene
from models.places import ZoneKind as Z
from models.taxonomy import Taxonomy

SHORT = 0.55
"""Share of its limit after which a near miss is taken away again."""

SMALL_BAG, HEAP = (0.002, 0.012), (0.028, 0.3)
"""Shares of the picture: well below and well above the area that divides bagged waste from piled garbage."""

NEAR = (0.01, 0.3)
"""Shares of the picture of two-wheelers a camera is meant to count: their frames are thin, and far ones are lines."""

AGAIN_S = 300.0
"""Apart in time, things in one zone are two incidents; the rules take what is back within 3 minutes for the same."""

EVENING_H = 7.0
"""From noon to 19:00, when barbecues are out."""


@dataclass(frozen=True, slots=True)
class Plot:
    """code: what it is about; places: taken in turn; play: puts it on the stage; most: scenes, where one is a week."""

    code: str
    places: tuple[str, ...]
    play: Callable[[Stage], None]
    most: int = 100


def _standing(
    code: str,
    things: str,
    ground: str,
    zone: Z,
    allow: str = "",
    *,
    near_miss: bool = True,
    area: tuple[float, float] = (0, 1),
    metres: float = 0.0,
    count: int = 3,
) -> Callable[[Stage], None]:
    """Things that stand too long in the zone, one after the other, and one that leaves in time."""  # fmt: skip

    def play(stage: Stage) -> None:
        stage.zone(zone, ground)
        names, dwell = things.split("|"), stage.recipe(code).dwell_s
        for number in range(count):
            since = WARM_UP_S + 40 * number
            thing = names[(stage.seed + number) % len(names)]
            put = stage.put(thing, ground, since=since, until=since + stage.stay_s(code), area=area, metres=metres)
            stage.expect(code, put, since=since)
            stage.allow(allow, put)
        if near_miss:
            gone = stage.put(
                names[stage.seed % len(names)], ground, until=WARM_UP_S + SHORT * dwell, area=area, metres=metres
            )
            stage.allow(allow, gone)

    return play


def _bags(stage: Stage) -> None:
    """One bag on the pavement; one before the shops, where no zone is; one taken away in time."""
    stage.zone(Z.FOOTWAY, "pavement")
    until = WARM_UP_S + stage.stay_s("B3")
    stage.expect("B3", stage.put("garbage", "pavement", until=until, area=SMALL_BAG))
    stage.expect("B3", stage.put("garbage", "pavement", until=until, area=SMALL_BAG))
    stage.put("garbage", "strip", until=until, area=SMALL_BAG)
    stage.put("garbage", "pavement", until=WARM_UP_S + SHORT * stage.recipe("B3").dwell_s, area=SMALL_BAG)
    stage.allow("A5 B4")


def _heap(stage: Stage) -> None:
    ground = "road" if "road" in stage.place.grounds else "pavement"
    stage.zone(Z.FOOTWAY, ground)
    until = WARM_UP_S + stage.stay_s("B1")
    heap = stage.put("garbage", ground, until=until, area=HEAP, metres=1.3)
    stage.expect("B1", heap)
    stage.allow("A5 B4 G1", heap)
    stage.put("garbage", ground, until=WARM_UP_S + SHORT * stage.recipe("B1").dwell_s, area=HEAP, metres=1.3)


def _scattered(stage: Stage) -> None:
    """Six pieces of litter; B3 may also be told of each."""
    stage.zone(Z.FOOTWAY, "pavement")
    until = WARM_UP_S + stage.stay_s("B4")
    pieces = [stage.put("garbage", "pavement", until=until, area=(0.001, 0.008), metres=0.5) for _ in range(7)]
    found = [piece for piece in pieces if piece is not None]
    if len(found) >= 6:
        stage.expect("B4", *found)
    stage.allow("B3 A5 B1")


def _bins(stage: Stage) -> None:
    """An overflowing bin beside ordinary ones."""
    ground = "verge" if "verge" in stage.place.grounds else "pavement"
    stage.zone(Z.BIN, ground)
    until = WARM_UP_S + stage.stay_s("B2")
    for _ in range(2):
        full = stage.put("garbage_overflow", ground, until=until)
        stage.expect("B2", full)
        stage.allow("B1 B3", full)
    stage.put("garbage_bin", ground, until=until)
    stage.put("garbage_overflow", ground, until=WARM_UP_S + SHORT * stage.recipe("B2").dwell_s)
    stage.allow("G5")


def _bin_gone(stage: Stage) -> None:
    """A bin that always stood there is taken away; in every third scene it stays."""
    ground, gone = ("pavement", "shop")[stage.seed % 2], 600.0
    stage.zone(Z.BIN, ground)
    if stage.seed % 3 == 0:
        stage.put("garbage_bin", ground, since=0, until=gone + stage.stay_s("G5"))
        return
    stage.expect("G5", stage.put("garbage_bin", ground, since=0, until=gone), since=gone)


def _vendor(stage: Stage) -> None:
    stage.zone(Z.NO_VENDING, "strip" if stage.place.name == "street" else "path")
    ground, until = stage.zones[0].name.split()[0], WARM_UP_S + stage.stay_s("A2")
    thing = ("motorcycle", "truck")[stage.seed % 2]
    van = stage.put(thing, ground, until=until, apart=False)
    people = (
        [stage.put("person", ground, until=until, near=van, apart=False) for _ in range(3)] if van is not None else []
    )
    stage.expect("A2", van, *people)
    stage.put(thing, ground, until=until)


def _stall(stage: Stage) -> None:
    stage.zone(Z.FOOTWAY, "pavement" if stage.place.name == "street" else "path")
    ground, until = stage.zones[0].name.split()[0], WARM_UP_S + stage.stay_s("A1")
    stand = stage.put("umbrella", ground, until=until, metres=1.9)
    seller = stage.put("person", ground, until=until, near=stand, apart=False) if stand is not None else None
    stage.expect("A1", stand, seller)
    stage.put("chair", ground, until=until)
    stage.allow("A4 A5")


def _bicycles(stage: Stage) -> None:
    stage.zone(Z.FOOTWAY, "pavement" if stage.place.name == "street" else "path")
    ground, until = stage.zones[0].name.split()[0], WARM_UP_S + stage.stay_s("F2")
    several = [
        stage.put(("bicycle", "motorcycle")[number % 2], ground, until=until, area=NEAR)
        for number in range(5 + stage.seed % 2)
    ]
    found = [one for one in several if one is not None]
    if len(found) >= 4:
        stage.expect("F2", *found)
    stage.allow("A5")


def _many_bicycles(stage: Stage) -> None:
    ground = "pavement" if stage.place.name == "street" else "path"
    stage.zone(Z.FOOTWAY, ground)
    until = WARM_UP_S + stage.stay_s("F3")
    found = [one for _ in range(22) if (one := stage.put("bicycle", ground, until=until, apart=False)) is not None]
    stage.expect("F3", *found)
    stage.allow("F2 A5")


def _lorry(stage: Stage) -> None:
    """A lorry drives through, and cars do; each is in the picture for some looks."""
    ground = "strip" if stage.place.name == "street" else "path"
    stage.zone(Z.RESTRICTED_STREET, ground)
    for number, thing in enumerate(("truck", "truck", "car", "truck")):
        since = WARM_UP_S + AGAIN_S * number
        put = stage.put(thing, ground, since=since, until=since + 16, apart=False)
        if thing == "truck":
            stage.expect("F7", put, since=since)


def _crowd(stage: Stage) -> None:
    ground = "pavement" if stage.place.name == "street" else "path"
    stage.zone(Z.GATHERING, ground)
    until, few = WARM_UP_S + stage.stay_s("J1"), stage.seed % 3 == 2
    number = 6 if few else 26
    people = [one for _ in range(number) if (one := stage.put("person", ground, until=until)) is not None]
    if len(people) >= 18:
        stage.expect("J1", *people)
    elif len(people) > 9:
        stage.allow("J1")
    stage.allow("J4")


def _fallen(stage: Stage) -> None:
    ground = "pavement" if stage.place.name == "street" else "path"
    stage.zone(Z.FOOTWAY, ground)
    for number in range(2):
        since = WARM_UP_S + 150 * number
        down = stage.put("person", ground, since=since, until=since + 120, lying=True)
        stage.expect("J2", down, since=since)
    stage.put("person", ground, until=WARM_UP_S + 200)


def _intruder(stage: Stage) -> None:
    """Someone walks over the verge of a road nobody walks on, three times; others cross the road beside it."""
    stage.zone(Z.FORBIDDEN, "verge")
    for number in range(3):
        since = WARM_UP_S + AGAIN_S * number
        stage.expect("J3", stage.put("person", "verge", since=since, until=since + 20, step=0.005), since=since)
        stage.put("person", "road", since=since, until=since + 60)


def _loiterer(stage: Stage) -> None:
    """Not in the street: its film is ten seconds long, and whoever stands there in it stands there all day."""
    ground = "path" if stage.place.name == "walkway" else "verge"
    stage.zone(Z.GATHERING, ground)
    until = WARM_UP_S + stage.stay_s("J4")
    for _ in range(3):
        stage.expect("J4", stage.put("person", ground, until=until))
    stage.put("person", ground, until=WARM_UP_S + SHORT * stage.recipe("J4").dwell_s)


def _flames(code: str) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        ground = next(name for name in ("green", "pavement", "road") if name in stage.place.grounds)
        if code == "B7":
            stage.zone(Z.GREEN, ground)
        if code == "A6":
            stage.zone(Z.FOOTWAY, ground)
            stage.starts_at = later(NOON, EVENING_H)
        fire = stage.put("fire", ground, until=WARM_UP_S + stage.stay_s(code))
        stage.expect(code, fire)
        if code == "A6" and fire is not None:
            for _ in range(2):
                stage.put("person", ground, until=WARM_UP_S + stage.stay_s(code), near=fire, apart=False)
        stage.allow({"I1": "I2 B7", "B7": "I1 I2", "A6": "I1 I2"}[code])

    return play


def _works(stage: Stage) -> None:
    """A lorry with people at it, longer than any delivery takes; another that nobody works at."""
    ground = "strip" if stage.place.name == "street" else "road"
    stage.zone(Z.CARRIAGEWAY, ground)
    until = WARM_UP_S + stage.stay_s("E1")
    lorry = stage.put("truck", ground, until=until)
    crew = (
        [stage.put("person", ground, until=until, near=lorry, apart=False) for _ in range(2)]
        if lorry is not None
        else []
    )
    stage.expect("E1", lorry, *crew)
    stage.put("truck", ground, until=until)


def _burning(code: str) -> Callable[[Stage], None]:
    """The real fire of a film, from its first look on. Its smoke is not marked, so nothing is said about that."""

    def play(stage: Stage) -> None:
        if code == "B7":
            stage.zone(Z.GREEN, "garden")
        stage.expect_shown(code, "fire")
        stage.allow({"I1": "I2", "B7": "I1 I2"}[code])

    return play


_STREET, _BOTH, _ROADS = ("street",), ("street", "walkway"), ("avenue", "overhead")

PLOTS: tuple[Plot, ...] = (
    Plot("A1", _BOTH, _stall),
    Plot("A2", _BOTH, _vendor),
    Plot("A3", _STREET, _standing("A3", "chair|potted plant", "pavement", Z.SHOP_FRONT)),
    Plot("A4", _STREET, _standing("A4", "umbrella", "pavement", Z.FOOTWAY, "A1", metres=1.5, near_miss=False, count=2)),
    Plot("A5", _STREET, _standing("A5", "potted plant|chair|signboard", "pavement", Z.FOOTWAY, "B3 D4 A1", metres=1.3)),
    Plot("A6", _BOTH, _flames("A6")),
    Plot("B1", ("street", "avenue", "overhead"), _heap),
    Plot("B2", ("street", "avenue"), _bins),
    Plot("B3", _STREET, _bags),
    Plot("B4", _STREET, _scattered),
    Plot("B5", _ROADS, _standing("B5", "garbage", "road", Z.CARRIAGEWAY, "B1 B3 B4 G1", metres=0.6)),
    Plot("B7", ("walkway",), _flames("B7")),
    Plot("C4", ("walkway",), _standing("C4", "garbage", "green", Z.GREEN, "B1")),
    Plot("D4", _STREET, _standing("D4", "signboard", "pavement", Z.FOOTWAY, "A5", metres=0.8)),
    Plot("E1", ("street", "avenue"), _works),
    Plot("F1", ("street", "walkway", "trees"), lambda stage: _parked(stage, "F1", Z.NO_PARKING)),
    Plot("F2", _BOTH, _bicycles),
    Plot("F3", _BOTH, _many_bicycles),
    Plot("F4", _BOTH, lambda stage: _parked(stage, "F4", Z.TACTILE_PATH)),
    Plot("F5", _BOTH, lambda stage: _parked(stage, "F5", Z.FOOTWAY)),
    Plot("F6", _STREET, lambda stage: _parked(stage, "F6", Z.COURTYARD, count=6), most=1),
    Plot("F7", _BOTH, _lorry),
    Plot("G1", _ROADS, _standing("G1", "pothole", "road", Z.CARRIAGEWAY, "B5")),
    Plot("G5", _STREET, _bin_gone),
    Plot("H4", ("avenue",), _standing("H4", "garbage", "verge", Z.GULLY, "B1")),
    Plot("I1", ("street", "walkway", "avenue"), _flames("I1")),
    Plot("I1", ("house",), _burning("I1")),
    Plot("B7", ("house",), _burning("B7")),
    Plot("I3", _BOTH, lambda stage: _parked(stage, "I3", Z.FIRE_LANE)),
    Plot("J1", _BOTH, _crowd),
    Plot("J2", _BOTH, _fallen),
    Plot("J3", ("avenue",), _intruder),
    Plot("J4", ("walkway", "avenue"), _loiterer),
    Plot("K2", _BOTH, lambda stage: _parked(stage, "K2", Z.SHARED)),
)

_PARKED = {
    "F4": "bicycle|motorcycle|garbage_bin|car",
    "I3": "car|motorcycle|garbage_bin|car",
    "K2": "potted plant|chair|signboard",
    "F5": "car", "F1": "car|truck|car", "F6": "car",
}  # fmt: skip


def _parked(stage: Stage, code: str, zone: Z, *, count: int = 3) -> None:
    """What stands too long where it must not; one that leaves in time, one beside the zone."""
    zoned, beside = {"street": ("strip", "pavement"), "walkway": ("path", "green"), "trees": ("road", "")}[
        stage.place.name
    ]
    if code == "F5":
        zoned, beside = (beside, zoned) if stage.place.name == "street" else (zoned, beside)
    stage.zone(zone, zoned)
    things, dwell = _PARKED[code].split("|"), stage.recipe(code).dwell_s
    since = stage.warm_up_s(code)
    until = since + stage.stay_s(code)
    for number in range(count):
        put = stage.put(things[(stage.seed + number) % len(things)], zoned, since=since, until=until)
        stage.expect(code, put, since=since)
    stage.put(things[(stage.seed + 1) % len(things)], zoned, since=since, until=since + SHORT * dwell)
    if beside and code != "F6":  # which asks for no zone
        stage.put(things[(stage.seed + 2) % len(things)], beside, since=since, until=until)
    stage.allow("B2 G5")


def composed(
    plots: Sequence[Plot],
    places: Mapping[str, Place],
    cuts: Mapping[str, Sequence[Cut]],
    taxonomy: Taxonomy,
    *,
    scenes: int,
    seed: int,
) -> list[Scene]:
    """So many scenes of each plot; a plot whose recipe is gone from the taxonomy is left out.

    Every plot has seeds of its own: a new one changes nothing about the others' scenes.
    """  # fmt: skip
    built = []
    for plot in plots:
        for turn in range(min(scenes, plot.most)):
            place = places[plot.places[turn % len(plot.places)]]
            stage = Stage(
                place, cuts, taxonomy, seed=seed + 10 * zlib.crc32(f"{plot.code} {plot.places}".encode()) + turn
            )
            try:
                plot.play(stage)
                scene = stage.scene(f"{plot.code}-{place.name}-{turn}", code=plot.code)
            except LookupError:
                break
            if scene.expected or scene.actors:
                built.append(scene)
    return built
