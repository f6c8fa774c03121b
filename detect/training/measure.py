"""What the card says beyond AP: what was kept of COCO, false alarms on quiet clips, fire on a clip, milliseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detect.backends.openvino import OpenVinoDetector
from detect.training.classes import COCO_KEPT
from detect.training.pictures import HELD_OUT_CLIPS, clip_frames
from detect.weights import Manifest
from models.geometry import iou_matrix
from models.pictures import Detections, Image

FRAMES_PER_CLIP = 40
START_SCORE, SHIPPED_SCORE = 0.4, 0.3  # a start find counts from the first; it is kept if found from the second
SAME_OVERLAP = 0.5
ALARMS = ("garbage", "garbage_overflow", "fire", "smoke", "pothole", "graffiti")
FIRE_CLIP = "fire-furg-house6.mp4"
TIMED_LOOKS = 40


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `finds` things the start network saw on the clips, `kept` are seen by the shipped one; `new` are not."""

    finds: int
    kept: float
    new: float


def clips_in(data: Path) -> list[Path]:
    return sorted((data / "clips").glob("*.mp4"))


def agreement(start: OpenVinoDetector, shipped: OpenVinoDetector, clips: list[Path]) -> Agreement:
    """Both at their own size; the start network's classes only."""
    finds = kept = seen = confirmed = 0
    for image in _frames(clips):
        theirs, ours = start.detect([image])[0], shipped.detect([image])[0]
        ours = ours.of(*COCO_KEPT)
        theirs = theirs.of(*COCO_KEPT)
        sure = theirs.above(START_SCORE)
        finds, kept = finds + len(sure), kept + _matched(sure, ours.above(SHIPPED_SCORE))
        firm = ours.above(START_SCORE)
        seen, confirmed = seen + len(firm), confirmed + _matched(firm, theirs.above(SHIPPED_SCORE))
    return Agreement(finds, kept / max(finds, 1), 1 - confirmed / max(seen, 1))


def _frames(clips: list[Path]) -> list[Image]:
    return [frame for clip in clips for frame in clip_frames(clip, count=FRAMES_PER_CLIP)]


def _matched(wanted: Detections, given: Detections) -> int:
    """How many of `wanted` have one of the same class in `given` at the same place."""
    if not len(wanted) or not len(given):
        return 0
    same = wanted.class_ids[:, None] == given.class_ids[None, :]
    return int(((iou_matrix(wanted.boxes, given.boxes) >= SAME_OVERLAP) & same).any(1).sum())


def false_alarms(shipped: OpenVinoDetector, clips: list[Path]) -> dict[str, dict[str, float]]:
    """Per clip that was held out and shows nothing wrong: finds per 100 looks of each class that would alarm."""
    quiet = [clip for clip in clips if clip.name in HELD_OUT_CLIPS and clip.name != FIRE_CLIP]
    return {clip.name: _per_hundred(shipped, list(clip_frames(clip, count=FRAMES_PER_CLIP))) for clip in quiet}


def _per_hundred(shipped: OpenVinoDetector, frames: list[Image]) -> dict[str, float]:
    found = shipped.detect(frames)
    counts = {name: sum(len(one.of(name)) for one in found) for name in ALARMS}
    return {name: round(100 * count / max(len(frames), 1), 1) for name, count in counts.items() if count}


def fire_share(shipped: OpenVinoDetector, clips: list[Path]) -> dict[str, float]:
    """Share of looks at the burning clip in which fire, and fire or smoke, is seen. It was never trained on."""
    burning = [clip for clip in clips if clip.name == FIRE_CLIP]
    if not burning:
        return {}
    found = shipped.detect(list(clip_frames(burning[0], count=FRAMES_PER_CLIP)))
    return {
        "fire": float(np.mean([len(one.of("fire")) > 0 for one in found])),
        "fire_or_smoke": float(np.mean([len(one.of("fire", "smoke")) > 0 for one in found])),
    }


def milliseconds(manifest: Manifest, *, shape: tuple[int, int]) -> float:
    """CPU milliseconds of one look on one core, letterbox to boxes: the best of many, since others use the machine."""
    detector = OpenVinoDetector(manifest.folder, streams=1)
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    detector.detect([image])
    times = []
    for _ in range(TIMED_LOOKS):
        before = time.process_time()
        detector.detect([image])
        times.append(time.process_time() - before)
    detector.close()
    return round(1000 * min(times), 1)
