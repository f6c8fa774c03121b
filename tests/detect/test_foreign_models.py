"""Other people's models, made here as tiny networks: read, named in our words, refused where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detect.backends.class_map import read_class_map
from detect.backends.foreign import class_names, foreign_manifest
from detect.backends.heads import read_end_to_end, read_yolo
from detect.backends.opening import open_detector, thresholds_of
from detect.weights import Form, write_manifest
from models.errors import WeightsError
from models.pictures import Image
from tests.detect.tiny_models import (
    SIDE,
    THING,
    end_to_end_output,
    export_folder,
    write_ir,
    write_onnx,
    yolo_output,
)

NAMES = "{0: rubbish pile, 1: no helmet}"


def bright(level: int = 255) -> Image:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def onnx(path: Path, *, names: str = "{0: 'rubbish pile', 1: 'no helmet'}") -> Path:
    return write_onnx(path, *yolo_output(2), metadata={"names": names, "imgsz": f"[{SIDE}, {SIDE}]"})


def test_an_export_folder_of_ultralytics_is_read_as_it_lies(tmp_path: Path) -> None:
    detector = open_detector(export_folder(tmp_path, *yolo_output(2), names=NAMES), streams=1)
    (seen,) = detector.detect([bright()])
    assert detector.names == ("rubbish pile", "no helmet")
    assert [one.name for one in seen] == ["rubbish pile"]
    np.testing.assert_allclose(seen.boxes, [THING], atol=1e-3)
    np.testing.assert_allclose(seen.scores, [1.0], atol=1e-2)
    assert len(detector.detect([bright(20)])[0]) == 0


def test_an_onnx_file_tells_its_own_names(tmp_path: Path) -> None:
    detector = open_detector(onnx(tmp_path / "m.onnx"), streams=1)
    assert [one.name for one in detector.detect([bright()])[0]] == ["rubbish pile"]


def test_a_find_on_a_wide_picture_lies_where_it_is_in_the_picture(tmp_path: Path) -> None:
    detector = open_detector(onnx(tmp_path / "m.onnx"), streams=1, least_score=0.1)
    (seen,) = detector.detect([np.full((50, 100, 3), 255, np.uint8)])
    np.testing.assert_allclose(seen.boxes, [[0.25, 0.0, 0.75, 1.0]], atol=1e-3)


@pytest.mark.parametrize("kind", ["onnx", "folder"])
def test_an_end_to_end_network_is_read_too(tmp_path: Path, kind: str) -> None:
    output = end_to_end_output(class_id=1)
    path = (
        write_onnx(tmp_path / "m.onnx", *output, metadata={"names": "['a', 'b']"})
        if kind == "onnx"
        else export_folder(tmp_path / "m", *output, names="[a, b]")
    )
    (seen,) = open_detector(path, streams=1).detect([bright()])
    assert [one.name for one in seen] == ["b"]
    np.testing.assert_allclose(seen.boxes, [THING], atol=1e-3)


def test_their_names_become_ours_by_the_file_beside_the_model(tmp_path: Path) -> None:
    path = onnx(tmp_path / "m.onnx")
    (tmp_path / "classes.toml").write_text('"rubbish pile" = "garbage"\n[thresholds]\ngarbage = 0.9\n')
    detector = open_detector(path, streams=1)
    assert detector.names == ("garbage", "no helmet")
    assert [one.name for one in detector.detect([bright()])[0]] == ["garbage"]
    assert len(detector.detect([bright(200)])[0]) == 0
    assert thresholds_of(path)("garbage") == 0.9


def test_the_models_own_class_map_goes_before_the_folders(tmp_path: Path) -> None:
    path = onnx(tmp_path / "m.onnx")
    (tmp_path / "classes.toml").write_text('"rubbish pile" = "rubble"')
    (tmp_path / "m.classes.toml").write_text('"rubbish pile" = "garbage"')
    assert open_detector(path, streams=1).names[0] == "garbage"


def test_two_of_their_classes_may_be_one_of_ours_and_are_then_told_once(tmp_path: Path) -> None:
    boxes, scores = yolo_output(2)
    scores[0, 5, 7] = 0.8  # the same thing, as the second class too
    path = write_onnx(tmp_path / "m.onnx", boxes, scores, metadata={"names": "['litter', 'rubbish']"})
    (tmp_path / "classes.toml").write_text('litter = "garbage"\nrubbish = "garbage"')
    detector = open_detector(path, streams=1)
    assert detector.names == ("garbage",)
    assert len(detector.detect([bright()])[0]) == 1


def test_a_file_without_names_is_refused_until_they_are_given(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx", *yolo_output(2))
    with pytest.raises(WeightsError, match=r"m\.onnx.*2 class names.*m\.classes\.toml"):
        open_detector(path)
    (tmp_path / "m.classes.toml").write_text('names = ["garbage", "fire"]')
    assert open_detector(path, streams=1).names == ("garbage", "fire")


def test_names_that_do_not_fit_the_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"m\.onnx.*other class names"):
        open_detector(onnx(tmp_path / "m.onnx", names="{0: 'a'}"))
    (tmp_path / "m.classes.toml").write_text('names = ["a", "b", "c"]')
    with pytest.raises(WeightsError, match=r"m\.classes\.toml"):
        open_detector(onnx(tmp_path / "m.onnx"))


@pytest.mark.parametrize(
    "text",
    ['"unicorn" = "garbage"', '"rubbish pile" = 3', '"rubbish pile" = ""', "thresholds = 3", "[thresholds]\nx = 0.5",
     '[thresholds]\n"no helmet" = 7', "names = 3", "= =", "[[a]]", "x = nan"],
)  # fmt: skip
def test_a_class_map_with_a_slip_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "classes.toml").write_text(text)
    with pytest.raises(WeightsError, match=r"classes\.toml"):
        foreign_manifest(onnx(tmp_path / "m.onnx"))


def test_a_class_map_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "classes.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match=r"classes\.toml"):
        read_class_map(path)


def test_logits_in_place_of_scores_are_refused(tmp_path: Path) -> None:
    boxes, scores = yolo_output(2)
    boxes[0, 4:] = -3.0
    with pytest.raises(WeightsError, match="sigmoid"):
        open_detector(write_onnx(tmp_path / "m.onnx", boxes, scores, metadata={"names": "['a', 'b']"}), streams=1)


@pytest.mark.parametrize(
    ("shape", "reason"), [((1, 84, 6 + 1), "YOLOv5"), ((1, 2), "not a detector"), ((1, 6, 2, 2), "not a detector")]
)
def test_another_kind_of_network_is_refused(tmp_path: Path, shape: tuple[int, ...], reason: str) -> None:
    nothing = np.zeros(shape, np.float32)
    with pytest.raises(WeightsError, match=reason):
        open_detector(write_onnx(tmp_path / "m.onnx", nothing, nothing, metadata={"names": "['a', 'b']"}))


def test_a_network_for_grey_pictures_is_refused(tmp_path: Path) -> None:
    write_ir(tmp_path / "m.xml", *yolo_output(2), channels=1)
    with pytest.raises(WeightsError, match="not a detector"):
        open_detector(tmp_path / "m.xml")


@pytest.mark.parametrize("name", ["m.onnx", "m.xml"])
def test_a_file_of_other_content_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"<html>not a network</html>")
    with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
        open_detector(tmp_path / name)


def test_a_folder_with_two_models_asks_which(tmp_path: Path) -> None:
    onnx(tmp_path / "a.onnx")
    onnx(tmp_path / "b.onnx")
    with pytest.raises(WeightsError, match=r"2 \.xml or \.onnx"):
        open_detector(tmp_path)


def test_a_manifest_of_a_foreign_model_survives_being_written(tmp_path: Path) -> None:
    path = onnx(tmp_path / "m.onnx")
    (tmp_path / "classes.toml").write_text('"no helmet" = "head_no_helmet"')
    manifest = foreign_manifest(path)
    assert manifest.form is Form.YOLO
    write_manifest(manifest)
    assert json.loads((tmp_path / "manifest.json").read_text())["files"]["m.onnx"]
    assert open_detector(tmp_path, streams=1).names == ("rubbish pile", "head_no_helmet")


@pytest.mark.parametrize(
    "told", ["{0: 'a', 2: 'b'}", "['a', 'a']", "{'x': 'a'}", "__import__('os')", "(" * 500, "", None, 3, "['']", [""]]
)
def test_names_that_are_none_count_as_not_told(told: object) -> None:
    assert class_names(told) == ()


def test_scores_that_are_not_numbers_are_left_out() -> None:
    raw = np.zeros((5, 4), np.float32)
    raw[:4] = 10
    raw[4] = [0.9, np.nan, np.inf, 0.8]
    raw[0, 3] = np.nan
    boxes, scores, rows = read_yolo(raw, least=np.array([0.5], np.float32))
    assert scores.tolist() == [pytest.approx(0.9)]
    assert (len(boxes), rows.tolist()) == (1, [0])


def test_a_find_of_a_class_nobody_named_is_left_out() -> None:
    raw = np.tile(np.array([0, 0, 9, 9, 0.9, 0], np.float32), (5, 1))
    raw[:, 5] = [0, 1, -1, np.nan, 1e30]
    boxes, _, rows = read_end_to_end(raw, least=np.array([0.5], np.float32))
    assert (len(boxes), rows.tolist()) == (1, [0])
