"""The benchmark of RTSP clients: the command itself for a short time, a served camera in its own process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridwarden.bench.rtsp import Wanted, measure
from gridwarden.bench.rtsp_film import write_film
from gridwarden.cli import app
from models.errors import SettingsError


def test_the_command_measures_both_clients_opened_anew_and_kept_open() -> None:
    words = ["bench", "rtsp", "--looks", "6", "--cameras", "2", "--seconds", "2", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    measured, missing = figures["encodings"], figures["not_measured"]
    assert len(measured) + len(missing) == 2
    for encoding in measured.values():
        once, kept = encoding["open_close"], encoding["kept_open"]
        assert once["pyav_to_ours"] == pytest.approx(once["pyav_cpu_ms"] / once["ours_cpu_ms"], rel=0.02)
        assert all(value > 0 for name, value in kept.items() if name != "cheaper_below_s")


def test_a_film_that_is_none_is_said_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("no film")
    with pytest.raises(SettingsError, match=r"words\.mp4"):
        write_film(tmp_path / "out.mp4", tmp_path / "words.mp4", codec="libx264")
    with pytest.raises(SettingsError, match=r"words\.mp4"):
        measure(Wanted(tmp_path / "words.mp4"), tick=lambda *_: None)
