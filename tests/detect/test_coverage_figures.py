import json
from dataclasses import replace
from pathlib import Path

import pytest

from detect.coverage_figures import figures_path, read_figures, weights_key
from detect.weights import Manifest, read_manifest, shipped_weights

ROW = {"precision": 0.9, "recall": 0.8, "n": 5, "on": {"composed": {"right": 4, "false": 0, "missed": 1}}}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """The shipped weights' manifest as if it lay elsewhere, without figures."""
    return replace(read_manifest(shipped_weights()), folder=tmp_path)


def written(manifest: Manifest, text: str) -> None:
    figures_path(manifest.folder).write_text(text, encoding="utf-8")


def test_figures_of_these_weights_are_read(manifest: Manifest) -> None:
    written(manifest, json.dumps({"weights": weights_key(shipped_weights()), "subcategories": {"B1": ROW}}))
    found = read_figures(manifest)["B1"]
    assert (found.precision, found.recall, dict(found.expected)) == (0.9, 0.8, {"composed": 5})


def test_figures_never_outlive_the_weights_they_belong_to(manifest: Manifest) -> None:
    written(manifest, json.dumps({"weights": weights_key(shipped_weights()), "subcategories": {"B1": ROW}}))
    assert read_figures(replace(manifest, files={**manifest.files, "street.bin": "0" * 64})) == {}
    assert read_figures(replace(manifest, thresholds={**manifest.thresholds, "garbage": 0.9})) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"weights": 1}', "null"])
def test_damaged_figures_are_not_used(manifest: Manifest, text: str) -> None:
    written(manifest, text)
    assert read_figures(manifest) == {}


def test_without_figures_nothing_was_measured(manifest: Manifest) -> None:
    assert read_figures(manifest) == {}
