"""`gridwarden cameras …` as typed, on real data folders and served cameras."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from dispatch.store.store import Store
from gridwarden.camera_book import CameraBook
from gridwarden.cli import app
from gridwarden.data_folder import DataFolder
from gridwarden.district import NODE, parse_district
from gridwarden.follow_cameras import follow_cameras
from gridwarden.install_district import install_district
from ingest.health_journal import HealthJournal
from ingest.served_camera import ServedCamera
from ingest.served_snapshot import Behaviour, ServedSnapshot
from models.clock import SystemClock
from models.ids import CameraId
from models.places import Camera, CameraCondition, CameraState, Flaw, Trouble
from models.taxonomy import load_taxonomy
from tests.ingest.test_gb28181 import ServedGateway
from tests.ingest.test_onvif import ServedOnvif

Served = TypeVar("Served", bound=ServedCamera)

LIST = """编号,名称,地址,用户名,密码,经度,纬度
cam-1,东门[1],rtsp://10.0.0.7/sub,admin,geheim,121.47,31.23
cam-2,西门,ftp://10.0.0.8/snap.jpg,,,121.48,31.24
cam-3,南门,http://10.0.0.9/snap.jpg?token=abc123,,,121.49,31.25
"""

DISTRICT = """
[district]
zh = "小街道"
en = "Small"
[[cell]]
id = "c1"
code = "001"
name = "一网格"
boundary = [[113.0, 34.0], [113.1, 34.0], [113.1, 34.1]]
[[camera]]
id = "from-file"
name = "路口"
source = "rtsp://admin:geheim@10.0.0.9/stream"
position = [113.05, 34.05]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data):
    """A command with this data folder; its exit status and the lines on stdout."""

    def command(*arguments: str, code: int = 0, typed: str | None = None) -> str:
        result = CliRunner().invoke(app, ["cameras", *arguments, "--data", str(data)], input=typed)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result.output + (str(result.exception) if code else "")

    return command


@pytest.fixture
def imported(tmp_path, run) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="gb18030")
    run("import", str(path), "--json", code=1)
    return path


@contextmanager
def opened_book(data: Path) -> Iterator[tuple[Store, CameraBook]]:
    folder = DataFolder(data)
    store = Store.open(folder.database_url, clock=SystemClock())
    try:
        yield store, CameraBook(store, keys=folder.camera_keys, notes=folder.camera_notes)
    finally:
        store.close()


def on_disk(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_an_import_puts_the_good_rows_in_and_tells_the_bad_ones(tmp_path, run):
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8-sig")
    said = run("import", str(path), "--json", code=1)
    report = json.loads(said.splitlines()[0])
    assert report["added"] == ["cam-1", "cam-3"]
    assert [(bad["row"], bad["field"]) for bad in report["bad"]] == [(3, "source")]
    assert "1 of 3 rows" in said
    lines = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert [line["camera"] for line in lines] == ["cam-1", "cam-3"]
    assert lines[0]["address"] == "rtsp://***@10.0.0.7/sub"
    assert lines[1]["address"] == "http://10.0.0.9/snap.jpg?token=***"


def test_importing_the_same_list_again_changes_nothing(run, imported):
    report = json.loads(run("import", str(imported), "--json", code=1).splitlines()[0])
    assert (report["added"], report["changed"], report["unchanged"]) == ([], [], 2)


def test_a_dry_run_changes_nothing_and_makes_no_data_folder(tmp_path, run, data):
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    assert "2 would be added" in run("import", str(path), "--dry-run", code=1)
    assert not data.exists()


def test_the_table_shows_names_as_they_are(run, imported):
    assert "东门[1]" in run("list")


def test_no_password_lies_on_the_disk_or_in_what_is_said(run, imported, data):
    said = run("list") + run("list", "--json") + run("health", "--json")
    for secret in ("geheim", "abc123"):
        assert secret not in said
        assert secret.encode() not in on_disk(data)
    with opened_book(data) as (_, book):
        assert book.get("cam-1").camera.source == "rtsp://admin:geheim@10.0.0.7/sub"


def test_turning_the_key_seals_everything_anew_and_old_plain_rows_too(run, imported, data):
    before = sqlite3.connect(data / "gridwarden.sqlite").execute("select source from camera").fetchall()
    run("turn-key")
    after = sqlite3.connect(data / "gridwarden.sqlite").execute("select source from camera").fetchall()
    assert not set(before) & set(after)
    assert len(json.loads((data / "camera-keys.json").read_text())) == 1
    with opened_book(data) as (_, book):
        assert book.get("cam-1").camera.source == "rtsp://admin:geheim@10.0.0.7/sub"


def test_a_camera_whose_key_is_lost_is_shown_so_and_the_others_go_on(run, imported, data):
    (data / "camera-keys.json").unlink()
    lines = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert "key file" in lines[0]["fault"]
    assert lines[0]["address"] == ""


def test_a_camera_is_added_changed_paused_resumed_and_removed(run, imported):
    run("add", "new", "rtsp://10.0.0.5/", "--position", "121.4,31.2", "--user", "admin", typed="ge@heim\n")
    assert "already" in run("add", "new", "rtsp://10.0.0.6/", "--position", "121.4,31.2", code=1)
    run("add", "new", "rtsp://10.0.0.6/", "--position", "121.4,31.2", "--name", "新门", "--change")
    run("pause", "new")
    line = next(line for line in map(json.loads, run("list", "--json").splitlines()) if line["camera"] == "new")
    assert (line["address"], line["name"], line["condition"]) == ("rtsp://10.0.0.6/", "新门", "paused")
    run("resume", "new")
    run("remove", "new")
    assert "There is no camera new" in run("remove", "new", code=1)


def test_what_is_wrong_with_an_added_camera_is_said_without_its_password(run, data):
    said = run("add", "门", "ftp://admin:geheim@10.0.0.5/", "--position", "31.2,121.4", code=1)
    assert "id:" in said
    assert "latitude:" in said
    assert "geheim" not in said
    assert not data.exists()


def test_a_folder_without_a_record_is_said(run):
    assert "holds no record" in run("list", code=1)


def test_health_tells_what_is_in_trouble_and_how_full_the_disk_is(run, imported, data):
    clock = SystemClock()
    journal = HealthJournal(DataFolder(data).health)
    journal.note(
        [
            CameraState(
                CameraId("cam-1"), CameraCondition.OFFLINE, clock.now(), trouble=Trouble.TIMEOUT, message="no picture"
            ),
            CameraState(
                CameraId("cam-3"), CameraCondition.ONLINE, clock.now(), flaws=(Flaw.MOVED,), message="moved: x"
            ),
        ],
        clock.now(),
    )
    journal.close()
    told = json.loads(run("health", "--events", "10", "--json"))
    assert [(line["camera"], line["trouble"]) for line in told["troubled"]] == [("cam-1", "timeout"), ("cam-3", None)]
    assert {event["kind"] for event in told["events"]} == {"offline", "moved"}
    assert told["running"]
    assert told["storage"]["pictures"] == 0
    said = run("health", "--events", "10")
    assert "no picture" in said
    assert "画面已偏离参考视角" in said
    assert "storage" in said


def served(picture: bytes, **more):
    return beside(ServedSnapshot(picture, **more))


@contextmanager
def beside(camera: Served) -> Iterator[Served]:
    """A served camera beside a command that brings its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(camera.start(), loop).result(10)
        yield camera
    finally:
        asyncio.run_coroutine_threadsafe(camera.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def jpeg() -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, (320, 240)))[1].tobytes()


def test_trying_a_camera_tells_each_step_and_writes_its_picture(run, jpeg, tmp_path):
    with served(jpeg, user="admin", password="geheim") as camera:
        said = run("test", camera.address, "--picture", str(tmp_path / "seen.jpg"), "--json")
    told = json.loads(said.splitlines()[0])
    assert [step["step"] for step in told["steps"]] == ["address", "name", "connect", "picture", "again"]
    assert (told["worked"], told["width"], told["height"]) == (True, 320, 240)
    assert "geheim" not in said
    assert cv2.imread(str(tmp_path / "seen.jpg")).shape == (240, 320, 3)


def test_trying_a_camera_that_does_not_answer_says_where_it_ended(run, jpeg):
    with served(jpeg, behaviour=Behaviour.HTML) as camera:
        said = run("test", camera.address, code=1)
    assert "✓ connect" in said
    assert "✗ picture" in said
    assert "web page" in said
    gone = run("test", "http://127.0.0.1:1/", "--json", code=1)
    assert json.loads(gone.splitlines()[0])["trouble"] == "unreachable"


def test_a_known_camera_is_tried_by_its_id(run, jpeg):
    with served(jpeg) as camera:
        run("add", "gate", camera.address, "--position", "121.4,31.2")
        assert json.loads(run("test", "gate", "--json").splitlines()[0])["worked"]


def test_a_gateways_channels_are_imported_and_those_without_a_position_told(run, data):
    with beside(ServedGateway(newer=True)) as served:
        where = f"127.0.0.1:{served.port}"
        said = run("gateway", where, "--user", "admin", "--json", typed="ge@heim\n")
        assert len(json.loads(said.splitlines()[-1])["added"]) == 3
    with beside(ServedGateway()) as served:
        where = f"127.0.0.1:{served.port}"
        said = run("gateway", where, "--user", "admin", "--dry-run", code=1, typed="ge@heim\n")
    assert "longitude" in said
    lines = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert lines[0]["address"].startswith("gb28181://***@127.0.0.1:")
    assert b"ge%40heim" not in on_disk(data)


def test_an_onvif_device_is_read_and_its_password_not_shown():
    with beside(ServedOnvif(SystemClock())) as served:
        arguments = ["cameras", "onvif", f"127.0.0.1:{served.port}", "--user", "admin", "--json"]
        result = CliRunner().invoke(app, arguments, input="ge<heim\n")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["stream"], told["width"]) == ("rtsp://127.0.0.1:554/Streaming/sub?a=1&b=2", 640)
    assert "heim" not in result.output


def install(store: Store, book: CameraBook, text: str = DISTRICT) -> None:
    taxonomy = load_taxonomy()
    district = parse_district(text, where="district", taxonomy=taxonomy, node_id=NODE)
    install_district(store, district, taxonomy, book)


def ids(book: CameraBook) -> list[str]:
    return [kept.camera.camera_id for kept in book.all()]


def test_cameras_added_by_hand_stay_and_those_of_the_file_follow_the_file(run, imported, data):
    with opened_book(data) as (store, book):
        install(store, book)
        assert ids(book) == ["cam-1", "cam-3", "from-file"]
        install(store, book, DISTRICT.replace("from-file", "renamed"))
        assert ids(book) == ["cam-1", "cam-3", "renamed"]
        assert not book.get("renamed").own
    assert b"geheim" not in on_disk(data)


def test_starting_again_with_the_same_file_writes_nothing(data):
    with opened_book(data) as (store, book):
        install(store, book)
        row = "select source from camera"
        before = sqlite3.connect(data / "gridwarden.sqlite").execute(row).fetchall()
        install(store, book)
        assert sqlite3.connect(data / "gridwarden.sqlite").execute(row).fetchall() == before


def test_a_removed_camera_of_the_file_is_said_to_come_back(run, data):
    with opened_book(data) as (store, book):
        install(store, book)
    assert "the next start brings it back" in run("remove", "from-file")


class Watcher:
    """What a watch node is told, kept."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[list[str]] = asyncio.Queue()

    def set_cameras(self, cameras: list[Camera]) -> dict[CameraId, str]:
        self.told.put_nowait([camera.camera_id for camera in cameras])
        return {}


async def test_a_running_box_follows_the_commands(run, imported, data):
    with opened_book(data) as (_, book):
        watcher = Watcher()
        following = asyncio.create_task(follow_cameras(book, watcher, present=book.watched(), every_s=0.02))
        try:
            await asyncio.to_thread(run, "add", "new", "rtsp://10.0.0.5/", "--position", "121.4,31.2")
            assert await asyncio.wait_for(watcher.told.get(), 10) == ["cam-1", "cam-3", "new"]
            await asyncio.to_thread(run, "pause", "cam-1", "new")
            assert await asyncio.wait_for(watcher.told.get(), 10) == ["cam-3"]
            await asyncio.to_thread(run, "resume", "cam-1")
            assert await asyncio.wait_for(watcher.told.get(), 10) == ["cam-1", "cam-3"]
            await asyncio.to_thread(run, "turn-key")
            await asyncio.to_thread(run, "remove", "cam-3")
            assert await asyncio.wait_for(watcher.told.get(), 10) == ["cam-1"]
        finally:
            following.cancel()
