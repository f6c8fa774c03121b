from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from detect.spool import Spool
from dispatch.kept_pictures import pictures_of_open_incidents
from dispatch.queries import list_incidents
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import WANG, fill_small_district, observation, see
from gridwarden.data_folder import DataFolder
from gridwarden.evidence_upkeep import DAY_S, Retention, forget_old_evidence, look_after_evidence, read_storage
from ingest.picture_store import PictureStore
from models.ids import PictureHash
from models.lifecycle import Step
from models.people import Actor, Role
from models.testing import FakeClock

PLENTY = 10**12


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.fixture
def store(folder):
    opened = Store.open(folder.database_url, clock=FakeClock())
    fill_small_district(opened)
    yield opened
    opened.close()


@pytest.fixture
def picture(folder):
    """A picture of this size put so many days ago."""
    pictures = PictureStore(folder.pictures)

    def put(*, days: float, size: int = 1000) -> PictureHash:
        name = pictures.put(os.urandom(size))
        then = time.time() - days * DAY_S
        os.utime(folder.pictures / name[:2] / f"{name}.jpg", (then, then))
        return name

    return put


@pytest.fixture
def there(folder):
    return lambda name: PictureStore(folder.pictures).get(name) is not None


def forget(store, folder, *, free: int = PLENTY, **retention) -> int:
    return forget_old_evidence(store, folder, Retention(**retention), free_bytes=lambda: free)


def reject(store: Store) -> None:
    (incident,) = list_incidents_of(store)
    with store.transaction() as session:
        take_step(
            session, incident_id=incident.incident_id, step=Step.NOTHING_HERE, actor=Actor(Role.WORKER, WANG),
            now=store.clock.now(), data={"reason": "nothing"},
        )  # fmt: skip


def list_incidents_of(store: Store):
    with store.reading() as session:
        return list_incidents(session)


def test_what_is_old_goes_and_what_is_young_stays(store, folder, picture, there):
    old, young = picture(days=181), picture(days=179)
    assert forget(store, folder) == 1
    assert (there(old), there(young)) == (False, True)


def test_evidence_of_an_open_incident_stays_however_old_and_goes_once_it_is_finished(store, folder, picture, there):
    name = picture(days=1000)
    see(store, observation(store.clock.now(), picture=name))
    assert forget(store, folder, most_bytes=0) == 0
    reject(store)
    assert forget(store, folder) == 1
    assert not there(name)


def test_evidence_of_every_event_counts_and_not_only_what_is_shown_now(store, folder, picture):
    names = [picture(days=1000) for _ in range(30)]
    for name in names:
        see(store, observation(store.clock.now(), picture=name))
    with store.reading() as session:
        assert set(names) <= pictures_of_open_incidents(session)


def test_what_waits_in_the_spool_stays(store, folder, picture, there):
    name = picture(days=300)
    spool = Spool(folder.node / "spool.db")
    spool.put([{"v": 1, "key": "k", "evidence": [{"picture": name}]}], memories={})
    assert forget(store, folder) == 0
    spool.close()


def test_the_oldest_go_when_there_is_too_much_but_none_younger_than_two_days(store, folder, picture, there):
    oldest, older, young = picture(days=30), picture(days=20), picture(days=1)
    assert forget(store, folder, most_bytes=2000) == 1
    assert (there(oldest), there(older)) == (False, True)
    assert forget(store, folder, most_bytes=0) == 1
    assert there(young)


def test_a_low_disk_makes_room_at_once_and_says_when_it_cannot(store, folder, picture, there, caplog):
    for days in (30, 20, 10):
        picture(days=days)
    assert forget(store, folder, free=10_000, low_free_bytes=11_500) == 2
    assert "make room" in caplog.text


def test_putting_a_picture_again_makes_it_young(store, folder):
    pictures = PictureStore(folder.pictures)
    name = pictures.put(b"jpeg")
    os.utime(folder.pictures / name[:2] / f"{name}.jpg", (1000, 1000))
    assert pictures.put(b"jpeg") == name
    assert forget(store, folder) == 0


def test_how_full_it_is_is_told(folder, picture):
    assert read_storage(folder).oldest_days is None
    picture(days=12, size=5000)
    storage = read_storage(folder)
    assert (storage.pictures, storage.bytes) == (1, 5000)
    assert storage.oldest_days == pytest.approx(12, abs=0.1)
    assert 0 < storage.disk_share < 1


async def test_the_first_round_is_at_the_start(store, folder, picture, there):
    name = picture(days=500)
    looking = asyncio.create_task(look_after_evidence(store, folder, Retention()))
    async with asyncio.timeout(20):
        while there(name):  # noqa: ASYNC110 - nothing tells when a file is gone
            await asyncio.sleep(0.01)
    looking.cancel()
