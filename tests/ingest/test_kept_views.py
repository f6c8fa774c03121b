"""What a camera's right view is survives a restart."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from ingest.fleet import Fleet
from ingest.kept_views import KeptViews
from ingest.picture_health import PictureHealth
from ingest.served_snapshot import ServedSnapshot
from models.clock import SystemClock
from models.places import Flaw
from tests.ingest.test_picture_health import Watch, frames, turned


@pytest.fixture
def kept(tmp_path):
    return KeptViews(tmp_path / "views")


@pytest.fixture
def known(camera):
    return camera("http://192.0.2.7/snapshot.jpg")


@pytest.fixture
def real(clip):
    return frames(clip("walkway-pets09-vtest.mp4"))


@pytest.fixture
def learnt(clock, real):
    watch = Watch(clock)
    watch.see(real, looks=40)
    return watch.health.references


def again(clock, references) -> Watch:
    watch = Watch(clock)
    watch.health = PictureHealth(live=True, references=references)
    return watch


def test_a_camera_turned_while_the_box_was_off_is_told(clock, kept, known, learnt, real):
    kept.save(known, learnt)
    clock.advance(hours=8)
    away = again(clock, kept.load(known)).see([turned(image, across=0.12, degrees=4) for image in real], looks=15)
    assert away[-1] == (Flaw.MOVED,)


def test_a_camera_that_was_left_alone_is_well_after_a_restart(clock, kept, known, learnt, real):
    kept.save(known, learnt)
    clock.advance(hours=8)
    assert set(again(clock, kept.load(known)).see(real, looks=40)) == {()}


def test_what_was_kept_is_what_was_learnt(kept, known, learnt):
    kept.save(known, learnt)
    loaded = kept.load(known)
    assert loaded.keys() == learnt.keys()
    for light, reference in learnt.items():
        assert (loaded[light].looks, loaded[light].began) == (reference.looks, reference.began)
        assert np.allclose(loaded[light].edges, reference.edges, atol=0.02)


def test_another_address_is_another_view(kept, known, learnt):
    kept.save(known, learnt)
    assert kept.load(replace(known, source="http://192.0.2.8/snapshot.jpg")) == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"x" * 300_000])
def test_a_damaged_file_is_learnt_anew(kept, known, learnt, content):
    kept.save(known, learnt)
    (path,) = kept.folder.iterdir()
    path.write_bytes(content)
    assert kept.load(known) == {}


def test_zones_drawn_anew_leave_nothing_kept(kept, known, learnt):
    kept.save(known, learnt)
    kept.save(known, {})
    assert kept.load(known) == {}


def test_no_address_is_written(kept, known, learnt):
    secret = replace(known, source="rtsp://admin:geheim@192.0.2.7/1")
    kept.save(secret, learnt)
    (path,) = kept.folder.iterdir()
    assert b"geheim" not in path.read_bytes()
    assert b"192.0.2.7" not in path.read_bytes()


async def test_a_fleet_keeps_its_views_when_it_stops_and_knows_them_when_it_starts(camera, jpeg, kept):
    async with ServedSnapshot(jpeg()) as served:
        one = camera(served.address, interval_s=0.2)
        await watched_for(Fleet(clock=SystemClock(), allow_private=True, views=kept), one, looks=3)
        assert [reference.looks >= 2 for reference in kept.load(one).values()] == [True]
        before = {light: reference.began for light, reference in kept.load(one).items()}
        await watched_for(Fleet(clock=SystemClock(), allow_private=True, views=kept), one, looks=2)
        assert {light: reference.began for light, reference in kept.load(one).items()} == before


async def test_a_disk_that_takes_nothing_stops_no_fleet(camera, jpeg, tmp_path):
    (tmp_path / "views").write_bytes(b"a file where the folder should be")
    async with ServedSnapshot(jpeg()) as served:
        fleet = Fleet(clock=SystemClock(), allow_private=True, views=KeptViews(tmp_path / "views"))
        assert await watched_for(fleet, camera(served.address, interval_s=0.2), looks=2) == 2


async def watched_for(fleet, one, *, looks: int) -> int:
    fleet.set_cameras([one])
    running, seen = asyncio.create_task(fleet.run()), 0
    async for _ in fleet.looks():
        seen += 1
        if seen == looks:
            break
    running.cancel()
    await asyncio.wait([running])
    return seen
