"""Judged pictures of a district's own cameras become a data set for training: one front door, `export`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detect.detector import Detector
from detect.evidence import encoded, masked
from detect.street_folder import Example, check_place, staging
from detect.street_lessons import NoLesson, covered, lesson, look_of
from detect.unframing import without_frame
from models.errors import DatasetError
from models.ids import CameraId, PictureHash
from models.pictures import Image
from models.taxonomy import Taxonomy
from models.teaching import JudgedSighting, StreetVerdict

MOST_PICTURES = 5_000
"""About what the six sets together have; the newest are taken."""

MOST_PER_PLACE = 5
"""Of one verdict about one class at one place: more of the same is learnt by heart."""

ALIKE_BITS = 10
"""Of the 64 of `look_of`: two looks at one thing differ in fewer, two things in about 32."""

QUALITY = 92
"""The kept picture was JPEG before: from here on a second time adds nothing that can be seen."""

Step = Callable[[int, int], None]
"""Called with sightings done and sightings in all."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how many sightings were left out for which reason."""

    folder: Path
    pictures: int
    confirmed: int
    nothing_here: int
    cameras: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class School:
    """What turning sightings into examples needs.

    pictures: kept evidence by hash; detector: passes on finds from `street_lessons.UNSURE_SCORE` on.
    """

    pictures: Callable[[PictureHash], bytes | None]
    detector: Detector
    taxonomy: Taxonomy
    opted_out: Collection[CameraId] = ()


def export(sightings: Sequence[JudgedSighting], out: Path, *, school: School, step: Step | None = None) -> Exported:
    """Writes the set into `out`, which is new, empty, or an earlier export, whole or not at all.

    sightings: newest first. Raises DatasetError for a folder that holds something else or cannot be written, and when
    nothing is left to write.
    """
    check_place(out)
    left_out: Counter[str] = Counter()
    with staging(out) as stage:
        examples: list[Example] = []
        for done, sighting in enumerate(sightings, 1):
            made = _example(sighting, school, stage.folder / "waiting") if len(examples) < MOST_PICTURES else _FULL
            if isinstance(made, NoLesson):
                left_out[made.reason] += 1
            else:
                examples.append(made)
            if step:
                step(done, len(sightings))
        kept = _consistent(examples, left_out)
        if not kept:
            raise DatasetError(f"None of {len(sightings)} judged pictures can teach anything{_told(left_out)}.")
        stage.write(kept, known=school.detector.names)
    verdicts = Counter(one.sighting.verdict for one in kept)
    return Exported(
        folder=out,
        pictures=len(kept),
        confirmed=verdicts[StreetVerdict.CONFIRMED],
        nothing_here=verdicts[StreetVerdict.NOTHING_HERE],
        cameras=len({one.sighting.camera_id for one in kept}),
        left_out=dict(left_out),
    )


_FULL = NoLesson(f"there are {MOST_PICTURES} newer ones already")


def _example(sighting: JudgedSighting, school: School, folder: Path) -> Example | NoLesson:
    """Its picture waits in `folder`: five thousand in memory would be a gigabyte."""
    subcategory = school.taxonomy.subcategories.get(sighting.subcategory)
    if sighting.camera_id in school.opted_out:
        return NoLesson("the camera has opted out")
    if subcategory is None:
        return NoLesson("the taxonomy does not have the kind any more")
    image = _decoded(school.pictures(sighting.picture))
    if image is None:
        return NoLesson("the picture is not kept any more, or damaged")
    image = without_frame(image, sighting.box)
    (finds,) = school.detector.detect([image])
    taught = lesson(sighting, subcategory, finds)
    if isinstance(taught, NoLesson):
        return taught
    shown = masked(covered(image, taught, sighting.box), finds, longest_side=max(image.shape[:2]))
    picture = folder / f"{sighting.number:06d}-{sighting.picture[:16]}.jpg"
    picture.write_bytes(encoded(shown, quality=QUALITY))
    return Example(sighting, taught, picture, look_of(image, sighting.box))


def _decoded(jpeg: bytes | None) -> Image | None:
    if not jpeg:
        return None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)


def _consistent(examples: list[Example], left_out: Counter[str]) -> list[Example]:
    """Without those that contradict each other, and of each place only some; the newest come first."""
    by_camera: defaultdict[object, list[Example]] = defaultdict(list)
    for one in examples:
        by_camera[one.sighting.camera_id, one.taught.classes].append(one)
    kept: list[Example] = []
    for group in by_camera.values():
        taken: list[Example] = []
        for one in group:
            reason = _objection(one, group, taken)
            if reason:
                left_out[reason] += 1
            else:
                taken.append(one)
        kept += taken
    return kept


def _objection(one: Example, group: list[Example], taken: list[Example]) -> str:
    """Why this example is not taken beside those that are; "" when nothing speaks against it."""
    verdict = one.sighting.verdict
    here = [other for other in taken if _same_place(one, other)]
    if any(other.sighting.verdict is not verdict and _alike(one, other) for other in group):
        return "people have said the opposite about the same thing"
    if any(_alike(one, other) for other in here):
        return "the same thing is in the set already"
    if sum(other.sighting.verdict is verdict for other in here) >= MOST_PER_PLACE:
        return "the place is in the set often enough"
    return ""


def _same_place(one: Example, other: Example) -> bool:
    return one.sighting.box.iou(other.sighting.box) >= 0.5


def _alike(one: Example, other: Example) -> bool:
    return _same_place(one, other) and (one.look ^ other.look).bit_count() <= ALIKE_BITS


def _told(left_out: Mapping[str, int]) -> str:
    return "".join(f"; {count} left out: {reason}" for reason, count in left_out.items())
