"""Labels and manifests of any content: read, or refused by name, never anything else."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.labels import read_dataset, read_labels
from detect.pixels import read_picture
from detect.weights import MANIFEST, read_manifest, shipped_weights
from models.errors import DatasetError, WeightsError

NUMBER = st.one_of(st.floats(), st.integers(), st.sampled_from(["nan", "inf", "-inf", "1e400", "", "x", "0.5", "٣"]))
LINE = st.lists(NUMBER, max_size=12).map(lambda fields: " ".join(map(str, fields)))
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SHIPPED = json.loads((shipped_weights() / MANIFEST).read_text())


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.lists(LINE, max_size=8).map(lambda lines: "\n".join(lines).encode()), st.binary(max_size=200)))
def test_whatever_a_label_file_holds_boxes_are_sound_and_the_rest_is_named(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(content)
        class_ids, boxes, problems = read_labels(path, class_count=3)
    assert boxes.shape == (len(class_ids), 4)
    assert ((class_ids >= 0) & (class_ids < 3)).all()
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert all("a.txt" in problem for problem in problems)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(SHIPPED)), VALUE)
def test_a_manifest_with_anything_in_one_place_is_read_or_refused_by_name(key: str, value: object) -> None:
    _read_or_refused(json.dumps({**SHIPPED, key: value}).encode())


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=200), VALUE.map(lambda value: json.dumps(value).encode())))
def test_a_manifest_of_any_content_is_read_or_refused_by_name(content: bytes) -> None:
    _read_or_refused(content)


def _read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        path.write_bytes(content)
        refusal = ""
        try:
            assert read_manifest(Path(folder)).names
        except WeightsError as refused:
            refusal = str(refused)
    assert not refusal or MANIFEST in refusal


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.binary(max_size=120), VALUE.map(lambda value: json.dumps({"names": value}).encode())))
def test_a_data_yaml_of_any_content_is_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "images").mkdir()
        (root / "images" / "a.png").touch()
        (root / "data.yaml").write_bytes(content)
        with contextlib.suppress(DatasetError):
            assert read_dataset(root).names


def test_a_picture_of_twenty_thousand_pixels_a_side_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    cv2.imwrite(str(path), np.zeros((20_000, 20_000), np.uint8))
    image = read_picture(path)
    assert image is not None
    assert image.shape == (20_000, 20_000, 3)
