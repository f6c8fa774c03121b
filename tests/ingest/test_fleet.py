import asyncio
import contextlib
import gc
import threading
from collections import Counter
from pathlib import Path

import pytest

from ingest.fleet import Fleet
from ingest.served_rtsp import ServedRtsp
from ingest.served_snapshot import Behaviour, ServedSnapshot
from ingest.testing import RecordedSource
from models.clock import SystemClock
from models.errors import NotFoundError, SourceError
from models.ids import CameraId
from models.pictures import LookReason
from models.places import CameraCondition, Trouble

CONDITION_S = 20
"""How long a test waits for what should come soon; only a failing test waits that long."""


async def until(true) -> None:
    """Waits until the condition holds, looking 20 times a second."""
    async with asyncio.timeout(CONDITION_S):
        while not true():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.05)


class Watch:
    """A running fleet and what it gave."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.looks = []

    async def read(self) -> None:
        async for look in self.fleet.looks():
            self.looks.append(look)

    async def until(self, true) -> None:
        await until(true)

    def count(self, camera_id: str) -> int:
        return sum(look.camera_id == camera_id for look in self.looks)

    def state(self, camera_id: str):
        return next(state for state in self.fleet.states() if state.camera_id == camera_id)


@contextlib.asynccontextmanager
async def watching(cameras, *, read=True, **settings):
    fleet = Fleet(clock=SystemClock(), allow_private=True, seed=3, **settings)
    fleet.set_cameras(cameras)
    watch = Watch(fleet)
    running = asyncio.create_task(fleet.run())
    reading = asyncio.create_task(watch.read()) if read else None
    try:
        yield watch
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        if reading is not None:
            await reading


async def test_cameras_of_every_kind_are_watched_together(camera, jpeg, video, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg())
    async with ServedSnapshot(jpeg()) as snapshot, ServedRtsp(video(gop=5)) as rtsp:
        addresses = {
            "snapshot": snapshot.address,
            "rtsp": rtsp.address,
            "video": video(),
            "folder": tmp_path / "pictures",
        }
        cameras = [camera(address, name=name, interval_s=0.5) for name, address in addresses.items()]
        cameras.append(camera(rtsp.address, name="continuous", interval_s=0.5, continuous=True))
        async with watching(cameras) as watch:
            await watch.until(lambda: all(watch.count(one.camera_id) >= 3 for one in cameras))
            assert {state.condition for state in watch.fleet.states()} == {CameraCondition.ONLINE}
        for one in cameras:
            seqs = [look.seq for look in watch.looks if look.camera_id == one.camera_id]
            assert seqs == list(range(1, len(seqs) + 1))


async def test_wrong_cameras_are_reported_and_the_others_go_on(camera, video):
    cameras = [
        camera(video(), name="good", interval_s=0.5),
        camera("ftp://10.0.0.7/x", name="scheme"),
        camera("no/such/file.mp4", name="missing"),
        camera("elsewhere.mp4", name="good"),
    ]
    fleet = Fleet(clock=SystemClock())
    problems = fleet.set_cameras(cameras)
    assert set(problems) == {"scheme", "good"}
    async with watching(cameras) as watch:
        await watch.until(lambda: watch.count("good") >= 3)
        assert watch.state("scheme").trouble is Trouble.REFUSED
        assert watch.state("missing").trouble is Trouble.MISSING
        assert "no/such/file.mp4" in watch.state("missing").message


async def test_slow_and_dead_cameras_do_not_hold_the_others(camera, jpeg, clock):
    def opener(one):
        slow = one.camera_id.startswith("slow")
        return RecordedSource([jpeg_image], clock=clock, delay_s=60 if slow else 0.01)

    jpeg_image = await _decoded(jpeg())
    cameras = [camera("x", name=f"slow{i}", interval_s=1) for i in range(12)]
    cameras += [camera("x", name=f"good{i}", interval_s=1) for i in range(12)]
    async with watching(cameras, opener=opener, workers=16, deadline_s=1) as watch:
        await watch.until(lambda: all(watch.count(f"good{i}") >= 4 for i in range(12)))
        assert watch.fleet.counters()["looks"] >= 48


async def _decoded(data: bytes):
    from ingest.decode import decode_picture

    return decode_picture(data, what="test")


async def test_a_camera_that_goes_away_and_comes_back_is_offline_with_its_reason_and_then_online(camera, jpeg):
    async with ServedSnapshot(jpeg()) as served, watching([camera(served.address, interval_s=0.3)]) as watch:
        await watch.until(lambda: watch.count("cam") >= 2)
        served.behaviour = Behaviour.HTML
        await watch.until(lambda: watch.state("cam").condition is CameraCondition.OFFLINE)
        state = watch.state("cam")
        assert state.trouble is Trouble.NOT_A_PICTURE
        assert "web page" in state.message
        assert state.next_look_at is not None
        served.behaviour = Behaviour.PICTURE
        await watch.until(lambda: watch.state("cam").condition is CameraCondition.ONLINE)
        assert watch.state("cam").trouble is None


async def test_a_flapping_camera_leaks_nothing(camera, jpeg):
    def open_files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    async with ServedSnapshot(jpeg()) as served, watching([camera(served.address, interval_s=0.1)]) as watch:
        await watch.until(lambda: watch.count("cam") >= 3)
        files, tasks, threads = open_files(), len(asyncio.all_tasks()), threading.active_count()
        for _ in range(4):
            failures = watch.state("cam").failures
            served.behaviour = Behaviour.CUT_OFF
            await watch.until(lambda failures=failures: watch.state("cam").failures > failures)
            looks = watch.count("cam")
            served.behaviour = Behaviour.PICTURE
            await watch.until(lambda looks=looks: watch.count("cam") > looks)
        assert open_files() <= files + 2
        assert len(asyncio.all_tasks()) <= tasks + 2
        assert threading.active_count() <= threads + 2


async def test_a_promised_look_comes_ahead_and_carries_its_reason(camera, video):
    async with watching([camera(video(), interval_s=600)]) as watch:
        await watch.until(lambda: watch.count("cam") == 1)
        watch.fleet.promise(CameraId("cam"), reason=LookReason.VERIFICATION, within_s=0.1)
        await watch.until(lambda: watch.count("cam") == 2)
        assert watch.looks[-1].reason is LookReason.VERIFICATION
        with pytest.raises(NotFoundError):
            watch.fleet.promise(CameraId("other"), reason=LookReason.OPERATOR, within_s=1)


async def test_cameras_are_added_changed_and_removed_while_running(camera, picture, clock):
    opened, sources = Counter(), {}

    def opener(one):
        opened[one.source] += 1
        sources[one.source] = RecordedSource([picture()], clock=clock)
        return sources[one.source]

    def watched(**addresses):
        return [camera(address, name=name, interval_s=0.1) for name, address in addresses.items()]

    async with watching(watched(a="1", b="2"), opener=opener) as watch:
        await watch.until(lambda: watch.count("a") and watch.count("b"))
        watch.fleet.set_cameras(watched(a="1", b="3", c="4"))
        await watch.until(lambda: opened["3"] and watch.count("c"))
        assert opened["1"] == 1, "an unchanged camera is not disturbed"
        await watch.until(lambda: sources["2"].closed)
        watch.fleet.set_cameras(watched(c="4"))
        await watch.until(lambda: sources["1"].closed and sources["3"].closed)
        seen = watch.count("a")
        await watch.until(lambda: watch.count("c") > 5)
        assert watch.count("a") == seen
        assert [state.camera_id for state in watch.fleet.states()] == ["c"]


async def test_a_removed_camera_is_let_go_in_the_middle_of_its_look(camera, picture, clock):
    source = RecordedSource([picture()], clock=clock, delay_s=60)
    async with watching([camera("x")], opener=lambda one: source, deadline_s=100) as watch:
        await watch.until(lambda: watch.fleet.counters()["in_flight"] == 1)
        watch.fleet.set_cameras([])
        await watch.until(lambda: source.closed)
        await watch.until(lambda: watch.fleet.counters()["in_flight"] == 0)


async def test_when_nobody_reads_looking_stops_and_memory_does_not_grow(camera, picture, clock):
    cameras = [camera("x", name=str(i), interval_s=0.05) for i in range(30)]

    def opener(one):
        return RecordedSource([picture()], clock=clock)

    async with watching(cameras, opener=opener, queue_size=8, workers=4, read=False) as watch:
        await watch.until(lambda: watch.fleet.counters()["queued"] == 8)
        looks = watch.fleet.counters()["looks"]
        await watch.until(lambda: watch.fleet.counters()["behind_s"] > 0.3)
        assert watch.fleet.counters()["looks"] <= looks + 4
        assert watch.fleet.counters()["queued"] == 8
        watch.fleet.promise(CameraId("7"), reason=LookReason.VERIFICATION, within_s=0)
        await watch.until(lambda: watch.fleet.counters()["dropped"] >= 1)
        reading = asyncio.create_task(watch.read())
        await watch.until(lambda: any(look.reason is LookReason.VERIFICATION for look in watch.looks))
        await watch.until(lambda: len(watch.looks) > 60)
    await reading


async def test_stopping_takes_no_notice_of_cameras_that_hang(camera, jpeg):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.SILENT) as served:
        cameras = [camera(served.address, name="http"), camera(served.address.replace("http", "rtsp"), name="rtsp")]
        cameras.append(camera(served.address.replace("http", "rtsp"), name="open", continuous=True))
        fleet = Fleet(clock=SystemClock(), allow_private=True, deadline_s=60)
        fleet.set_cameras(cameras)
        running = asyncio.create_task(fleet.run())
        await until(lambda: served.connections == 3)
        running.cancel()
        # Far below the cameras' deadline of 60 s; nothing is asserted about the fraction of a second it really takes.
        done, _ = await asyncio.wait([running], timeout=5)
        assert done
        assert fleet.counters()["in_flight"] == 0


async def test_a_fault_in_a_source_costs_its_look_is_logged_and_the_rest_goes_on(camera, picture, clock, caplog):
    class Broken(RecordedSource):
        async def look(self, *, deadline_s):
            raise ZeroDivisionError

    def opener(one):
        return Broken([], clock=clock) if one.camera_id == "broken" else RecordedSource([picture()], clock=clock)

    cameras = [camera("x", name="broken", interval_s=0.1), camera("x", name="good", interval_s=0.1)]
    async with watching(cameras, opener=opener) as watch:
        await watch.until(lambda: watch.count("good") > 3)
        assert watch.state("broken").condition is CameraCondition.OFFLINE
    assert "ZeroDivisionError" in caplog.text


async def test_a_dead_recorder_is_not_asked_for_each_of_its_channels(camera, clock):
    tries = Counter()

    class Dead(RecordedSource):
        async def look(self, *, deadline_s):
            tries["all"] += 1
            raise SourceError("gone", reason=Trouble.UNREACHABLE)

    cameras = [camera(f"rtsp://10.0.0.7/ch{i}", name=f"ch{i}", interval_s=1) for i in range(40)]
    async with watching(cameras, opener=lambda one: Dead([], clock=clock)) as watch:
        await watch.until(lambda: all(state.condition is CameraCondition.OFFLINE for state in watch.fleet.states()))
        assert tries["all"] < 12
        assert "does not answer for any of its cameras" in watch.state("ch39").message


async def test_one_late_reader_among_several_loses_nothing(camera, picture, clock):
    cameras = [camera("x", name=str(i), interval_s=0.05) for i in range(4)]
    async with watching(cameras, opener=lambda one: RecordedSource([picture()], clock=clock)) as watch:
        second = asyncio.create_task(watch.read())
        await watch.until(lambda: len(watch.looks) > 40)
        assert watch.fleet.counters()["dropped"] == 0
    await second
    assert len({(look.camera_id, look.seq) for look in watch.looks}) == len(watch.looks)
