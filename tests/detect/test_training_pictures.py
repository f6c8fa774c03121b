"""Training samples: boxes follow their things, weather keeps the picture's form, bad pictures are left out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.training.augment import Sample, clipped, mirrored, mosaic, warped, weathered
from detect.training.classes import ALSO_ABSENT, COCO_KEPT, DRAWS
from detect.training.flames import Flame, flames_of, pasted
from detect.training.pictures import SampleSource
from models.errors import DatasetError

SIDE = 160
seeds = st.integers(0, 2**32 - 1)


def bright_square() -> Sample:
    """A white square on black, and its box."""
    image = np.zeros((120, 200, 3), np.uint8)
    image[40:80, 60:120] = 255
    return Sample(image, np.array([[60, 40, 120, 80]], np.float32), np.zeros(1, np.int32))


def data_folder(root: Path) -> Path:
    """Two sets: fire with one flame-coloured picture, hardhat with two grey ones."""
    for part in ("images/fire", "images/hardhat", "labels/fire", "labels/hardhat", "splits"):
        (root / part).mkdir(parents=True)
    (root / "classes.txt").write_text("garbage\nfire\nhelmet\n")
    (root / "sets.tsv").write_text("set\tids\tnames\nfire\t1\tfire\nhardhat\t2\thelmet\n")
    flame = np.zeros((100, 100, 3), np.uint8)
    flame[30:70, 30:70] = (20, 150, 250)
    cv2.imwrite(str(root / "images/fire/a.png"), flame)
    (root / "labels/fire/a.txt").write_text("1 0.5 0.5 0.4 0.4")
    for name in ("b", "c"):
        cv2.imwrite(str(root / f"images/hardhat/{name}.png"), np.full((100, 150, 3), 100, np.uint8))
        (root / f"labels/hardhat/{name}.txt").write_text("2 0.5 0.5 0.2 0.2")
    (root / "splits/train.txt").write_text("images/fire/a.png\nimages/hardhat/b.png\nimages/hardhat/c.png\n")
    return root


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_a_warped_box_still_holds_its_thing(seed: int) -> None:
    random = np.random.default_rng(seed)
    sample = warped(bright_square(), side=SIDE, scales=(0.6, 1.5), random=random)
    assert sample.image.shape == (SIDE, SIDE, 3)
    rows, columns = np.nonzero(sample.image.min(2) > 200)
    if not len(sample.boxes):
        return
    x1, y1, x2, y2 = sample.boxes[0]
    assert 0 <= x1 < x2 <= SIDE
    assert 0 <= y1 < y2 <= SIDE
    assert x1 - 2 <= columns.min()
    assert columns.max() <= x2 + 2
    assert y1 - 2 <= rows.min()
    assert rows.max() <= y2 + 2


def test_mirroring_twice_changes_nothing() -> None:
    sample = bright_square()
    twice = mirrored(mirrored(sample))
    np.testing.assert_array_equal(twice.image, sample.image)
    np.testing.assert_array_equal(twice.boxes, sample.boxes)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_weather_keeps_the_form_of_the_picture(seed: int) -> None:
    image = bright_square().image
    after = weathered(image, random=np.random.default_rng(seed))
    assert after.shape == image.shape
    assert after.dtype == np.uint8


def test_a_mosaic_shows_all_four() -> None:
    joined = mosaic([bright_square()] * 4, side=SIDE, random=np.random.default_rng(0))
    assert len(joined.boxes) == 4
    for x1, y1, x2, y2 in joined.boxes.astype(int):
        assert joined.image[(y1 + y2) // 2, (x1 + x2) // 2].min() > 200


def test_a_box_mostly_outside_is_dropped_and_one_partly_outside_cut() -> None:
    boxes = np.array([[-90, 0, 10, 50], [-10, 0, 50, 50], [5, 5, 7, 50]], np.float32)
    sample = clipped(Sample(np.zeros((100, 100, 3), np.uint8), boxes, np.array([0, 1, 2], np.int32)))
    assert sample.class_ids.tolist() == [1]
    assert sample.boxes.tolist() == [[0, 0, 50, 50]]


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_pasted_flame_has_its_box_inside_the_picture(seed: int) -> None:
    flame = Flame(np.full((40, 30, 3), (10, 160, 255), np.uint8), np.ones((40, 30), np.float32))
    sample = pasted(bright_square(), flame, fire=7, random=np.random.default_rng(seed))
    assert sample.class_ids.tolist() == [0, 7]
    x1, y1, x2, y2 = sample.boxes[1].astype(int)
    assert 0 <= x1 < x2 <= 200
    assert 0 <= y1 < y2 <= 120
    assert sample.image[(y1 + y2) // 2, (x1 + x2) // 2, 2] > 200


def test_the_same_number_gives_the_same_sample_so_that_a_run_can_resume(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    first, counted = SampleSource(folder, seed=4).sample(17, side=SIDE)
    again, _ = SampleSource(folder, seed=4).sample(17, side=SIDE)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert counted.shape == (3,)


def test_a_set_speaks_only_about_what_it_marks_or_surely_lacks(tmp_path: Path) -> None:
    counted = SampleSource(data_folder(tmp_path)).counted
    assert counted["hardhat"].tolist() == [0, 1, 1]  # no fire on building-site press photos; rubble, perhaps
    assert counted["fire"].tolist() == [0, 1, 0]


def test_a_flame_is_cut_from_a_fire_picture(tmp_path: Path) -> None:
    assert len(SampleSource(data_folder(tmp_path))._flames) == 1
    assert flames_of([], 1) == []


def test_a_picture_that_cannot_be_read_is_named_and_another_drawn(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    (folder / "images/hardhat/b.png").write_bytes(b"no")
    source = SampleSource(folder)
    for number in range(40):
        source.sample(number, side=SIDE)
    assert [line for line in source.problems if "b.png" in line]
    assert len(source.problems) == 1


def test_a_set_without_one_readable_picture_is_refused(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    for name in ("b", "c"):
        (folder / f"images/hardhat/{name}.png").write_bytes(b"no")
    source = SampleSource(folder)
    with pytest.raises(DatasetError, match="hardhat"):
        [source.sample(number, side=SIDE) for number in range(40)]


def test_the_tables_name_each_class_once_and_the_same_sets() -> None:
    assert len(set(COCO_KEPT)) == len(COCO_KEPT)
    assert set(ALSO_ABSENT) == set(DRAWS)
