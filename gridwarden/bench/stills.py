"""Held-out pictures played as fixed cameras: real things in their real surroundings, labelled by others.

What composing cannot give (graffiti on its wall, a head on its shoulders) is measured on the picture itself: the camera
shows it look after look in changing light, and the rule must tell each labelled thing once and nothing else. Flames and
smoke are not measured so, as a still flame is a poster. Sets are marked for their own
classes only; each is judged for its own subcategories only (`judged_in`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridwarden.bench.cutting import labels_of, val_pictures
from gridwarden.bench.stage import NOON, late_s
from gridwarden.bench.staging import Allowed, Expected, Scene
from models.geometry import Box, Polygon
from models.ids import SubcategoryCode
from models.places import Zone, ZoneKind
from models.taxonomy import Taxonomy

WHOLE = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.001), (0.0, 1.001)))
"""All of the picture, its lower edge included: things that are cut off by it stand there."""

INTERVAL_S, DIFFERENT = 10.0, 3
"""Looks as far apart as a camera's longest interval; so many different lights."""

CLEAR = 1.4
"""A heap must be so much larger than the recipe's area to be expected, as its labelled box may be too large."""


@dataclass(frozen=True, slots=True)
class Judged:
    """code: told of these classes, each thing for itself."""

    code: str
    classes: tuple[str, ...]
    zone: ZoneKind | None


SETS: dict[str, tuple[Judged, ...]] = {
    "garbage": (Judged("B1", ("garbage",), None), Judged("B2", ("garbage_overflow",), None)),
    "pothole": (Judged("G1", ("pothole",), ZoneKind.CARRIAGEWAY),),
    "hardhat": (Judged("E5", ("head_no_helmet",), ZoneKind.SITE),),
    "graffiti": (Judged("D3", ("graffiti",), ZoneKind.WALL),),
}


def stills(data: Path, taxonomy: Taxonomy, *, share: int = 1) -> Iterator[Scene]:
    """A scene for every `share`-th val picture of the sets."""
    number = 0
    for picture in val_pictures(data):
        judged = SETS.get(picture.parent.name)
        if judged is None:
            continue
        number += 1
        if number % share == 0:
            yield _scene(picture, judged, data, taxonomy, number)


def judged_in(scene: Scene) -> frozenset[str]:
    """The subcategories a still says anything about; a set's pictures are not marked for the others."""
    return frozenset(item.code for item in SETS[scene.picture.parent.name]) if scene.picture else frozenset()


def _scene(picture: Path, judged: Sequence[Judged], data: Path, taxonomy: Taxonomy, seed: int) -> Scene:
    truth: dict[int, Box] = {}
    expected: list[Expected] = []
    allowed: list[Allowed] = []
    labels = [(name, Box(*box)) for name, box in labels_of(picture, data)]
    longest = 0.0
    for item in judged:
        recipe = taxonomy.subcategories[SubcategoryCode(item.code)].recipe
        if recipe is None:
            continue
        until = recipe.dwell_s + late_s(recipe.dwell_s)
        longest = max(longest, until)
        ids = []
        for name, box in labels:
            if name in item.classes:
                ids.append(len(truth))
                truth[len(truth)] = box
        groups = _heaps(ids, truth) if item.code == "B1" else [(number,) for number in ids]
        for group in groups:
            size = sum(truth[index].area for index in group)
            if size >= recipe.area * CLEAR:
                expected.append(Expected(SubcategoryCode(item.code), group, recipe.dwell_s * 0.85 - 15, until))
            else:
                allowed.append(Allowed(SubcategoryCode(item.code), group))
    zones = tuple(Zone(item.zone.value, item.zone, WHOLE) for item in judged if item.zone)
    return Scene(
        name=f"{picture.parent.name}/{picture.stem}", place=None, zones=zones, actors=(), expected=tuple(expected),
        allowed=tuple(allowed), starts_at=NOON, length_s=longest, interval_s=INTERVAL_S, seed=seed, pool=DIFFERENT,
        picture=picture, truth=truth,
    )  # fmt: skip


def _heaps(ids: Sequence[int], truth: dict[int, Box]) -> list[tuple[int, ...]]:
    """Heaps nearer than half their width are one to whoever clears them, as the rule counts them."""
    groups: list[list[int]] = []
    for index in ids:
        near = [group for group in groups if any(_near(truth[index], truth[other]) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([index, *(other for group in near for other in group)])
    return [tuple(group) for group in groups]


def _near(first: Box, second: Box) -> bool:
    margin = 0.5 * max(first.x2 - first.x1, second.x2 - second.x1)
    return (
        first.x1 - margin <= second.x2 and second.x1 - margin <= first.x2
        and first.y1 - margin <= second.y2 and second.y1 - margin <= first.y2
    )  # fmt: skip
