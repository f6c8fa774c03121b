"""The shipped weights, the recipes and real pictures together: what a district would be told.

Clips are minutes of street life in seconds, so limits are shortened per camera; everything else is as shipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from detect.backends.openvino import OpenVinoDetector
from detect.observer import Observer
from detect.weights import shipped_weights
from models.geometry import Polygon
from models.ids import CameraId, NodeId, SubcategoryCode
from models.observations import Observation
from models.pictures import Image, Look
from models.places import Camera, Zone, ZoneKind
from models.taxonomy import load_taxonomy
from tests.detect.scenes import START, codes, everywhere

DATA = Path(__file__).parents[3] / "shared" / "data"
WALKWAY = DATA / "clips" / "walkway-pets09-vtest.mp4"
EVERY_S = 5.0

pytestmark = pytest.mark.skipif(not WALKWAY.exists(), reason="shared/data with real footage is not here")


@pytest.fixture(scope="module")
def detector() -> Iterator[OpenVinoDetector]:
    loaded = OpenVinoDetector(shipped_weights())
    yield loaded
    loaded.close()


def clip(name: str, *, every_s: float = EVERY_S) -> list[Image]:
    with av.open(str(DATA / "clips" / name)) as film:
        rate = float(film.streams.video[0].average_rate or 25)
        step = max(round(every_s * rate), 1)
        return [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for number, frame in enumerate(film.decode(video=0))
            if number % step == 0
        ]


def still(name: str, *, looks: int = 3) -> list[Image]:
    """A picture as a fixed camera would give it: a little noise, a little change of light."""
    image = cv2.imread(str(DATA / "images" / name)).astype(np.float32)
    random = np.random.default_rng(7)
    return [
        np.clip(image * (1 + 0.05 * number) + random.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        for number in range(looks)
    ]


def zone(kind: ZoneKind, *corners: tuple[float, float]) -> Zone:
    return Zone(kind.value, kind, Polygon(corners))


def told(
    detector: OpenVinoDetector, images: Sequence[Image], *zones: Zone, looks: int, **overrides: dict[str, float]
) -> list[Observation]:
    """All that is told of the pictures shown again and again, one every five seconds."""
    observer = Observer(node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=detector.names)
    values = {SubcategoryCode(code): value for code, value in overrides.items()}
    camera = Camera(CameraId("c1"), "c1", "x", (0, 0), NodeId("n1"), zones=zones, overrides=values)
    assert observer.set_cameras([camera]) == {}
    seen = detector.detect(list(images))
    found: list[Observation] = []
    for number in range(looks):
        look = Look(camera.camera_id, images[number % len(images)], START + timedelta(seconds=EVERY_S * number), number)
        found += observer.see(look, seen[number % len(images)])
    return found


def test_the_walkway_shows_parking_a_crowd_and_intruders(detector: OpenVinoDetector) -> None:
    found = told(
        detector, clip(WALKWAY.name),
        zone(ZoneKind.NO_PARKING, (0.82, 0.04), (1, 0.04), (1, 0.2), (0.82, 0.2)),
        zone(ZoneKind.GATHERING, (0, 0.25), (1, 0.2), (1, 0.7), (0.6, 0.7), (0, 0.42)),
        zone(ZoneKind.FORBIDDEN, (0, 0.45), (0.5, 0.62), (0.95, 0.85), (1, 1), (0, 1)),
        looks=60, F1={"dwell_s": 40}, J1={"count": 4, "dwell_s": 10, "looks": 2}, J4={"enabled": 0},
    )  # fmt: skip
    assert sorted(set(codes(found))) == ["F1", "J1", "J3"]
    assert codes(found).count("F1") == 2, "a white van and a blue car, each once in five minutes"
    assert len(found) <= 6


def test_a_quiet_street_tells_nothing(detector: OpenVinoDetector) -> None:
    quiet = clip("road-bgslibrary-video.mp4", every_s=1)
    assert told(detector, quiet, everywhere(ZoneKind.FOOTWAY), everywhere(ZoneKind.NO_PARKING), looks=60) == []


def test_a_lorry_on_the_motorway_and_a_car_on_the_verge(detector: OpenVinoDetector) -> None:
    motorway = clip("motorway-bgslibrary-video02.mp4")
    restricted = everywhere(ZoneKind.RESTRICTED_STREET)
    assert "F7" in codes(told(detector, motorway, restricted, looks=12, F7={"min_score": 0.4}))
    verge = [
        zone(kind, (0.5, 0), (0.8, 0), (0.8, 0.2), (0.5, 0.2)) for kind in (ZoneKind.FOOTWAY, ZoneKind.TACTILE_PATH)
    ]
    found = told(
        detector, clip("road-trees-bgslibrary-video03.mp4"), *verge, looks=12, F4={"dwell_s": 20}, F5={"dwell_s": 20}
    )
    assert set(codes(found)) == {"F4", "F5"}


def test_a_pedestrian_street_shows_goods_bicycles_and_a_crowd(detector: OpenVinoDetector) -> None:
    found = told(
        detector, clip("people-yas-sim.mp4", every_s=0.5),
        everywhere(ZoneKind.GATHERING), everywhere(ZoneKind.FOOTWAY),
        zone(ZoneKind.SHOP_FRONT, (0.5, 0.5), (0.8, 0.5), (0.8, 0.8), (0.5, 0.8)),
        looks=30, A3={"dwell_s": 60}, A5={"enabled": 0}, J1={"count": 8, "dwell_s": 30},
        F2={"count": 1, "dwell_s": 10, "looks": 2},
    )  # fmt: skip
    assert {"A3", "F2", "J1"} <= set(codes(found))


@pytest.mark.parametrize(
    ("picture", "kind", "code", "override"),
    [
        ("garbage/000391.jpg", ZoneKind.FOOTWAY, "B1", {"dwell_s": 60}),
        ("garbage/000811.jpg", ZoneKind.FOOTWAY, "B2", {"dwell_s": 45}),
        ("garbage/000391.jpg", ZoneKind.FOOTWAY, "B3", {"dwell_s": 60, "max_area": 0.3}),
        ("garbage/000069.jpg", ZoneKind.GREEN, "C4", {"dwell_s": 60}),
        ("garbage/000069.jpg", ZoneKind.GULLY, "H4", {"dwell_s": 60}),
        ("pothole/1061102_DF_251_251BDF0525_00657.jpg", ZoneKind.CARRIAGEWAY, "G1", {"dwell_s": 60, "looks": 5}),
        ("fire/test2_mp4-38.jpg", ZoneKind.GREEN, "I1", {}),
        ("hardhat/000653.jpg", ZoneKind.SITE, "E5", {}),
    ],
)
def test_a_problem_in_a_real_picture_is_told_once(
    detector: OpenVinoDetector, picture: str, kind: ZoneKind, code: str, override: dict[str, float]
) -> None:
    found = told(detector, still(picture), everywhere(kind), looks=40, **{code: override})
    assert code in codes(found)
    per_place = [(item.subcategory, item.box.centre) for item in found]
    assert len(set(per_place)) == len(per_place)
