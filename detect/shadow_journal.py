"""What a shadow network was seen to do beside the one in use: counts by hour and class, and some pictures.

Kept in one folder: `counts.json`, and pictures of disagreements for a person to look at. Heads in them are pixelated.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from detect.evidence import encoded, masked
from detect.promotion import write_json
from models.errors import DataFolderError
from models.geometry import Box, iou_matrix
from models.pictures import Detection, Detections, Image

log = logging.getLogger(__name__)

SAME_OVERLAP = 0.5
"""IoU from which both mean the same thing, as in AP50."""

MOST_HOURS = 24 * 14
"""Two weeks: two of each weekday. Older hours are dropped."""

MOST_PICTURES = 300
"""At 100 KB each 30 MB; nobody looks through more."""

MOST_AN_HOUR = 3
"""Pictures of one class and side: a thing that stands there all day is not shown all day."""

PICTURE_SIDE, PICTURE_QUALITY = 960, 80

IN_USE_COLOUR, SHADOW_COLOUR = (235, 160, 36), (36, 36, 235)  # BGR: blue is what is in use, red what the shadow says


@dataclass(frozen=True, slots=True)
class Difference:
    """How the finds of one picture compare. The lists hold what only one of both sees."""

    agreed: Counter[str]
    only_in_use: tuple[Detection, ...]
    only_shadow: tuple[Detection, ...]


def compared(in_use: Detections, shadow: Detections) -> Difference:
    """Matched class by class, best score first, each find once."""
    agreed: Counter[str] = Counter()
    first, second = list(in_use), list(shadow)
    lonely: list[Detection] = []
    for find in sorted(first, key=lambda one: -one.score):
        partner = _partner(find, second)
        if partner is None:
            lonely.append(find)
        else:
            second.remove(partner)
            agreed[find.name] += 1
    return Difference(agreed, tuple(lonely), tuple(second))


def _partner(find: Detection, others: list[Detection]) -> Detection | None:
    same = [other for other in others if other.name == find.name]
    if not same:
        return None
    boxes = np.array([other.box.xyxy for other in same], np.float32)
    overlaps = iou_matrix(np.array([find.box.xyxy], np.float32), boxes)[0]
    best = int(overlaps.argmax())
    return same[best] if overlaps[best] >= SAME_OVERLAP else None


class ShadowJournal:
    """For one shadow network; used by its thread only. `save` makes what was counted last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hours: dict[str, dict[str, Counter[str]]] = _read(folder / "counts.json")
        self._shown: Counter[tuple[str, str, str]] = Counter()
        self._number = len(list((folder / "pictures").glob("*.jpg")))

    def note(self, image: Image, in_use: Detections, shadow: Detections, *, at: datetime) -> Difference:
        """Counts one picture that both have seen; keeps it when they disagree and there is room."""
        found = compared(in_use, shadow)
        hour = f"{at:%Y-%m-%dT%H:00Z}"
        counts = self._hours.setdefault(hour, {})
        counts.setdefault("", Counter())["looks"] += 1
        for name, times in found.agreed.items():
            counts.setdefault(name, Counter())["agreed"] += times
        for side, finds in (("only_in_use", found.only_in_use), ("only_shadow", found.only_shadow)):
            for find in finds:
                counts.setdefault(find.name, Counter())[side] += 1
        self._show(image, in_use, shadow, found, hour=hour, at=at)
        return found

    def save(self) -> None:
        """Raises DataFolderError when it cannot be written; nothing is lost then but the space for it."""
        for hour in sorted(self._hours)[:-MOST_HOURS]:
            del self._hours[hour]
        write_json(self.folder / "counts.json", {"hours": self._hours})

    def _show(
        self, image: Image, in_use: Detections, shadow: Detections, found: Difference, *, hour: str, at: datetime
    ) -> None:
        sides = [("in-use", one.name) for one in found.only_in_use] + [
            ("shadow", one.name) for one in found.only_shadow
        ]
        fresh = [side for side in dict.fromkeys(sides) if self._shown[hour, *side] < MOST_AN_HOUR]
        if not fresh:
            return
        self._shown.update((hour, *side) for side in fresh)
        self._shown = Counter({key: value for key, value in self._shown.items() if key[0] == hour})
        picture = masked(image, in_use, longest_side=PICTURE_SIDE)
        picture = masked(picture, shadow, longest_side=PICTURE_SIDE)
        for colour, finds in ((IN_USE_COLOUR, found.only_in_use), (SHADOW_COLOUR, found.only_shadow)):
            for find in finds:
                _draw(picture, find.box, f"{find.name} {find.score:.2f}", colour)
        self._keep(encoded(picture, quality=PICTURE_QUALITY), f"{at:%Y%m%dT%H%M%SZ}", fresh[0])

    def _keep(self, jpeg: bytes, when: str, side: tuple[str, str]) -> None:
        folder = self.folder / "pictures"
        self._number += 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^\w-]", "_", side[1])  # of a manifest from outside
            (folder / f"{when}-only-{side[0]}-{name}-{self._number:05d}.jpg").write_bytes(jpeg)
            for old in sorted(folder.glob("*.jpg"))[:-MOST_PICTURES]:
                old.unlink(missing_ok=True)
        except OSError as trouble:
            raise DataFolderError(f"{folder} cannot be written ({trouble.strerror}); free space.") from None


def totals(folder: Path) -> dict[str, Counter[str]]:
    """All hours together: class -> agreed, only_in_use, only_shadow; under "" how many looks."""
    summed: dict[str, Counter[str]] = {}
    for classes in _read(folder / "counts.json").values():
        for name, counts in classes.items():
            summed.setdefault(name, Counter()).update(counts)
    return summed


def by_hour(folder: Path) -> dict[str, dict[str, Counter[str]]]:
    return _read(folder / "counts.json")


def _read(path: Path) -> dict[str, dict[str, Counter[str]]]:
    try:
        hours = json.loads(path.read_text(encoding="utf-8"))["hours"]
        return {
            hour: {name: Counter(counts) for name, counts in classes.items()} for hour, classes in sorted(hours.items())
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as trouble:
        log.warning("%s is damaged (%s): the comparison begins anew", path, trouble)
        return {}


def _draw(image: Image, box: Box, text: str, colour: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    left, top = round(box.x1 * width), round(box.y1 * height)
    cv2.rectangle(image, (left, top), (round(box.x2 * width), round(box.y2 * height)), colour, 2)
    cv2.putText(image, text, (left, max(top - 5, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
