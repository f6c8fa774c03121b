"""Weights are what their manifest says, or are not loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from detect.backends.opening import open_detector, thresholds_of
from detect.backends.openvino import OpenVinoDetector
from detect.weights import (
    DEFAULT_THRESHOLD,
    MANIFEST,
    read_manifest,
    shipped_weights,
    verified_manifest,
    write_manifest,
)
from models.errors import WeightsError

# What models/taxonomy.toml needs to see from the first day on.
NEEDED = {"person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "umbrella"} | {
    "garbage", "garbage_bin", "garbage_overflow", "fire", "smoke", "pothole", "helmet", "head_no_helmet",
}  # fmt: skip


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_weights(), tmp_path / "weights"))


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_shipped_weights_are_whole_small_and_named() -> None:
    manifest = verified_manifest(shipped_weights())
    assert set(manifest.names) >= NEEDED
    assert manifest.licence.startswith("AGPL-3.0")
    assert manifest.provenance
    assert sum((manifest.folder / name).stat().st_size for name in manifest.files) < 15_000_000


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        open_detector(Path("nowhere"))


@pytest.mark.parametrize("ending", [".xml", ".bin"])
def test_a_missing_file_is_named(weights: Path, ending: str) -> None:
    next(weights.glob(f"*{ending}")).unlink()
    with pytest.raises(WeightsError, match=ending):
        OpenVinoDetector(weights)


@pytest.mark.parametrize("ending", [".xml", ".bin"])
def test_one_altered_byte_is_enough_to_refuse(weights: Path, ending: str) -> None:
    path = next(weights.glob(f"*{ending}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="sha256"):
        OpenVinoDetector(weights)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 99}', "\x00\xff"])
def test_a_manifest_that_is_none_is_refused(weights: Path, text: str) -> None:
    (weights / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(WeightsError, match=MANIFEST):
        OpenVinoDetector(weights)


@pytest.mark.parametrize(
    "changes",
    [
        {"outputs": []},
        {"outputs": [{"boxes": "b", "scores": "s", "classes": ["person", "person"]}]},
        {"outputs": [{"boxes": "b"}]},
        {"shapes": []},
        {"shapes": [[350, 350]]},
        {"shapes": [[32_000, 32_000]]},
        {"thresholds": {"unicorn": 0.5}},
        {"thresholds": {"person": 1.5}},
        {"files": {"../secret": "00"}},
        {"files": {}},
    ],
    ids=str,
)
def test_a_manifest_with_an_impossible_value_is_refused(weights: Path, changes: dict[str, Any]) -> None:
    rewrite(weights, **changes)
    with pytest.raises(WeightsError, match=MANIFEST):
        OpenVinoDetector(weights)


def test_more_classes_than_the_network_has_are_refused(weights: Path) -> None:
    outputs = json.loads((weights / MANIFEST).read_text())["outputs"]
    outputs[1]["classes"].append("unicorn")
    rewrite(weights, outputs=outputs)
    with pytest.raises(WeightsError, match="rows"):
        OpenVinoDetector(weights)


def test_an_output_the_network_lacks_is_refused(weights: Path) -> None:
    outputs = json.loads((weights / MANIFEST).read_text())["outputs"]
    outputs[0]["scores"] = "nothing"
    rewrite(weights, outputs=outputs)
    with pytest.raises(WeightsError, match="nothing"):
        OpenVinoDetector(weights)


def test_weights_of_another_backend_are_refused(weights: Path) -> None:
    rewrite(weights, backend="abacus")
    with pytest.raises(WeightsError, match="abacus"):
        OpenVinoDetector(weights)


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.zip"
    path.write_bytes(b"x")
    with pytest.raises(WeightsError, match="neither"):
        open_detector(path)


def test_a_torch_file_without_ultralytics_or_of_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="ultralytics"):
        open_detector(path)


def test_a_manifest_survives_being_written(weights: Path) -> None:
    manifest = read_manifest(weights)
    write_manifest(manifest)
    assert read_manifest(weights) == manifest


def test_a_class_without_its_own_threshold_gets_the_usual_one(weights: Path) -> None:
    rewrite(weights, thresholds={"fire": 0.55})
    threshold = thresholds_of(weights)
    assert threshold("fire") == 0.55
    assert threshold("person") == DEFAULT_THRESHOLD
