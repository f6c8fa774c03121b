"""Label files as people and tools leave them: what is wrong is named, the rest is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detect.labels import read_dataset, read_labels
from models.errors import DatasetError


def yolo_folder(root: Path, *, names: str = "names: [fire, smoke]", split: str = "") -> Path:
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    (root / "data.yaml").write_text(f"{names}\n{split}\n")
    return root


def set_folder(root: Path) -> Path:
    """Two sets of one picture each, marked for different classes."""
    for part in ("images/street", "images/site", "labels/street", "labels/site", "splits"):
        (root / part).mkdir(parents=True)
    (root / "classes.txt").write_text("garbage\nhelmet\n")
    (root / "sets.tsv").write_text("set\tannotated_class_ids\tannotated_classes\nstreet\t0\tgarbage\nsite\t1\thelmet\n")
    (root / "splits" / "val.txt").write_text("images/street/a.jpg\nimages/site/b.jpg\n")
    (root / "labels" / "street" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return root


def labels(tmp_path: Path, text: str) -> tuple[list[int], np.ndarray, list[str]]:
    path = tmp_path / "labels.txt"
    path.write_text(text)
    class_ids, boxes, problems = read_labels(path, class_count=2)
    return class_ids.tolist(), boxes, problems


def test_a_centre_and_size_become_corners(tmp_path: Path) -> None:
    class_ids, boxes, problems = labels(tmp_path, "1 0.5 0.4 0.2 0.4\n\n")
    assert class_ids == [1]
    np.testing.assert_allclose(boxes, [[0.4, 0.2, 0.6, 0.6]], atol=1e-6)
    assert problems == []


def test_a_polygon_is_taken_as_its_box(tmp_path: Path) -> None:
    _, boxes, _ = labels(tmp_path, "0 0.1 0.2 0.5 0.1 0.3 0.9")
    np.testing.assert_allclose(boxes, [[0.1, 0.1, 0.5, 0.9]], atol=1e-6)


def test_a_box_over_the_edge_is_cut(tmp_path: Path) -> None:
    _, boxes, problems = labels(tmp_path, "0 0.95 0.5 0.2 0.2")
    np.testing.assert_allclose(boxes, [[0.85, 0.4, 1.0, 0.6]], atol=1e-6)
    assert problems == []


@pytest.mark.parametrize(
    "line",
    [
        "7 0.5 0.5 0.2 0.2",
        "-1 0.5 0.5 0.2 0.2",
        "0.5 0.5 0.5 0.2 0.2",
        "fire 0.5 0.5 0.2 0.2",
        "0 0.5 0.5 0.2",
        "0",
        "0 nan 0.5 0.2 0.2",
        "0 0.5 inf 0.2 0.2",
        "0 0.5 0.5 0 0.2",
        "0 0.5 0.5 -0.2 0.2",
        "0 3 3 0.2 0.2",
        "{}",
    ],
)
def test_a_bad_line_is_named_and_the_next_one_used(tmp_path: Path, line: str) -> None:
    class_ids, _, problems = labels(tmp_path, f"{line}\n1 0.5 0.5 0.2 0.2\n")
    assert class_ids == [1]
    assert len(problems) == 1
    assert "labels.txt:1:" in problems[0]


def test_a_label_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xff\xfe\x00\x81")
    class_ids, _, problems = read_labels(path, class_count=2)
    assert not len(class_ids)
    assert "labels.txt" in problems[0]


def test_a_picture_without_a_label_file_shows_nothing(tmp_path: Path) -> None:
    folder = yolo_folder(tmp_path)
    (folder / "images" / "a.jpg").touch()
    (picture,) = read_dataset(folder).pictures
    assert len(picture.boxes) == 0
    assert picture.marked == {0, 1}


def test_names_may_be_a_map_and_the_split_a_folder(tmp_path: Path) -> None:
    folder = yolo_folder(tmp_path, names="names: {0: fire, 1: smoke}", split="val: images/val")
    for split in ("train", "val"):
        (folder / "images" / split).mkdir()
        (folder / "images" / split / "a.jpg").touch()
    (folder / "labels" / "val").mkdir()
    (folder / "labels" / "val" / "a.txt").write_text("1 0.5 0.5 0.5 0.5")
    dataset = read_dataset(folder)
    assert dataset.names == ("fire", "smoke")
    assert [len(picture.boxes) for picture in dataset.pictures] == [1]


def test_a_path_of_another_machine_does_not_matter(tmp_path: Path) -> None:
    folder = yolo_folder(tmp_path, split="path: /home/somebody/else\nval: images")
    (folder / "images" / "a.png").touch()
    assert len(read_dataset(folder).pictures) == 1


def test_each_set_is_marked_for_its_own_classes_only(tmp_path: Path) -> None:
    street, site = read_dataset(set_folder(tmp_path)).pictures
    assert street.marked == {0}
    assert site.marked == {1}
    assert street.class_ids.tolist() == [0]


@pytest.mark.parametrize("text", ["", "names: []", "names: 3", "names: {0: a, 5: b}", "a: [", "- x"])
def test_a_data_yaml_without_classes_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"data\.yaml"):
        read_dataset(yolo_folder(tmp_path, names=text))


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"data\.yaml"):
        read_dataset(tmp_path)


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        read_dataset(yolo_folder(tmp_path))


def test_a_set_that_is_not_described_is_named(tmp_path: Path) -> None:
    folder = set_folder(tmp_path)
    (folder / "splits" / "val.txt").write_text("images/moon/a.jpg\n")
    with pytest.raises(DatasetError, match="moon"):
        read_dataset(folder)
