"""Judged pictures become a data set: real pictures, the shipped network, evidence as the watch keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from detect.backends.opening import open_detector
from detect.detector import Detector
from detect.evaluation import evaluate
from detect.evidence import EVIDENCE_QUALITY, encoded, framed, keep
from detect.labels import read_dataset
from detect.pixels import read_picture
from detect.street_folder import COLUMNS, INDEX, prune, split_of
from detect.street_lessons import GREY, UNSURE_SCORE, Lesson, NoLesson, lesson, teachable
from detect.street_set import Exported, School, export
from detect.testing import RecordedDetector
from detect.unframing import without_frame
from ingest.picture_store import PictureStore
from models.errors import DatasetError
from models.geometry import Box
from models.ids import CameraId, PictureHash, SubcategoryCode
from models.observations import EvidenceRole
from models.people import Role
from models.pictures import Detections, Image
from models.taxonomy import load_taxonomy
from models.teaching import JudgedSighting, StreetVerdict

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TAXONOMY = load_taxonomy()
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NAMES = ("person", "car", "garbage", "fire", "smoke", "garbage_bin", "head_no_helmet")
HEAP = Box(0.3, 0.4, 0.5, 0.6)
ELSEWHERE = (0.7, 0.7, 0.9, 0.9)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


def judged(
    picture: str,
    *,
    verdict: StreetVerdict = StreetVerdict.NOTHING_HERE,
    code: str = "B3",
    box: Box = HEAP,
    number: int = 1,
    camera: str = "cam-1",
    found_by: Role = Role.CAMERA,
) -> JudgedSighting:
    return JudgedSighting(
        number=number, camera_id=CameraId(camera), subcategory=SubcategoryCode(code), picture=PictureHash(picture),
        taken_at=NOW, box=box, found_by=found_by, verdict=verdict, judged_by=Role.OPERATOR,
        judged_at=NOW + timedelta(minutes=5),
    )  # fmt: skip


def finds(*rows: tuple[str, float, tuple[float, float, float, float]]) -> Detections:
    return Detections(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([NAMES.index(row[0]) for row in rows], np.int32),
        NAMES,
    )


def noise(seed: int = 1) -> Image:
    """A picture whose places all look different."""
    coarse = np.random.default_rng(seed).integers(60, 200, (18, 32, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((20, 20, 1), np.uint8)).astype(np.uint8)


class Street:
    """Kept pictures, and what a recorded detector sees in all of them."""

    def __init__(self, folder: Path, seen: Detections) -> None:
        self.store = PictureStore(folder / "pictures")
        self.out = folder / "set"
        self.seen = seen

    def kept(self, image: Image, box: Box = HEAP) -> str:
        return keep(self.store, image, self.seen, box=box, role=EvidenceRole.FOUND, taken_at=NOW).picture

    def export(self, *sightings: JudgedSighting, opted_out: frozenset[CameraId] = frozenset()) -> Exported:
        detector = RecordedDetector(NAMES, [self.seen])
        school = School(self.store.get, detector, TAXONOMY, opted_out)
        return export(sightings, self.out, school=school)

    def rows(self) -> list[dict[str, str]]:
        lines = (self.out / INDEX).read_text().splitlines()[1:]
        return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path, finds(("garbage", 0.7, HEAP.xyxy)))


@pytest.fixture(scope="module")
def network() -> Iterator[Detector]:
    detector = open_detector(least_score=UNSURE_SCORE)
    yield detector
    detector.close()


def test_a_rejected_find_becomes_a_picture_that_says_there_is_none(street: Street) -> None:
    done = street.export(judged(street.kept(noise())))
    assert (done.pictures, done.nothing_here, done.confirmed) == (1, 1, 0)
    data = read_dataset(street.out, split=split_of(CameraId("cam-1")))
    (picture,) = data.pictures
    assert data.names == ("garbage",)
    assert (picture.marked, len(picture.boxes)) == ({0}, 0)


def test_a_confirmed_find_becomes_a_box(street: Street) -> None:
    street.export(judged(street.kept(noise()), verdict=StreetVerdict.CONFIRMED))
    (picture,) = read_dataset(street.out, split=split_of(CameraId("cam-1"))).pictures
    np.testing.assert_allclose(picture.boxes, [HEAP.xyxy], atol=1e-5)


def test_the_index_tells_the_incident_and_the_role_of_who_judged(street: Street) -> None:
    street.export(judged(street.kept(noise()), number=42))
    (row,) = street.rows()
    assert (row["incident"], row["camera"], row["verdict"]) == ("42", "cam-1", "nothing_here")
    assert (row["judged_by"], row["judged_at"]) == ("operator", "2026-11-23T02:05:00.000000Z")


def test_the_frame_is_gone_from_the_picture(street: Street) -> None:
    image = noise()
    name = street.kept(image)
    street.export(judged(name))
    exported = read_picture(street.out / street.rows()[0]["picture"])
    assert exported is not None
    row = round(HEAP.y1 * image.shape[0])
    edge = np.s_[row, 210:300]
    assert np.abs(exported[edge].astype(int) - image[edge]).mean() < 25
    assert np.abs(framed(image.copy(), HEAP)[edge].astype(int) - image[edge]).mean() > 60


def test_a_picture_without_a_frame_is_left_as_it_is() -> None:
    image = noise()
    assert without_frame(image, HEAP) is image


def test_finds_nobody_has_judged_are_covered(tmp_path: Path) -> None:
    street = Street(tmp_path, finds(("garbage", 0.7, HEAP.xyxy), ("garbage", 0.6, ELSEWHERE)))
    street.export(judged(street.kept(noise())))
    exported = read_picture(street.out / street.rows()[0]["picture"])
    assert exported is not None
    centre = exported[round(0.8 * exported.shape[0]), round(0.8 * exported.shape[1])]
    np.testing.assert_allclose(centre, GREY, atol=6)
    assert street.rows()[0]["covered"] == "1"


def test_people_are_masked_a_second_time(tmp_path: Path) -> None:
    """When the picture was kept nobody was seen; the weights of today see somebody."""
    street = Street(tmp_path, finds(("garbage", 0.7, HEAP.xyxy)))
    sharp = np.random.default_rng(3).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    name = street.kept(sharp)
    street.seen = finds(("garbage", 0.7, HEAP.xyxy), ("person", 0.5, (0.7, 0.1, 0.8, 0.9)))
    street.export(judged(name))
    exported = read_picture(street.out / street.rows()[0]["picture"])
    assert exported is not None
    head, body = exported[50:80, 460:500], exported[200:230, 460:500]
    assert head.std() < body.std() / 2


def test_a_rejected_parking_says_nothing_about_cars(street: Street) -> None:
    with pytest.raises(DatasetError, match="situation"):
        street.export(judged(street.kept(noise()), code="F1"))


def test_heads_are_never_taught_since_they_are_mosaics() -> None:
    assert teachable(TAXONOMY.subcategories[SubcategoryCode("E5")], frozenset(NAMES)) == ()


def test_garbage_in_a_fire_lane_is_judged_only_when_it_was_garbage_that_was_seen() -> None:
    lane = TAXONOMY.subcategories[SubcategoryCode("I3")]
    seen_garbage = lesson(judged("0" * 64, code="I3"), lane, finds(("garbage", 0.5, HEAP.xyxy)))
    seen_car = lesson(judged("0" * 64, code="I3"), lane, finds(("car", 0.5, HEAP.xyxy)))
    assert isinstance(seen_garbage, Lesson)
    assert seen_garbage.classes == ("garbage",)
    assert isinstance(seen_car, NoLesson)


def test_burning_waste_is_boxed_as_what_was_seen_and_left_out_when_that_cannot_be_told() -> None:
    burning = TAXONOMY.subcategories[SubcategoryCode("B7")]
    confirmed = judged("0" * 64, code="B7", verdict=StreetVerdict.CONFIRMED)
    told = lesson(confirmed, burning, finds(("smoke", 0.3, HEAP.xyxy)))
    assert isinstance(told, Lesson)
    assert told.boxes == (("smoke", HEAP),)
    assert isinstance(lesson(confirmed, burning, finds()), NoLesson)


def test_many_things_get_their_own_boxes_but_what_a_person_drew_stays() -> None:
    litter = TAXONOMY.subcategories[SubcategoryCode("B4")]
    seen = finds(("garbage", 0.6, (0.31, 0.41, 0.35, 0.45)), ("garbage", 0.5, (0.44, 0.52, 0.48, 0.58)))
    by_camera = lesson(judged("0" * 64, code="B4", verdict=StreetVerdict.CONFIRMED), litter, seen)
    drawn = judged("0" * 64, code="B4", verdict=StreetVerdict.CONFIRMED, found_by=Role.OPERATOR)
    by_person = lesson(drawn, litter, finds())
    assert isinstance(by_camera, Lesson)
    assert isinstance(by_person, Lesson)
    assert len(by_camera.boxes) == 2
    assert by_person.boxes == (("garbage", HEAP),)


def test_the_same_thing_is_exported_once_and_a_place_not_for_ever(street: Street) -> None:
    image = noise()
    darker = np.asarray(image * 0.9, np.uint8)
    others = [judged(street.kept(noise(seed)), number=seed) for seed in range(3, 12)]
    done = street.export(judged(street.kept(image)), judged(street.kept(darker), number=2), *others)
    assert done.pictures == 5
    assert done.left_out["the same thing is in the set already"] == 1
    assert done.left_out["the place is in the set often enough"] == 5


def test_opposite_words_about_the_same_thing_cancel_each_other(street: Street) -> None:
    name = street.kept(noise())
    with pytest.raises(DatasetError, match="the opposite"):
        street.export(judged(name), judged(name, number=2, verdict=StreetVerdict.CONFIRMED))


def test_a_camera_is_in_one_split_only(street: Street) -> None:
    names = [street.kept(noise(seed)) for seed in range(40)]
    street.export(*(judged(name, number=i, camera=f"cam-{i % 20}") for i, name in enumerate(names)))
    splits: dict[str, set[str]] = {}
    for row in street.rows():
        splits.setdefault(row["camera"], set()).add(row["split"])
    assert len(splits) == 20
    assert all(len(split) == 1 for split in splits.values())
    assert {next(iter(split)) for split in splits.values()} == {"train", "val"}


def test_a_camera_that_opted_out_is_in_no_new_set_and_pruned_from_an_old_one(street: Street) -> None:
    first, second = judged(street.kept(noise(1))), judged(street.kept(noise(2)), number=2, camera="cam-2")
    street.export(first, second)
    done = street.export(first, second, opted_out=frozenset({CameraId("cam-2")}))
    assert [row["camera"] for row in street.rows()] == ["cam-1"]
    assert done.left_out == {"the camera has opted out": 1}
    street.export(first, second)
    assert prune(street.out, {CameraId("cam-1")}) == 1
    assert [row["camera"] for row in street.rows()] == ["cam-2"]
    assert len(list(street.out.rglob("*.jpg"))) == 1
    assert len(read_dataset(street.out, split=split_of(CameraId("cam-2"))).pictures) == 1


def test_a_picture_that_is_gone_or_damaged_costs_only_itself(street: Street) -> None:
    damaged = street.store.put(b"no picture")
    done = street.export(judged("0" * 64), judged(damaged, number=2), judged(street.kept(noise()), number=3))
    assert done.pictures == 1
    assert done.left_out == {"the picture is not kept any more, or damaged": 2}


def test_a_folder_that_holds_something_else_is_not_touched(street: Street) -> None:
    street.out.mkdir()
    (street.out / "letter.txt").write_text("mine")
    with pytest.raises(DatasetError, match="no export"):
        street.export(judged(street.kept(noise())))
    assert (street.out / "letter.txt").read_text() == "mine"


def test_a_failed_export_leaves_the_old_one_whole(street: Street) -> None:
    street.export(judged(street.kept(noise())))
    with pytest.raises(DatasetError):
        street.export(judged("0" * 64))
    assert len(street.rows()) == 1
    assert [path.name for path in street.out.parent.iterdir() if path.name.startswith(".set")] == []


@needs_data
def test_real_garbage_goes_the_whole_way_and_is_found_again_in_the_data_set(tmp_path: Path, network: Detector) -> None:
    street = Street(tmp_path, Detections.empty(network.names))
    sightings = []
    pictures = [one for one in read_dataset(DATA, split="val").pictures if one.set_name == "garbage"]
    single = [one for one in pictures if len(one.boxes) and (one.class_ids == 0).sum() == 1][:8]
    for number, one in enumerate(single, 1):
        image = read_picture(one.path)
        assert image is not None
        (street.seen,) = network.detect([image])
        box = Box(*(float(value) for value in np.clip(one.boxes[one.class_ids == 0][0], 0, 1)))
        name = street.kept(image, box)
        sightings.append(judged(name, box=box, number=number, camera="cam-4", verdict=StreetVerdict.CONFIRMED))
    done = export(sightings, street.out, school=School(street.store.get, network, TAXONOMY))
    assert done.confirmed >= 6, done.left_out
    figures = evaluate(network, read_dataset(street.out, split=split_of(CameraId("cam-4"))), threshold=lambda _: 0.4)
    assert figures.classes["garbage"].ap50 is not None
    assert figures.classes["garbage"].ap50 > 0.6


@needs_data
def test_taking_the_frame_off_gives_the_network_back_what_it_saw(network: Detector) -> None:
    one = next(p for p in read_dataset(DATA, split="val").pictures if p.set_name == "garbage" and len(p.boxes) == 1)
    image = read_picture(one.path)
    assert image is not None
    box = Box(*(float(value) for value in one.boxes[0]))
    with_frame = np.frombuffer(encoded(framed(image.copy(), box), quality=EVIDENCE_QUALITY), np.uint8)
    import cv2

    stored = np.asarray(cv2.imdecode(with_frame, cv2.IMREAD_COLOR), np.uint8)
    clean = without_frame(stored, box)
    assert np.abs(clean.astype(int) - image).mean() < np.abs(stored.astype(int) - image).mean()
    before, after = (max((f.score for f in network.detect([picture])[0].of("garbage")), default=0.0)
                     for picture in (image, clean))  # fmt: skip
    assert abs(before - after) < 0.25
