"""Weights are promoted by a person: whole, fitting, in one step, with a way back."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detect.backends.opening import open_detector
from detect.promotion import PROMOTION, WeightsShelf
from detect.weights import MANIFEST, read_manifest, shipped_weights
from models.errors import WeightsError

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def other_weights(folder: Path, **changes: object) -> Path:
    """The shipped network under another name, as a training run would leave it."""
    shutil.copytree(shipped_weights(), folder)
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "trained", **changes}))
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> WeightsShelf:
    return WeightsShelf(tmp_path / "data")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    return other_weights(tmp_path / "trained")


def test_without_a_choice_the_shipped_weights_are_used(shelf: WeightsShelf) -> None:
    assert shelf.in_use() == shipped_weights()


def test_promoted_weights_are_used_though_the_folder_they_came_from_is_gone(shelf: WeightsShelf, trained: Path) -> None:
    choice = shelf.promote(shelf.keep(trained), by="周敏", at=NOW)
    shutil.rmtree(trained)
    assert read_manifest(shelf.in_use()).name == "trained"
    assert (choice.by, choice.at) == ("周敏", "2026-11-23T02:00:00.000000Z")
    detector = open_detector(shelf.in_use())
    assert "garbage" in detector.names
    detector.close()


def test_going_back_leads_to_the_weights_before_and_forth_again(shelf: WeightsShelf, trained: Path) -> None:
    kept = shelf.keep(trained)
    shelf.promote(kept, by="a", at=NOW)
    shelf.back(by="b", at=NOW)
    assert shelf.in_use() == shipped_weights()
    shelf.back(by="c", at=NOW)
    assert shelf.in_use() == kept


def test_a_new_version_of_the_shipped_weights_is_no_alteration(shelf: WeightsShelf, trained: Path) -> None:
    shelf.promote(shelf.keep(trained), by="a", at=NOW)
    shelf.back(by="b", at=NOW)
    path = shelf.root / PROMOTION
    path.write_text(json.dumps({**json.loads(path.read_text()), "manifest_sha256": "of the version before"}))
    assert shelf.in_use() == shipped_weights()


def test_there_is_no_way_back_from_where_one_began(shelf: WeightsShelf) -> None:
    with pytest.raises(WeightsError, match="nothing to go back to"):
        shelf.back(by="a", at=NOW)


def test_weights_that_are_not_what_their_manifest_says_get_no_place(shelf: WeightsShelf, trained: Path) -> None:
    (trained / "street.bin").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"street\.bin.*sha256"):
        shelf.keep(trained)
    assert not any(shelf.root.glob("*")) if shelf.root.exists() else True


def test_weights_that_would_blind_a_rule_are_refused_and_the_classes_named(shelf: WeightsShelf, tmp_path: Path) -> None:
    raw = json.loads((shipped_weights() / MANIFEST).read_text())
    for output in raw["outputs"]:
        output["classes"] = [{"fire": "flame"}.get(name, name) for name in output["classes"]]
    raw["thresholds"].pop("fire")
    kept = shelf.keep(other_weights(tmp_path / "blind", outputs=raw["outputs"], thresholds=raw["thresholds"]))
    with pytest.raises(WeightsError, match="does not know fire, which"):
        shelf.promote(kept, by="a", at=NOW)
    assert shelf.promotion() is None
    assert shelf.in_use() == shipped_weights()


def test_promoted_weights_that_were_altered_afterwards_are_not_loaded(shelf: WeightsShelf, trained: Path) -> None:
    kept = shelf.keep(trained)
    shelf.promote(kept, by="a", at=NOW)
    (kept / MANIFEST).write_text("{}")
    with pytest.raises(WeightsError, match="promote --back"):
        shelf.in_use()
    shelf.back(by="b", at=NOW)
    assert shelf.in_use() == shipped_weights()


def test_a_damaged_choice_names_its_file_and_the_way_out(shelf: WeightsShelf) -> None:
    shelf.root.mkdir(parents=True)
    (shelf.root / PROMOTION).write_text("{")
    with pytest.raises(WeightsError, match=r"promotion\.json is damaged.*remove it"):
        shelf.in_use()


def test_only_what_is_on_the_shelf_can_be_promoted(shelf: WeightsShelf, trained: Path) -> None:
    with pytest.raises(WeightsError, match="on the shelf"):
        shelf.promote(trained, by="a", at=NOW)


def test_the_same_weights_are_kept_once(shelf: WeightsShelf, trained: Path) -> None:
    assert shelf.keep(trained) == shelf.keep(trained)
    assert len([path for path in shelf.root.iterdir() if path.is_dir()]) == 1
