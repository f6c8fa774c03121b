"""A district's own pictures beside the training data, and what they changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.evaluation import ClassResult, Evaluation
from detect.labels import read_dataset
from detect.training.additions import overlay, street_val
from detect.training.comparison import card_section, compare, judged
from detect.training.pictures import SampleSource
from detect.weights import shipped_weights
from models.errors import DatasetError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CLASSES = "garbage\ngarbage_bin\nfire\npothole\n"
BOX = "0.5 0.5 0.4 0.4"


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), np.kron(coarse, np.ones((16, 16, 1), np.uint8)))


def labelled(folder: Path, set_name: str, number: int, label: str, *, split: str) -> None:
    name = f"images/{set_name}/{number:03d}.jpg"
    picture(folder / name, number)
    labels = folder / "labels" / set_name / f"{number:03d}.txt"
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text(label)
    listed = folder / "splits" / f"{split}.txt"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text((listed.read_text() if listed.exists() else "") + f"{name}\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sets, each marked for its own classes."""
    folder = tmp_path / "data"
    for number, (set_name, split) in enumerate([("garbage", "train"), ("fire", "train"), ("garbage", "val")]):
        labelled(folder, set_name, number, f"{2 if set_name == 'fire' else 0} {BOX}\n", split=split)
    (folder / "classes.txt").write_text(CLASSES)
    (folder / "sets.tsv").write_text("set\tids\tnames\ngarbage\t0,1\tgarbage,garbage_bin\nfire\t2\tfire\n")
    (folder / "clips").mkdir()
    (folder / "weights").mkdir()
    return folder


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """As `gridwarden learn export` writes it: other class numbers, what each folder speaks about."""
    folder = tmp_path / "street"
    labelled(folder, "fire-train", 10, "", split="train")
    labelled(folder, "garbage-train", 11, f"1 {BOX}\n", split="train")
    labelled(folder, "garbage-val", 12, f"1 {BOX}\n", split="val")
    (folder / "classes.txt").write_text("fire\ngarbage\n")
    (folder / "sets.tsv").write_text("set\tids\tnames\nfire-train\t0\tfire\ngarbage-train\t1\tg\ngarbage-val\t1\tg\n")
    return folder


def test_added_pictures_speak_about_their_own_classes_in_the_numbers_of_the_data(
    data: Path, street: Path, tmp_path: Path
) -> None:
    made = overlay(data, [street], tmp_path / "both")
    pictures = {one.set_name: one for one in read_dataset(made.folder, split="train").pictures}
    assert made.pictures == 2
    assert pictures.keys() == {"garbage", "fire", "added1-fire-train", "added1-garbage-train"}
    assert pictures["added1-fire-train"].marked == {2}
    assert len(pictures["added1-fire-train"].boxes) == 0
    assert pictures["added1-garbage-train"].class_ids.tolist() == [0]
    assert pictures["added1-garbage-train"].marked == {0}


def test_val_is_what_it_was(data: Path, street: Path, tmp_path: Path) -> None:
    made = overlay(data, [street], tmp_path / "both")
    before, after = (read_dataset(folder, split="val").pictures for folder in (data, made.folder))
    assert [one.path.name for one in after] == [one.path.name for one in before]


def test_the_trainer_draws_from_the_added_sets_and_counts_only_their_classes(
    data: Path, street: Path, tmp_path: Path
) -> None:
    source = SampleSource(overlay(data, [street], tmp_path / "both").folder)
    assert source.counted["added1-fire-train"].tolist() == [0, 0, 1, 0]
    assert source.counted["added1-garbage-train"].tolist() == [1, 0, 0, 0]
    drawn = {tuple(source.sample(number, side=96)[1].tolist()) for number in range(40)}
    assert (0, 0, 1, 0) in drawn


def test_a_validation_picture_among_the_added_ones_is_left_out_and_named(
    data: Path, street: Path, tmp_path: Path
) -> None:
    shutil.copy(data / "images" / "garbage" / "002.jpg", street / "images" / "garbage-train" / "011.jpg")
    made = overlay(data, [street], tmp_path / "both")
    assert made.pictures == 1
    assert any("011.jpg: is a validation picture" in problem for problem in made.problems)


def test_a_plain_yolo_folder_can_be_added_and_its_strange_classes_are_named(data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    picture(plain / "images" / "train" / "a.jpg", 20)
    (plain / "labels" / "train").mkdir(parents=True)
    (plain / "labels" / "train" / "a.txt").write_text(f"0 {BOX}\n1 {BOX}\n")
    (plain / "data.yaml").write_text("train: images/train\nnames: [Pothole, elephant]\n")
    made = overlay(data, [plain], tmp_path / "both")
    (added,) = [one for one in read_dataset(made.folder, split="train").pictures if one.set_name.startswith("added")]
    assert (added.class_ids.tolist(), added.marked) == ([3], {3})
    assert any("elephant" in problem for problem in made.problems)


def test_a_folder_without_any_class_that_is_trained_is_refused(data: Path, street: Path, tmp_path: Path) -> None:
    (street / "classes.txt").write_text("cow\nhorse\n")
    with pytest.raises(DatasetError, match="cow, horse; none of these is trained"):
        overlay(data, [street], tmp_path / "both")


def test_several_folders_with_sets_of_the_same_name_do_not_mix(data: Path, street: Path, tmp_path: Path) -> None:
    made = overlay(data, [street, street], tmp_path / "both")
    sets = {one.set_name for one in read_dataset(made.folder, split="train").pictures}
    assert {"added1-fire-train", "added2-fire-train"} <= sets


def test_it_is_made_anew_each_time_but_never_over_something_else(data: Path, street: Path, tmp_path: Path) -> None:
    into = tmp_path / "both"
    overlay(data, [street, street], into)
    assert overlay(data, [street], into).pictures == 2
    assert not list((into / "images").glob("added2*"))
    assert (data / "images" / "garbage" / "000.jpg").is_file()
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(DatasetError, match="something else"):
        overlay(data, [street], other)


def test_the_streets_own_val_is_of_cameras_that_were_not_trained_on(street: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    picture(plain / "images" / "a.jpg", 30)
    (plain / "data.yaml").write_text("names: [fire]\n")
    ((folder, val),) = street_val([street, plain])
    assert folder == street
    assert [one.path.name for one in val.pictures] == ["012.jpg"]


def figures(**ap50: float | None) -> Evaluation:
    classes = {name: ClassResult(value, value, 1.0, 1.0, 10, 0.4, 0.4) for name, value in ap50.items()}
    return Evaluation(0.5, 0.4, classes, 20, 1.0, (), ())


def test_a_class_that_lost_more_than_two_points_is_named() -> None:
    result = compare(
        figures(fire=0.5, garbage=0.8, smoke=0.3), figures(fire=0.47, garbage=0.785, smoke=0.4), where="val"
    )
    assert result.worse == ("fire",)
    section = card_section([result], before="street", pictures=7)
    assert "| fire | 10 | 0.500 | 0.470 | **-0.030** |" in section
    assert "Worse by more than 2 points: fire." in section


def test_a_class_that_is_not_seen_any_more_is_worse_and_a_new_one_is_not() -> None:
    result = compare(figures(fire=0.5), figures(banner=0.6), where="val")
    assert result.worse == ("fire",)
    assert [one.name for one in result.classes] == ["fire", "banner"]


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
def test_the_shipped_weights_against_themselves_change_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    (small / "splits").mkdir(parents=True)
    for name in ("images", "labels", "classes.txt", "sets.tsv"):
        (small / name).symlink_to(DATA / name)
    lines = (DATA / "splits" / "val.txt").read_text().split()[::40]
    (small / "splits" / "val.txt").write_text("\n".join(lines))
    data = read_dataset(small, split="val")
    result = compare(judged(shipped_weights(), data), judged(shipped_weights(), data), where="val")
    assert result.worse == ()
    assert result.classes
    assert all(one.before == one.after for one in result.classes)
