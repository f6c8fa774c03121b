"""Letterbox, decoding and suppression; what the shipped network sees in real pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.backends.decoding import MOST_FINDS, decode, logits, places, suppressed
from detect.backends.letterbox import letterboxed, nearest_shape
from detect.backends.openvino import OpenVinoDetector
from detect.drawing import drawn
from detect.pixels import read_picture
from detect.weights import shipped_weights
from models.pictures import Detections

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHAPE = (256, 448)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_box_comes_back_from_the_letterbox_where_it_was(height: int, width: int) -> None:
    _, box = letterboxed(np.zeros((height, width, 3), np.uint8), SHAPE)
    whole = np.array([[box.left, box.top, box.left + box.width, box.top + box.height]], np.float32)
    np.testing.assert_allclose(box.to_fractions(whole), [[0, 0, 1, 1]], atol=1e-6)
    assert box.width <= SHAPE[1]
    assert box.height <= SHAPE[0]


def test_a_picture_goes_where_it_keeps_most_pixels() -> None:
    shapes = ((256, 448), (352, 352), (448, 256))
    sizes = {(1080, 1920): (256, 448), (500, 500): (352, 352), (640, 360): (448, 256), (1, 1): (352, 352)}
    for size, shape in sizes.items():
        assert nearest_shape(np.zeros((*size, 3), np.uint8), shapes) == shape


def test_a_peak_in_the_raw_maps_becomes_its_box() -> None:
    centres, strides = places((64, 64))
    bins = np.full((64, len(centres)), -20, np.float32)
    scores = np.full((2, len(centres)), -9, np.float32)
    spot = 8 * 3 + 4  # row 3, column 4 of the stride-8 cells
    for side, distance in enumerate((1, 2, 3, 4)):
        bins[side * 16 + distance, spot] = 20
    scores[1, spot] = 2
    boxes, found, rows = decode(bins, scores, least=logits(np.array([0.5, 0.5], np.float32)), shape=(64, 64))
    np.testing.assert_allclose(boxes, [[36 - 8, 28 - 16, 36 + 24, 28 + 32]], atol=1e-3)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-2)), rtol=1e-5)
    assert rows.tolist() == [1]
    assert strides[spot, 0] == 8


def test_values_that_are_not_finite_are_left_out() -> None:
    count = len(places((32, 32))[0])
    bins, scores = np.zeros((64, count), np.float32), np.full((1, count), 3, np.float32)
    scores[0, 0], scores[0, 1], bins[0, 2] = np.nan, np.inf, np.nan
    boxes, found, _ = decode(bins, scores, least=logits(np.array([0.5], np.float32)), shape=(32, 32))
    assert len(found) == count - 3
    assert np.isfinite(boxes).all()


def test_of_overlapping_finds_of_one_class_the_best_stays() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 0, 1, 1], [0.5, 0.5, 0.6, 0.6]], np.float32)
    kept = suppressed(boxes, np.array([0.5, 0.9, 0.4, 0.3], np.float32), np.array([0, 0, 1, 0]))
    assert kept.tolist() == [1, 2, 3]


def test_finds_are_never_more_than_the_limit() -> None:
    x = np.arange(1000, dtype=np.float32)
    boxes = np.stack([x, x, x + 0.5, x + 0.5], 1)
    assert len(suppressed(boxes, np.linspace(0.1, 1, 1000, dtype=np.float32), np.zeros(1000, np.intp))) == MOST_FINDS


def test_a_huge_picture_is_seen() -> None:
    detector = OpenVinoDetector(shipped_weights(), streams=1)
    assert len(detector.detect([np.full((6000, 8000, 3), 127, np.uint8)])) == 1
    detector.close()


def test_drawing_leaves_the_picture_as_it_was() -> None:
    picture = np.zeros((90, 160, 3), np.uint8)
    finds = Detections(
        np.array([[0, 0, 0.5, 0.5]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int32), ("fire",)
    )
    assert drawn(picture, finds).any()
    assert not picture.any()


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
def test_the_shipped_weights_see_what_is_plainly_there() -> None:
    detector = OpenVinoDetector(shipped_weights())
    names: set[str] = set()
    for name in (DATA / "splits" / "val.txt").read_text().split()[::12]:
        picture = read_picture(DATA / name)
        assert picture is not None
        names |= {find.name for find in detector.detect([picture])[0]}
    detector.close()
    assert names >= {"garbage", "garbage_bin", "garbage_overflow", "helmet", "head_no_helmet", "person", "car"}
