"""What one judged picture can teach, decided without files or network access: which classes, boxes, and what to hide.

A data set says of a whole picture which classes are marked in it; a person has spoken about one place. So every other
find of the same class, which nobody has judged, is covered with the grey that means "nothing" to the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detect.evidence import HEADS
from detect.memory import overlap
from detect.training.classes import COCO_KEPT
from models.geometry import Box
from models.people import Role
from models.pictures import Detections, Image
from models.taxonomy import Recipe, RuleKind, Subcategory
from models.teaching import JudgedSighting, StreetVerdict

ORDINARY = frozenset({*COCO_KEPT, *HEADS, "garbage_bin", "signboard", "window_ad", "blade_sign"})
"""Things that are no problem by themselves: a rejected parking says nothing about whether there was a car. Heads
besides are pixelated in every kept picture, and a network must not learn helmets from mosaics."""

TEACHING_RULES = frozenset({RuleKind.DWELL, RuleKind.CROSSING, RuleKind.COUNT, RuleKind.AREA})
"""Rules whose find is the thing. `together` and `appears` judge a situation, `absent` the lack of a thing."""

UNSURE_SCORE = 0.15
"""From here on a find that nobody judged is covered: half of the lowest threshold that is shipped."""

SURE_SCORE = 0.3
"""From here on a find inside a confirmed heap or cluster gets a box of its own."""

SAME_PLACE = 0.5
"""Share of the smaller box, as for suppressions."""

MOST_COVERED = 0.4
"""Of the picture: what is left then is no street any more."""

GREY = (114, 114, 114)  # the letterbox grey of the runtime


@dataclass(frozen=True, slots=True)
class Lesson:
    """classes: those the whole picture speaks about; boxes: what is marked; covered: what is hidden."""

    classes: tuple[str, ...]
    boxes: tuple[tuple[str, Box], ...]
    covered: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class NoLesson:
    """Why a judged picture teaches nothing, in words that are counted and shown."""

    reason: str


def teachable(subcategory: Subcategory, known: frozenset[str]) -> tuple[str, ...]:
    """The classes whose presence alone is this problem and that the weights know; empty where there are none."""
    recipe = subcategory.recipe
    if recipe is None or recipe.rule not in TEACHING_RULES:
        return ()
    return tuple(name for name in recipe.classes if name in known and name not in ORDINARY)


def lesson(sighting: JudgedSighting, subcategory: Subcategory, finds: Detections) -> Lesson | NoLesson:
    """finds: everything the weights see from UNSURE_SCORE on, on the picture without its frame."""
    classes = teachable(subcategory, frozenset(finds.names))
    if not classes or subcategory.recipe is None:
        return NoLesson("the verdict is about a situation, not about a class the weights know")
    there = [find for find in finds.of(*subcategory.recipe.classes) if overlap(find.box, sighting.box) >= SAME_PLACE]
    best = max(there, key=lambda find: find.score, default=None)
    if best is not None and best.name in ORDINARY:
        return NoLesson("what stands there is an ordinary thing, and the verdict was about its standing there")
    if best is None and set(subcategory.recipe.classes) & ORDINARY:
        return NoLesson("the kind has ordinary things among its classes, and none can be told at the place")
    if sighting.verdict is StreetVerdict.CONFIRMED:
        named = best.name if best else classes[0] if len(classes) == 1 else None
        if named is None:
            return NoLesson("several classes are possible, and none can be told at the place")
        marked = _marked(subcategory.recipe, sighting, named, finds)
        return _covering(sighting.box, (named,), marked, finds) if marked else NoLesson("no single thing can be boxed")
    return _covering(sighting.box, (best.name,) if best else classes, (), finds)


def _marked(recipe: Recipe, sighting: JudgedSighting, name: str, finds: Detections) -> tuple[tuple[str, Box], ...]:
    """The box as it was drawn; where a rule drew it around many things, each of them."""
    if recipe.rule not in (RuleKind.COUNT, RuleKind.AREA) or sighting.found_by is not Role.CAMERA:
        return ((name, sighting.box),)
    inside = [find.box for find in finds.of(name).above(SURE_SCORE) if overlap(find.box, sighting.box) >= SAME_PLACE]
    return tuple((name, one) for one in inside)


def _covering(
    box: Box, classes: tuple[str, ...], marked: tuple[tuple[str, Box], ...], finds: Detections
) -> Lesson | NoLesson:
    covered = tuple(find.box for find in finds.of(*classes) if overlap(find.box, box) < SAME_PLACE)
    if sum(one.area for one in covered) > MOST_COVERED:
        return NoLesson("too much of the picture shows finds that nobody has judged")
    return Lesson(classes, marked, covered)


def covered(image: Image, taught: Lesson, judged: Box) -> Image:
    """A copy with what nobody judged hidden; the judged place keeps its pixels where the two overlap."""
    copy = image.copy()
    for box in taught.covered:
        left, top, right, bottom = _pixels(image, box)
        copy[top:bottom, left:right] = GREY
    for box in (judged, *(one for _, one in taught.boxes)):
        left, top, right, bottom = _pixels(image, box)
        copy[top:bottom, left:right] = image[top:bottom, left:right]
    return copy


def look_of(image: Image, box: Box) -> int:
    """64 bits of how the place looks (difference hash of Krawetz): light changes few of them, another thing many."""
    left, top, right, bottom = _pixels(image, box)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _pixels(image: Image, box: Box) -> tuple[int, int, int, int]:
    """left, top, right, bottom, at least one pixel each way."""
    height, width = image.shape[:2]
    left, top = min(int(box.x1 * width), width - 1), min(int(box.y1 * height), height - 1)
    return left, top, max(int(np.ceil(box.x2 * width)), left + 1), max(int(np.ceil(box.y2 * height)), top + 1)
