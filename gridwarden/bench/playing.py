"""A scene through the product's own path: gate, shipped detector, observer with its rules. No short cuts.

The clock is simulated: `captured_at` moves from look to look, the machine does not wait. What the detector found in
a picture is kept by the picture's hash and the weights' hash, so that measuring again costs only what changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from detect.detector import Detector
from detect.node import FOLLOW_UP_S
from detect.novelty import surprising
from detect.observer import Observer
from detect.thresholds import threshold_of
from gridwarden.bench.staging import Scene, jpeg_at
from ingest.gate import Gate, Verdict
from models.geometry import Box
from models.ids import CameraId, NodeId
from models.observations import Observation
from models.pictures import Detections, Image, Look, LookReason
from models.places import Camera
from models.taxonomy import Taxonomy

Picture = Callable[[Scene, int, float], bytes]
"""The JPEG of a scene's look, by its number and its time in seconds."""

NODE, CAMERA = NodeId("bench"), CameraId("scene")


@dataclass(frozen=True, slots=True)
class Told:
    """One observation: when (seconds into the scene), what, where, and why in words."""

    t: float
    code: str
    box: Box
    why: str


@dataclass(slots=True)
class Remembering:
    """The detector, with what it found in pictures seen before. file: kept between runs, one line per picture."""

    detector: Detector
    file: Path
    inferred: int = 0
    remembered: int = 0
    _known: dict[str, list[list[float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.is_file():
            for line in self.file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._known[row["picture"]] = row["found"]

    def detect(self, jpeg: bytes, image: Image) -> Detections:
        name = hashlib.blake2b(jpeg, digest_size=12).hexdigest()
        rows = self._known.get(name)
        if rows is None:
            (seen,) = self.detector.detect([image])
            self.inferred += 1
            parts = zip(seen.class_ids.tolist(), seen.scores.tolist(), seen.boxes.tolist(), strict=True)
            rows = [[float(number), score, *box] for number, score, box in parts]
            self._known[name] = rows
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"picture": name, "found": rows}) + "\n")
            return seen
        self.remembered += 1
        table = np.array(rows, np.float32).reshape(-1, 6)
        return Detections(table[:, 2:].copy(), table[:, 1].copy(), table[:, 0].astype(np.int32), self.detector.names)


def play(
    scene: Scene, remembering: Remembering, taxonomy: Taxonomy, *, picture: Picture = jpeg_at
) -> list[Told]:  # fmt: skip
    """What a watch node tells about the scene: the gate sorts the looks, what it lets through is inferred and judged,
    candidates are looked at again soon."""
    gate, before = Gate(), None
    detector = remembering.detector
    observer = Observer(node_id=NODE, taxonomy=taxonomy, names=detector.names, threshold=threshold_of(detector))
    observer.set_cameras([Camera(CAMERA, scene.name, "", (0.0, 0.0), NODE, zones=scene.zones)])
    told: list[Told] = []
    t, number, reason = 0.0, 0, LookReason.ROUTINE
    while t < scene.length_s:
        jpeg = picture(scene, number, t)
        image = _decoded(jpeg)
        look = Look(CAMERA, image, scene.starts_at + timedelta(seconds=t), number, reason)
        verdict, observations, again = gate.judge(look), list[Observation](), False
        if verdict is Verdict.INFER:
            found = remembering.detect(jpeg, image)
            gate.inferred(look, surprising=surprising(before, found))
            before, observations = found, observer.see(look, found)
            again = observer.wants_another_look(CAMERA) and scene.interval_s > FOLLOW_UP_S
        elif verdict is Verdict.UNCHANGED:
            observations = observer.unchanged(look)
        told += [Told(t, item.subcategory, item.box, item.why.en) for item in observations]
        t += FOLLOW_UP_S if again else scene.interval_s
        reason = LookReason.FOLLOW_UP if again else LookReason.ROUTINE
        number += 1
    return told


@lru_cache(maxsize=256)
def _decoded(jpeg: bytes) -> Image:
    """Quiet days show the same pictures again and again."""
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)
