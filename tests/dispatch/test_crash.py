"""Killed in the middle of the work, again and again: dispatcher, broker, database, disk. Nothing lost, nothing doubled.

`GRIDWARDEN_CRASH_ROUNDS=50` makes the long suite of it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispatch.broker import EmbeddedBroker
from dispatch.store.store import Store
from dispatch.testing import fill_small_district
from models.clock import SystemClock
from tests.dispatch.conftest import Cluster
from tests.dispatch.crashing import STARTED, Password, account, finds, kill, says, start, street

ROUNDS = int(os.environ.get("GRIDWARDEN_CRASH_ROUNDS", "10"))
"""Of killing the dispatcher; the broker and the database, which start slower, have a fifth of it."""

FINDS_A_ROUND = 12

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

pytestmark = pytest.mark.timeout(60 + 30 * ROUNDS)


@pytest.fixture(autouse=True)
async def none_is_left() -> AsyncIterator[None]:
    yield
    while STARTED:
        await kill(STARTED.pop())


async def test_the_dispatcher_killed_again_and_again(
    live_store: Store, broker: EmbeddedBroker, password: Password, tmp_path: Path
) -> None:
    database, number = f"sqlite:///{tmp_path / 'record.db'}", min(ROUNDS * FINDS_A_ROUND, 361)
    seen = finds(number)
    async with street(broker.url, password) as there:
        process = await start(database, broker.url, password("dispatch")())
        for place in range(ROUNDS):
            there.add(seen[place * FINDS_A_ROUND : (place + 1) * FINDS_A_ROUND])
            await asyncio.sleep(random.uniform(0.02, 0.5))  # the moment of the crash, not a wait for something
            await kill(process)
            process = await start(database, broker.url, password("dispatch")())
        await there.until(lambda: not there.waiting and len(set(there.tasks.values())) == number)
        await kill(process)
    account(live_store, there, number)


async def test_the_dispatcher_told_to_stop_finishes_in_order_and_goes_on_later(
    live_store: Store, broker: EmbeddedBroker, password: Password, tmp_path: Path
) -> None:
    database, seen = f"sqlite:///{tmp_path / 'record.db'}", finds(60)
    async with street(broker.url, password) as there:
        process = await start(database, broker.url, password("dispatch")())
        there.add(seen)
        await there.until(lambda: bool(there.tasks))
        await kill(process, signal.SIGTERM)
        assert process.returncode == 0
        process = await start(database, broker.url, password("dispatch")())
        await there.until(lambda: not there.waiting and len(set(there.tasks.values())) == 60)
        await kill(process)
    account(live_store, there, 60)


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
async def test_the_broker_killed_again_and_again(live_store: Store, password: Password, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")

    async def begin() -> Process:
        return await asyncio.create_subprocess_exec(str(MOSQUITTO), "-c", str(settings), stderr=DEVNULL)

    database, url, rounds = f"sqlite:///{tmp_path / 'record.db'}", f"mqtt://127.0.0.1:{port}", max(2, ROUNDS // 5)
    number = rounds * 20
    seen, broker = finds(number), await begin()
    async with street(url, password) as there:
        process = await start(database, url, password("dispatch")())
        for place in range(rounds):
            there.add(seen[place * 20 : (place + 1) * 20])
            await asyncio.sleep(random.uniform(0.05, 0.5))
            await kill(broker)
            broker = await begin()
            await asyncio.gather(there.camera.wait_ready(), there.phone.wait_ready())
        await there.until(lambda: not there.waiting and len(set(there.tasks.values())) == number)
        await kill(process)
    await kill(broker)
    account(live_store, there, number)


async def test_the_database_killed_again_and_again(
    own_cluster: Cluster, broker: EmbeddedBroker, password: Password
) -> None:
    database, rounds = own_cluster.new_database(), max(2, ROUNDS // 5)
    store = Store.open(database, clock=SystemClock())
    fill_small_district(store)
    number = rounds * 20
    seen = finds(number)
    async with street(broker.url, password) as there:
        process = await start(database, broker.url, password("dispatch")())
        for place in range(rounds):
            there.add(seen[place * 20 : (place + 1) * 20])
            await asyncio.sleep(random.uniform(0.05, 0.5))
            await asyncio.to_thread(own_cluster.kill)
            await asyncio.to_thread(own_cluster.begin)
        await there.until(lambda: not there.waiting and len(set(there.tasks.values())) == number)
        await kill(process)
    store.close()
    again = Store.open(database, clock=SystemClock())
    account(again, there, number)
    again.close()


async def test_a_full_disk_stops_nothing_for_good(
    live_store: Store, broker: EmbeddedBroker, password: Password, tmp_path: Path
) -> None:
    """The kernel refuses every write beyond a size, as a quota does; then there is room again."""
    record, number = tmp_path / "record.db", 120
    largest = max(record.stat().st_size, (tmp_path / "record.db-wal").stat().st_size) + 60_000
    async with street(broker.url, password) as there:
        process = await start(f"sqlite:///{record}", broker.url, password("dispatch")(), largest_file=largest)
        there.add(finds(number))
        await says(process, b"failed\n")
        assert there.waiting, "what could not be written must not be told as committed"
        process.send_signal(signal.SIGUSR1)
        await there.until(lambda: not there.waiting and len(set(there.tasks.values())) == number)
        await kill(process)
    account(live_store, there, number)
