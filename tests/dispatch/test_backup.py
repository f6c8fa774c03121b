"""A copy taken while the record is being written, put back, and proved against its own log."""

import threading
from pathlib import Path

import pytest

from dispatch.backup import backup, restore
from dispatch.queries import count_incidents
from dispatch.store.store import Store
from dispatch.testing import observation, see
from dispatch.verify_log import verify_log
from models.errors import SettingsError
from models.geometry import Box
from models.testing import FakeClock


def find(store: Store, clock: FakeClock, number: int) -> None:
    column, row = number % 19, number // 19
    box = Box(0.05 * column, 0.05 * row, 0.05 * column + 0.03, 0.05 * row + 0.03)
    see(store, observation(clock.now(), box=box))


def count(store: Store) -> int:
    with store.reading() as session:
        return count_incidents(session)


def test_a_backup_of_a_record_in_use_is_whole_and_comes_back(
    database_url: str, store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        for number in range(100):
            find(store, clock, number)
            written.set()
            if stop.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(10)
    backup(database_url, tmp_path / "copies" / "record.backup")
    stop.set()
    writer.join()
    later = count(store)
    store.close()
    restore(tmp_path / "copies" / "record.backup", database_url)
    again = Store.open(database_url, clock=clock)
    assert 1 <= count(again) <= later
    assert verify_log(again).clean
    find(again, clock, 200)  # and it goes on
    assert verify_log(again).clean
    again.close()


def test_a_backup_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no backup"):
        restore(tmp_path / "nothing", f"sqlite:///{tmp_path / 'record.db'}")
