from __future__ import annotations

from pathlib import Path

import pytest

from gridwarden.demo import footage
from gridwarden.demo.district import demo_district
from gridwarden.own_camera import own_camera
from models.errors import SettingsError
from models.taxonomy import load_taxonomy


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data folder beside the project, no package index, no apt."""
    monkeypatch.setattr(footage, "DATA_BESIDE", tmp_path / "nowhere")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without_network")
def test_without_any_footage_the_demonstration_says_how_to_give_some(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(SettingsError, match=r"\./scripts/demo VIDEO_OR_RTSP_URL"):
        demo_district(tmp_path / "cache", [], taxonomy=load_taxonomy(), say=said.append)
    assert any("there is no apt here" in sentence for sentence in said)


@pytest.mark.usefixtures("without_network")
def test_cameras_whose_footage_is_missing_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "vtest.avi").write_bytes(b"present")
    (tmp_path / "cache" / "bikes.mp4").write_bytes(b"present")
    said: list[str] = []
    district = demo_district(tmp_path / "cache", [], taxonomy=load_taxonomy(), say=said.append)
    assert [camera.camera_id for camera in district.cameras] == ["cam-101", "cam-102", "cam-111", "cam-112"]
    assert district.cameras[2].source.endswith("vtest.avi#t=40")
    assert any("9 of 13 cameras are left out" in sentence for sentence in said)


def test_own_sources_replace_the_demonstration_cameras(tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_bytes(b"present")
    sources = [str(tmp_path / "mine.mp4"), "rtsp://10.0.0.9/sub"]
    district = demo_district(tmp_path / "cache", sources, taxonomy=load_taxonomy(), say=print)
    assert [camera.source for camera in district.cameras] == sources


def test_a_password_in_an_own_address_is_not_in_the_cameras_name() -> None:
    camera = own_camera(1, "rtsp://user:hidden-word@10.0.0.9/sub", position=(0.0, 0.0))
    assert "hidden-word" not in camera.name


@pytest.mark.parametrize("source", ["ftp://10.0.0.9/sub", "", "/nowhere/street.mp4"])
def test_an_own_source_that_cannot_be_used_is_refused_with_what_can(source: str) -> None:
    with pytest.raises(SettingsError, match=r"rtsp://|URL"):
        own_camera(1, source, position=(0.0, 0.0))
