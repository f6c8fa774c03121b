"""Weights in the shadow and their promotion, as an operator types it; the box's detector follows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from detect.backends.openvino import OpenVinoDetector
from detect.promotion import WeightsShelf
from detect.shadow import ShadowingDetector
from detect.weights import MANIFEST, read_manifest, shipped_weights
from dispatch.accounts import audit_entries
from dispatch.store.store import Store
from gridwarden.box_detector import box_detector
from gridwarden.cli import app
from gridwarden.data_folder import DataFolder
from gridwarden.weights_store import WeightsStore
from models.clock import SystemClock
from models.errors import SettingsError, WeightsError


class Box:
    """A data folder and newly trained weights."""

    def __init__(self, root: Path) -> None:
        self.data, self.trained = root / "data", root / "trained"
        self.data.mkdir()
        self.store = Store.open(f"sqlite:///{self.data / 'gridwarden.sqlite'}", clock=SystemClock())
        shutil.copytree(shipped_weights(), self.trained)
        self.rewrite(name="trained")

    def rewrite(self, **changes: object) -> None:
        path = self.trained / MANIFEST
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["shadow", *words, "--data", str(self.data)])

    def audited(self) -> list[str]:
        with self.store.reading() as session:
            return [entry.action for entry in audit_entries(session)]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.store.close()


def test_from_the_shadow_into_use_and_back(box: Box) -> None:
    assert box.run("start", str(box.trained)).exit_code == 0
    assert json.loads(box.run("status", "--json").stdout)["shadow"].startswith("trained-")
    assert "From the next start on: trained-" in box.run("promote").output
    assert read_manifest(WeightsShelf(box.data).in_use()).name == "trained"
    assert json.loads(box.run("status", "--json").stdout) == {"in_use": "trained", "shadow": None}
    assert "From the next start on: shipped." in box.run("promote", "--back").output
    assert WeightsShelf(box.data).in_use() == shipped_weights()
    assert box.audited() == ["weights_promoted", "weights_promoted", "shadow_started"]


def test_promoting_and_choosing_by_hand_are_one_choice(box: Box) -> None:
    box.run("start", str(box.trained))
    box.run("promote")
    store = WeightsStore.of(box.data)
    assert store.in_use() == WeightsShelf(box.data).in_use()
    store.use("shipped")
    assert WeightsShelf(box.data).in_use() == shipped_weights()
    assert isinstance(box.run("promote", "--back").exception, WeightsError)


def test_stopping_leaves_what_was_counted(box: Box) -> None:
    box.run("start", str(box.trained))
    assert "is out of the shadow" in box.run("stop").output
    assert "Nothing runs in the shadow." in box.run("stop").output
    assert "Nothing runs in the shadow." in box.run("status").output


def test_weights_with_another_hash_are_refused_before_they_run(box: Box) -> None:
    (box.trained / "street.bin").write_bytes(b"x")
    told = box.run("start", str(box.trained))
    assert isinstance(told.exception, WeightsError)
    assert "does not have the sha256" in str(told.exception)
    assert box.audited() == []


def test_weights_that_do_not_know_a_class_in_use_are_refused_with_its_name(box: Box) -> None:
    raw = json.loads((box.trained / MANIFEST).read_text())
    for output in raw["outputs"]:
        output["classes"] = [{"garbage": "rubbish"}.get(name, name) for name in output["classes"]]
    raw["thresholds"].pop("garbage")
    box.rewrite(outputs=raw["outputs"], thresholds=raw["thresholds"])
    told = box.run("start", str(box.trained))
    assert "does not know garbage, which the weights in use" in str(told.exception)


def test_nothing_is_promoted_that_was_not_in_the_shadow(box: Box) -> None:
    assert isinstance(box.run("promote").exception, SettingsError)
    assert isinstance(box.run("promote", "--back").exception, WeightsError)


def test_the_next_start_uses_what_was_promoted_and_shadows_what_was_started(box: Box) -> None:
    box.run("start", str(box.trained))
    box.run("promote")
    box.rewrite(name="newer")
    box.run("start", str(box.trained))
    folder = DataFolder(box.data)
    detector = box_detector(None, folder)
    try:
        assert isinstance(detector, ShadowingDetector)
        assert isinstance(detector._detector, OpenVinoDetector)
        assert detector._detector.manifest.name == "trained"
        assert detector.ready.wait(60)
    finally:
        detector.close()


def test_weights_named_at_the_start_beat_those_promoted(box: Box) -> None:
    box.run("start", str(box.trained))
    box.run("promote")
    detector = box_detector(shipped_weights(), DataFolder(box.data))
    try:
        assert isinstance(detector, ShadowingDetector)
        assert isinstance(detector._detector, OpenVinoDetector)
        assert detector._detector.manifest.name == read_manifest(shipped_weights()).name
    finally:
        detector.close()
