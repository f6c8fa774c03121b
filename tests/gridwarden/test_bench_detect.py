"""The detector's benchmark: its sizes, its turns, and the command itself for a very short time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detect.backends.opening import described
from detect.weights import shipped_weights
from gridwarden.bench.detect import Wanted, in_turns, measure, quantised, resized_shapes
from gridwarden.bench.peer import why_no_peer
from gridwarden.cli import app
from models.errors import WeightsError


@pytest.mark.parametrize("side", [320, 416, 640])
def test_a_size_keeps_the_aspects_and_about_the_pixels(side: int) -> None:
    shipped = described(shipped_weights()).shapes
    for (height, width), (new_height, new_width) in zip(shipped, resized_shapes(shipped, side), strict=True):
        assert new_height % 32 == new_width % 32 == 0
        assert new_height * new_width == pytest.approx(side * side, rel=0.12)
        assert new_width / new_height == pytest.approx(width / height, rel=0.12)


def test_everything_takes_its_turn_and_every_picture_is_looked_at() -> None:
    seen: dict[str, set[tuple[int, int]]] = {"a": set(), "b": set()}
    kinds = {kind: (lambda number, caller, kind=kind: seen[kind].add((number, caller))) for kind in seen}
    paces = in_turns(kinds, pictures=3, threads=2, seconds=0.02)
    for kind, pace in paces.items():
        assert {number for number, _ in seen[kind]} == {0, 1, 2}
        assert {caller for _, caller in seen[kind]} <= {0, 1}
        assert pace.pictures >= 3
        assert pace.seconds >= 0.02


def test_the_command_measures_and_says_what_it_could_not(tmp_path: Path) -> None:
    words = ["bench", "detect", "--data", str(tmp_path / "none"), "--seconds", "0.05", "--size", "64", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert {(row["size"], row["threads"]) for row in figures["figures"]} == {
        ("64²", 1), ("64²", 2), ("shipped", 1), ("shipped", 2),
    }  # fmt: skip
    assert all(row["pictures_per_s"] > 0 and row["limit"]["pictures_per_s"] > 0 for row in figures["figures"])
    assert figures["weights"]["int8"] is True
    assert [line.split(":")[0] for line in figures["not_measured"]] == [
        "float", "ultralytics", "accuracy", "real pictures and accuracy",
    ]  # fmt: skip


def test_quantised_weights_are_not_taken_for_the_float_network(tmp_path: Path) -> None:
    assert quantised(described(shipped_weights()))
    with pytest.raises(WeightsError, match="float"):
        measure(Wanted(shipped_weights(), tmp_path, floating=shipped_weights()), tick=lambda *_: None)


def test_a_peer_that_is_not_there_is_told_with_its_reason(tmp_path: Path) -> None:
    assert why_no_peer(None) == "no --peer FILE.pt was given"
    assert why_no_peer(tmp_path / "yolo.pt") is not None
