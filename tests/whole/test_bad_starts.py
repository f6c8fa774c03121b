"""What a user can get wrong: one clear sentence with the way out, exit code 1, and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from pathlib import Path

import pytest

from detect.weights import shipped_weights
from tests.whole.conftest import DISTRICT, ROOT, Camera, RunningBox, command, start_box

FREE_PORTS = ["--port", "0", "--mqtt-port", "0", "--mqtt-ws-port", "0"]


async def outcome(*arguments: str, seconds: float = 60) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command(*arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), seconds)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def district(tmp_path: Path) -> Path:
    path = tmp_path / "district.toml"
    path.write_text(DISTRICT.format(address="http://127.0.0.1:9/none.jpg"), encoding="utf-8")
    return path


async def test_a_second_start_on_the_same_data_is_refused(box: RunningBox, district: Path, tmp_path: Path) -> None:
    code, _, err = await outcome("up", "--district", str(district), "--data", str(tmp_path / "data"), *FREE_PORTS)
    assert code == 1
    assert f"in use by another gridwarden (process {box.process.pid})" in err


@pytest.mark.parametrize("option", ["--port", "--mqtt-port", "--mqtt-ws-port"])
async def test_a_port_in_use_is_named_with_the_option_that_changes_it(
    district: Path, tmp_path: Path, option: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = [port if FREE_PORTS[place - 1 : place] == [option] else word for place, word in enumerate(FREE_PORTS)]
        code, _, err = await outcome("up", "--district", str(district), "--data", str(tmp_path / "data"), *ports)
    assert code == 1
    assert port in err
    assert "Traceback" not in err


async def test_an_unknown_zone_kind_is_named_with_the_known_ones(district: Path, tmp_path: Path) -> None:
    district.write_text(district.read_text(encoding="utf-8").replace("no_parking", "parking_lot"), encoding="utf-8")
    code, _, err = await outcome("up", "--district", str(district), "--data", str(tmp_path / "data"), *FREE_PORTS)
    assert code == 1
    assert "camera.0.zone.0.kind" in err
    assert "'footway'" in err


async def test_altered_weights_are_refused(district: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(shipped_weights(), weights)
    binary = next(weights.glob("*.bin"))
    content = bytearray(binary.read_bytes())
    content[1000] ^= 1
    binary.write_bytes(content)
    options = ["--data", str(tmp_path / "data"), "--weights", str(weights), *FREE_PORTS]
    code, _, err = await outcome("up", "--district", str(district), *options)
    assert code == 1
    assert binary.name in err
    assert "Traceback" not in err


async def test_nothing_to_open_is_explained() -> None:
    code, _, err = await outcome("up")
    assert code == 1
    assert "--demo" in err
    assert "--district" in err


async def test_an_unknown_option_is_a_usage_error() -> None:
    assert (await outcome("up", "--fast"))[0] == 2


async def test_a_missing_video_is_one_sentence() -> None:
    code, _, err = await outcome("watch", "/nowhere/street.mp4")
    assert (code, "does not exist" in err, "Traceback" in err) == (1, True, False)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
async def test_an_empty_or_corrupt_video_is_told_while_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    code, out, err = await outcome("watch", str(broken), "--seconds", "6", "--json")
    assert code == 0
    assert out == ""
    assert "broken.mp4" in err
    assert "Traceback" not in err


async def test_detect_names_the_picture_it_cannot_read_and_sees_the_others(
    street: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"<html>no picture</html>")
    (tmp_path / "b.jpg").write_bytes(street["car"])
    code, out, err = await outcome("detect", str(tmp_path), "--json")
    assert code == 1
    assert "a.jpg" in err
    (line,) = [json.loads(line) for line in out.splitlines()]
    assert line["image"].endswith("b.jpg")
    assert "car" in {one["class"] for one in line["detections"]}


async def test_a_box_with_a_dead_camera_starts_and_says_why_it_gives_no_picture(tmp_path: Path, camera: Camera) -> None:
    box = await start_box(tmp_path / "data", "rtsp://127.0.0.1:9/nothing")
    try:
        async with box.signed_in("operator") as client:
            (state,) = (await client.get("/api/cameras")).json()
            assert state["camera_id"] == "cam-1"
        assert await box.stop() == 0
    finally:
        await box.stop()
