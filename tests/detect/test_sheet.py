"""The sheet of the worst: chosen by the evaluation's own matching, drawn where a person can read it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from detect.evaluation import Judged, matches
from detect.pixels import read_picture
from detect.sheet import TILE, TILES, check_sheet_path, tile, worst, write_sheet
from gridwarden.cli import app
from models.errors import SettingsError
from models.text import Text

DATA = Path(__file__).parents[3] / "shared" / "data"
Row = tuple[int, tuple[float, float, float, float]]


def judged(path: Path, true: list[Row], found: list[tuple[Row, float]]) -> Judged:
    """A picture of 200 x 100 with its marks and finds in pixels."""
    return Judged(
        path=path, size=(200, 100), marked=frozenset({0, 1}),
        true_boxes=np.array([box for _, box in true], np.float32).reshape(-1, 4),
        true_classes=np.array([row for row, _ in true], np.int32),
        boxes=np.array([box for (_, box), _ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score in found], np.float32),
        classes=np.array([row for (row, _), _ in found], np.int32),
    )  # fmt: skip


SMALL, LARGE, ELSEWHERE = (0.0, 0.0, 20.0, 20.0), (50.0, 10.0, 130.0, 90.0), (150.0, 0.0, 190.0, 40.0)


def test_misses_come_with_the_weakest_first_and_then_the_largest() -> None:
    unseen = judged(Path("a"), [(0, SMALL), (0, LARGE)], [])
    weak = judged(Path("b"), [(0, LARGE)], [((0, LARGE), 0.2)])
    found = judged(Path("c"), [(0, LARGE)], [((0, LARGE), 0.9)])
    errors = worst([weak, found, unseen], 0, name="fire", threshold=0.5)
    assert [(one.path.name, one.box, round(one.score, 1)) for one in errors.misses] == [
        ("a", LARGE, 0.0), ("a", SMALL, 0.0), ("b", LARGE, 0.2),
    ]  # fmt: skip
    assert (errors.missed, errors.false) == (3, 0)


def test_false_finds_come_with_the_surest_first_and_only_from_the_threshold_on() -> None:
    one = judged(Path("a"), [(0, LARGE)], [((0, ELSEWHERE), 0.6), ((0, LARGE), 0.9), ((0, SMALL), 0.4)])
    other = judged(Path("b"), [], [((0, SMALL), 0.8), ((1, SMALL), 0.99)])
    errors = worst([one, other], 0, name="fire", threshold=0.5)
    assert [(one.path.name, one.box) for one in errors.false_finds] == [("b", SMALL), ("a", ELSEWHERE)]
    _, hits, boxes = matches([one, other], 0)
    assert (errors.missed, boxes, hits.sum()) == (0, 1, 1)


def test_the_sheet_is_bounded_however_many_errors_there_are(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    cv2.imwrite(str(picture), np.full((100, 200, 3), 90, np.uint8))
    many = [judged(picture, [(0, SMALL)], [((0, LARGE), 0.9)])] * 50
    errors = worst(many, 0, name="fire", threshold=0.5)
    assert (len(errors.misses), errors.missed, len(errors.false_finds), errors.false) == (TILES, 50, TILES, 50)
    assert write_sheet(tmp_path / "sheet.png", [errors], {"fire": Text("明火", "flame")}) == 1
    sheet = read_picture(tmp_path / "sheet.png")
    assert sheet is not None
    assert sheet.shape[0] < 2 * TILE
    assert 2 * TILES * TILE < sheet.shape[1] < 2 * TILES * TILE * 1.1


def test_a_sheet_without_errors_says_so_and_a_picture_that_is_gone_keeps_its_caption(tmp_path: Path) -> None:
    assert write_sheet(tmp_path / "none.jpg", [], {}) == 0
    errors = worst([judged(tmp_path / "gone.png", [(0, LARGE)], [])], 0, name="fire", threshold=0.5)
    assert write_sheet(tmp_path / "gone.jpg", [errors], {}) == 1
    for name in ("none.jpg", "gone.jpg"):
        sheet = read_picture(tmp_path / name)
        assert sheet is not None
        assert sheet.min() < 128, "nothing is written on it"


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0, 0, 200, 100), (195, 95, 200, 100), (-5, -5, 300, 300)])
def test_a_tile_has_its_size_wherever_the_box_lies(box: tuple[float, float, float, float]) -> None:
    for shape in ((100, 200, 3), (1, 1, 3), (3000, 20, 3)):
        assert tile(np.zeros(shape, np.uint8), box, colour=(0, 0, 255)).shape == (TILE, TILE, 3)


@pytest.mark.parametrize("name", ["sheet.txt", "missing/sheet.jpg", "sheet"])
def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="sheet"):
        check_sheet_path(tmp_path / name)


def test_the_command_draws_the_shipped_weights_errors(tmp_path: Path) -> None:
    """On real pictures where there are any, else on grey ones, where a marked fire can only be missed."""
    pictures = sorted((DATA / "images" / "fire").glob("*.jpg"))[:4]
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [fire]\n")
    for number in range(4):
        image = read_picture(pictures[number]) if pictures else np.full((100, 200, 3), 90, np.uint8)
        assert image is not None
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), image)
        (tmp_path / "labels" / f"{number}.txt").write_text("0 0.03 0.03 0.05 0.05\n")  # there is none
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--sheet", str(tmp_path / "worst.jpg"), "--json"])
    assert result.exit_code == 0, result.output
    sheet = read_picture(tmp_path / "worst.jpg")
    assert sheet is not None
    assert sheet.shape[0] > TILE
