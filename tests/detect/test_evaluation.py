"""Evaluation of a detector that plays back known finds, so that every figure can be worked out by hand."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.evaluation import common_classes, evaluate
from detect.labels import Dataset, read_dataset
from detect.testing import RecordedDetector
from models.errors import DatasetError
from models.pictures import Detections

NAMES = ("person", "fire", "garbage bin")
# 16 x 16, four inks, made with Pillow: browsers and phones write no such JPEG, print shops do.
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eAvMm6pseZ"
    "qKuk/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAAG/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAA"
    "PwCmTKZUwAAAD//Z"
)


def seen(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Detections:
    return Detections(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[0] for row in rows], np.int32),
        NAMES,
    )


def dataset(root: Path, labels: list[str], *, names: str = "[fire, Garbage_Bin]") -> Dataset:
    return read_dataset(folder(root, labels, names=names))


def folder(root: Path, labels: list[str], *, names: str = "[fire, Garbage_Bin]") -> Path:
    """A YOLO folder of plain pictures, one per label text."""
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    (root / "data.yaml").write_text(f"names: {names}\n")
    for number, text in enumerate(labels):
        cv2.imwrite(str(root / "images" / f"{number}.png"), np.full((100, 200, 3), 90, np.uint8))
        (root / "labels" / f"{number}.txt").write_text(text)
    return root


def half(_: str) -> float:
    return 0.5


def test_a_perfect_detector_scores_one(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4", "1 0.25 0.5 0.3 0.4"])
    detector = RecordedDetector(
        NAMES, [seen((1, 0.9, (0.3, 0.3, 0.7, 0.7))), seen((2, 0.8, (0.1, 0.3, 0.4, 0.7)), (0, 0.9, (0, 0, 1, 1)))]
    )
    result = evaluate(detector, data, threshold=half)
    assert result.map50 == pytest.approx(1.0)
    assert result.map == pytest.approx(1.0)
    assert set(result.classes) == {"fire", "Garbage_Bin"}
    assert result.classes["fire"].precision == 1.0
    assert result.classes["fire"].recall == 1.0


def test_what_was_judged_comes_with_the_figures(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4", "1 0.25 0.5 0.3 0.4"])
    detector = RecordedDetector(NAMES, [seen((1, 0.9, (0.3, 0.3, 0.7, 0.7))), seen()])
    judged = evaluate(detector, data, threshold=half).judged
    assert [(len(one.true_boxes), len(one.boxes)) for one in judged] == [(1, 1), (1, 0)]


def test_misses_and_false_finds_count_at_the_chosen_threshold(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4\n0 0.1 0.1 0.1 0.1"])
    finds = seen((1, 0.9, (0.3, 0.3, 0.7, 0.7)), (1, 0.7, (0.8, 0.8, 1, 1)), (1, 0.4, (0.05, 0.05, 0.15, 0.15)))
    fire = evaluate(RecordedDetector(NAMES, [finds]), data, threshold=half).classes["fire"]
    assert fire.precision == 0.5
    assert fire.recall == 0.5
    assert fire.boxes == 2
    # Best first: hit, miss, hit. Precision from recall .51 on is 2/3; COCO reads it at 101 recalls.
    assert fire.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-3)
    assert fire.best_threshold == pytest.approx(0.4)


def test_one_box_is_hit_once(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4"])
    finds = seen((1, 0.9, (0.3, 0.3, 0.7, 0.7)), (1, 0.8, (0.3, 0.3, 0.7, 0.69)))
    fire = evaluate(RecordedDetector(NAMES, [finds]), data, threshold=half).classes["fire"]
    assert fire.precision == 0.5
    assert fire.recall == 1.0


def test_a_find_of_a_class_that_the_set_does_not_mark_is_not_held_against_it(tmp_path: Path) -> None:
    for part in ("images/a", "labels/a", "images/b", "labels/b", "splits"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "classes.txt").write_text("fire\ngarbage_bin\n")
    (tmp_path / "sets.tsv").write_text("set\tids\tnames\na\t0\tfire\nb\t1\tgarbage_bin\n")
    (tmp_path / "splits" / "val.txt").write_text("images/a/1.png\nimages/b/1.png\n")
    for name, label in (("a", "0 0.5 0.5 0.4 0.4"), ("b", "1 0.5 0.5 0.4 0.4")):
        cv2.imwrite(str(tmp_path / "images" / name / "1.png"), np.zeros((50, 50, 3), np.uint8))
        (tmp_path / "labels" / name / "1.txt").write_text(label)
    both = seen((1, 0.9, (0.3, 0.3, 0.7, 0.7)), (2, 0.9, (0.3, 0.3, 0.7, 0.7)))
    result = evaluate(RecordedDetector(NAMES, [both]), read_dataset(tmp_path), threshold=half)
    assert [one.precision for one in result.classes.values()] == [1.0, 1.0]
    assert result.map50 == pytest.approx(1.0)


def test_a_detector_that_finds_nothing_scores_zero(tmp_path: Path) -> None:
    result = evaluate(RecordedDetector(NAMES), dataset(tmp_path, ["0 0.5 0.5 0.4 0.4"]), threshold=half)
    assert result.classes["fire"].ap50 == 0.0
    assert result.classes["fire"].recall == 0.0
    assert result.classes["fire"].precision is None
    assert result.classes["Garbage_Bin"].ap50 is None
    assert result.map50 == 0.0


def test_pictures_where_nothing_is_marked_have_no_mean(tmp_path: Path) -> None:
    result = evaluate(RecordedDetector(NAMES), dataset(tmp_path, [""]), threshold=half)
    assert result.map50 is None
    assert json.loads(json.dumps(result.to_json()))["map50"] is None


def test_the_json_has_what_the_command_promises(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4"], names="[fire, Garbage_Bin, unicorn]")
    printed = evaluate(RecordedDetector(NAMES), data, threshold=half).to_json()
    assert {"map50", "classes", "images", "seconds"} <= set(printed)
    assert {"ap50", "precision", "recall", "boxes"} <= set(printed["classes"]["fire"])
    assert printed["unknown_classes"] == ["unicorn"]


def test_names_match_whatever_their_dashes_and_case() -> None:
    assert common_classes(("Garbage-Bin", "PERSON", "cow"), NAMES) == {0: 2, 1: 0}


def test_no_class_in_common_is_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path, ["0 0.5 0.5 0.4 0.4"], names="[unicorn]")
    with pytest.raises(DatasetError, match="unicorn"):
        evaluate(RecordedDetector(NAMES), data, threshold=half)


def test_progress_is_told(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    data = dataset(tmp_path, [""] * 10)
    evaluate(RecordedDetector(NAMES), data, threshold=half, step=lambda done, total: steps.append((done, total)))
    assert steps == [(8, 10), (10, 10)]


def png_of_claimed_size(side: int) -> bytes:
    """A PNG whose header claims side x side pixels and that holds none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_pictures_that_cannot_be_read_are_named_and_the_others_judged(tmp_path: Path) -> None:
    folder(tmp_path, ["0 0.5 0.5 0.4 0.4"])
    (tmp_path / "images" / "broken.jpg").write_bytes(b"<html>not a picture</html>")
    (tmp_path / "images" / "empty.jpg").touch()
    (tmp_path / "images" / "huge.png").write_bytes(png_of_claimed_size(60_000))
    finds = seen((1, 0.9, (0.3, 0.3, 0.7, 0.7)))
    result = evaluate(RecordedDetector(NAMES, [finds]), read_dataset(tmp_path), threshold=half)
    assert result.images == 1
    assert len(result.problems) == 3
    assert all(any(name in line for line in result.problems) for name in ("broken", "empty", "huge"))


def test_grey_transparent_printed_and_tiny_pictures_are_judged(tmp_path: Path) -> None:
    folder(tmp_path, [])
    images = tmp_path / "images"
    cv2.imwrite(str(images / "grey.jpg"), np.zeros((20, 20), np.uint8))
    cv2.imwrite(str(images / "rgba.png"), np.zeros((20, 20, 4), np.uint8))
    cv2.imwrite(str(images / "deep.png"), np.zeros((20, 20, 3), np.uint16))
    cv2.imwrite(str(images / "tiny.png"), np.zeros((1, 1, 3), np.uint8))
    (images / "printed.jpg").write_bytes(CMYK_JPEG)
    result = evaluate(RecordedDetector(NAMES), read_dataset(tmp_path), threshold=half)
    assert result.images == 5
    assert result.problems == ()


def test_no_readable_picture_at_all_is_refused(tmp_path: Path) -> None:
    folder(tmp_path, [])
    (tmp_path / "images" / "broken.jpg").write_bytes(b"no")
    with pytest.raises(DatasetError, match="broken"):
        evaluate(RecordedDetector(NAMES), read_dataset(tmp_path), threshold=half)
