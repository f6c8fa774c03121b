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
from detect.memory import KEEP_SCORE
from detect.observer import Observer
from detect.thresholds import threshold_of
from detect.weights import shipped_weights
from models.geometry import Polygon
from models.ids import CameraId, NodeId, SubcategoryCode
from models.observations import Observation
from models.pictures import Detections, Image, Look
from models.places import Camera, Zone, ZoneKind
from models.taxonomy import load_taxonomy
from tests.detect.scenes import START, codes, everywhere

DATA = Path(__file__).parents[3] / "shared" / "data"
WALKWAY = DATA / "clips" / "walkway-pets09-vtest.mp4"
EVERY_S = 5.0

pytestmark = pytest.mark.skipif(not WALKWAY.exists(), reason="shared/data with real footage is not here")


@pytest.fixture(scope="module")
def detector() -> Iterator[OpenVinoDetector]:
    loaded = OpenVinoDetector(shipped_weights(), least_score=KEEP_SCORE)
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
    observer = Observer(
        node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=detector.names, threshold=threshold_of(detector)
    )
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


def test_a_lorry_on_the_motorway_is_told_and_cars_that_pass_one_spot_are_not_parked_there(
    detector: OpenVinoDetector,
) -> None:
    motorway = clip("motorway-bgslibrary-video02.mp4", every_s=1)
    restricted = everywhere(ZoneKind.RESTRICTED_STREET)
    assert "F7" in codes(told(detector, motorway, restricted, looks=30, F7={"min_score": 0.4}))
    far_lane = [
        zone(kind, (0.5, 0), (0.8, 0), (0.8, 0.2), (0.5, 0.2)) for kind in (ZoneKind.FOOTWAY, ZoneKind.TACTILE_PATH)
    ]
    found = told(
        detector, clip("road-trees-bgslibrary-video03.mp4"), *far_lane, looks=12, F4={"dwell_s": 20}, F5={"dwell_s": 20}
    )
    assert codes(found) == []


def test_a_pedestrian_street_shows_a_crowd_and_its_bin_is_no_goods_before_a_shop(detector: OpenVinoDetector) -> None:
    found = told(
        detector, clip("people-yas-sim.mp4", every_s=0.5),
        everywhere(ZoneKind.GATHERING), everywhere(ZoneKind.FOOTWAY),
        zone(ZoneKind.SHOP_FRONT, (0.5, 0.5), (0.8, 0.5), (0.8, 0.8), (0.5, 0.8)),
        looks=30, A3={"dwell_s": 60}, A5={"enabled": 0}, J1={"count": 8, "dwell_s": 30},
    )  # fmt: skip
    assert set(codes(found)) == {"J1"}


@pytest.mark.parametrize(
    ("picture", "kind", "code", "override"),
    [
        ("garbage/000391.jpg", ZoneKind.FOOTWAY, "B1", {"dwell_s": 60}),
        ("garbage/000811.jpg", ZoneKind.FOOTWAY, "B2", {"dwell_s": 45}),
        ("garbage/000391.jpg", ZoneKind.FOOTWAY, "B3", {"dwell_s": 60, "max_area": 0.3}),
        ("garbage/000069.jpg", ZoneKind.GREEN, "C4", {"dwell_s": 60}),
        ("garbage/000069.jpg", ZoneKind.GULLY, "H4", {"dwell_s": 60}),
        ("pothole/1061102_DF_251_251BDF0525_00657.jpg", ZoneKind.CARRIAGEWAY, "G1", {"dwell_s": 60, "looks": 5}),
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


FLAME = [cv2.imread(str(DATA / "images" / f"fire/fire1_mp4-{number}.jpg")) for number in range(23, 31)]
"""A house burning, as a camera saw it look after look; the weights find the flame in all of them."""


def test_a_flame_that_leaps_is_told_within_seconds_and_once(detector: OpenVinoDetector) -> None:
    found = told(detector, FLAME, looks=8)
    assert codes(found).count("I1") == 1
    (flame,) = [item for item in found if item.subcategory == "I1"]
    assert flame.captured_at - START <= timedelta(seconds=3 * EVERY_S)
    assert not flame.assist


def test_what_looks_like_a_flame_and_never_moves_is_a_lamp(detector: OpenVinoDetector) -> None:
    """The same burning house as a poster: found as fire in every look, in noise and changing exposure."""
    poster = still("fire/fire1_mp4-25.jpg", looks=12)
    assert all(len(seen.of("fire").above(0.5)) for seen in detector.detect(poster))
    assert "I1" not in codes(told(detector, poster, looks=60))


def lamp(image: Image, number: int) -> Image:
    """A glowing lamp before a real street: white core, orange halo, a little noise, auto-exposure."""
    picture, (height, width) = image.astype(np.float32), image.shape[:2]
    glow = np.zeros((height, width), np.float32)
    cv2.ellipse(glow, (width // 2, height // 3), (width // 30, height // 15), 0, 0, 360, 1.0, -1)
    halo = cv2.GaussianBlur(glow, (0, 0), width / 40)
    picture += halo[:, :, None] * np.array([40, 140, 255], np.float32) + glow[:, :, None] * 200
    noise = np.random.default_rng(number).normal(0, 3, picture.shape)
    return np.clip(picture * (1 + 0.15 * np.sin(number)) + noise, 0, 255).astype(np.uint8)


def test_a_lamp_the_detector_takes_for_a_flame_is_told_by_nobody_and_a_flame_in_its_place_is() -> None:
    """Whatever the weights of the day make of lamps: here they are sure of it in every look."""
    street = clip("road-bgslibrary-video.mp4", every_s=3)[0]
    watching = Observer(node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=("fire",))
    watching.set_cameras([Camera(CameraId("c1"), "c1", "x", (0, 0), NodeId("n1"))])
    place = Detections(
        np.array([[0.45, 0.23, 0.55, 0.43]], np.float32), np.array([0.8], np.float32), np.zeros(1, np.int32), ("fire",)
    )

    def shown(images: Sequence[Image], first: int) -> list[Observation]:
        looks = [
            Look(CameraId("c1"), image, START + timedelta(seconds=3 * number), number)
            for number, image in enumerate(images, first)
        ]
        return [item for look in looks for item in watching.see(look, place)]

    assert shown([lamp(street, number) for number in range(200)], 0) == []
    height, width = street.shape[:2]
    burning = []
    for flame in FLAME * 2:
        image = street.copy()
        crop = cv2.resize(flame[60:260, 100:300], (width // 8, height // 4))
        image[height // 5 : height // 5 + height // 4, width // 2 - width // 16 :][:, : width // 8] = crop
        burning.append(image)
    assert codes(shown(burning, 200)) == ["I1"]
