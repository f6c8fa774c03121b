"""Weights brought into a data folder: whole or not at all, held to their sha256, told by what they can serve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detect.weights import shipped_weights
from detect.weights_check import fitness
from gridwarden.cli import app
from gridwarden.detectors import chosen_weights
from gridwarden.weights_store import SHIPPED_NAME, WeightsStore
from models.errors import WeightsError
from models.taxonomy import load_taxonomy
from tests.detect.tiny_models import export_folder, write_onnx, yolo_output


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore.of(tmp_path / "data")


def model(folder: Path, *, name: str = "m.onnx") -> Path:
    folder.mkdir(exist_ok=True)
    return write_onnx(folder / name, *yolo_output(2), metadata={"names": "['rubbish', 'flame']", "license": "MIT"})


def test_a_data_folder_without_weights_has_the_shipped_ones_in_use(store: WeightsStore) -> None:
    (only,) = store.kept()
    assert (only.name, only.in_use, only.trouble) == (SHIPPED_NAME, True, "")
    assert store.in_use() == shipped_weights()


def test_added_weights_are_copied_with_their_names_and_sha256(store: WeightsStore, tmp_path: Path) -> None:
    path = model(tmp_path / "from")
    (path.parent / "classes.toml").write_text('rubbish = "garbage"\nflame = "fire"\n')
    manifest = store.add(path, name="theirs")
    assert manifest.names == ("garbage", "fire")
    assert manifest.licence == "MIT"
    assert [one.name for one in store.kept()] == [SHIPPED_NAME, "theirs"]
    assert not store.kept()[1].trouble
    path.unlink()
    assert chosen_weights(Path("theirs"), data=tmp_path / "data") == store.folder("theirs")


def test_an_export_folder_and_our_own_folder_can_be_added(store: WeightsStore, tmp_path: Path) -> None:
    assert store.add(export_folder(tmp_path / "export", *yolo_output(2), names="[a, b]")).name == "tiny"
    ours = store.add(shipped_weights(), name="copy")
    assert (ours.folder / "CARD.md").is_file()
    assert ours.thresholds


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", SHIPPED_NAME, "x" * 65, "a b"])
def test_a_name_that_is_no_folder_name_is_refused(store: WeightsStore, tmp_path: Path, name: str) -> None:
    if name == "":
        name = " "
    with pytest.raises(WeightsError, match="name"):
        store.add(model(tmp_path), name=name)


def test_a_name_is_given_once(store: WeightsStore, tmp_path: Path) -> None:
    store.add(model(tmp_path), name="a")
    with pytest.raises(WeightsError, match="already"):
        store.add(model(tmp_path), name="a")


def test_what_is_no_detector_leaves_nothing_behind(store: WeightsStore, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"m\.onnx"):
        store.add(path)
    assert len(store.kept()) == 1


def test_altered_weights_are_listed_as_such_and_cannot_be_used(store: WeightsStore, tmp_path: Path) -> None:
    folder = store.add(model(tmp_path), name="a").folder
    (folder / "m.onnx").write_bytes((folder / "m.onnx").read_bytes() + b"x")
    assert "sha256" in store.kept()[1].trouble
    with pytest.raises(WeightsError, match="sha256"):
        store.use("a")


def test_chosen_weights_are_in_use_until_others_are(store: WeightsStore, tmp_path: Path) -> None:
    store.add(model(tmp_path), name="a")
    store.use("a")
    assert chosen_weights(None, data=tmp_path / "data") == store.folder("a")
    assert [one.in_use for one in store.kept()] == [False, True]
    store.use(SHIPPED_NAME)
    assert chosen_weights(None, data=tmp_path / "data") == shipped_weights()


def test_weights_in_use_that_are_gone_are_named_not_replaced(store: WeightsStore, tmp_path: Path) -> None:
    store.add(model(tmp_path), name="a")
    folder = store.use("a")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="'a'"):
        store.in_use()


def test_the_recipes_that_classes_serve_are_told_with_what_the_others_lack() -> None:
    taxonomy = load_taxonomy()
    fit = fitness(("fire", "unicorn"), taxonomy)
    assert "I1" in fit.served
    assert "I1" not in fit.by_change
    assert fit.missing["B1"] == ("garbage",)
    assert fit.unused == ("unicorn",)
    assert set(fit.by_change) <= set(fit.served)
    assert len(fit.served) + len(fit.missing) <= fit.subcategories == len(taxonomy.subcategories)


def test_the_commands_list_add_and_check(tmp_path: Path) -> None:
    def told(*words: str) -> list[dict[str, object]]:
        result = CliRunner().invoke(app, ["weights", *words, "--data", str(tmp_path / "data"), "--json"])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    (added,) = told("add", str(model(tmp_path)), "--name", "a")
    assert added["classes"] == ["rubbish", "flame"]
    assert [row["name"] for row in told("list")] == [SHIPPED_NAME, "a"]
    (checked,) = told("check", "a")
    assert checked["unused"] == ["flame", "rubbish"]
