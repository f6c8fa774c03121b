"""Cameras that go down and come back all day: all return, nothing leaks. Half an hour with GRIDWARDEN_SOAK=30."""

import asyncio
import gc
import os
import random
import threading
import time
from pathlib import Path

import pytest

from ingest.backoff import LONGEST_RETRY_S
from ingest.fleet import Fleet
from ingest.served_snapshot import ServedSnapshot
from models.clock import SystemClock
from models.places import CameraCondition

SOAK_MINUTES = float(os.environ.get("GRIDWARDEN_SOAK", "0"))

GROWTH = 1.05
"""Of resident memory, between the end of the first tenth and the end."""


class Flapping:
    """Served cameras of which a share is down at any time, and the fleet that watches them."""

    def __init__(self, served: list[ServedSnapshot], fleet: Fleet, *, seed: int = 1) -> None:
        self.served, self.fleet = served, fleet
        self._ports = [camera.port for camera in served]
        self._down: set[int] = set()
        self._draw = random.Random(seed)

    async def flap(self, share: float) -> None:
        """Those that were down come up, as many others go down."""
        back, self._down = self._down, set(self._draw.sample(range(len(self.served)), int(len(self.served) * share)))
        for number in back - self._down:
            await self.served[number].start(port=self._ports[number])
        for number in self._down - back:
            await self.served[number].stop()

    async def all_up(self) -> None:
        for number in self._down:
            await self.served[number].start(port=self._ports[number])
        self._down = set()

    def online(self) -> int:
        return sum(state.condition is CameraCondition.ONLINE for state in self.fleet.states())


async def flapped(
    camera, jpeg, *, cameras: int, rounds: int, round_s: float, interval_s: float
) -> list[tuple[int, int, int]]:
    """Descriptors, threads and kilobytes after each round; at the end every camera is back."""
    served = [ServedSnapshot(jpeg()) for _ in range(cameras)]
    for one in served:
        await one.start()
    fleet = Fleet(clock=SystemClock(), allow_private=True, seed=1, deadline_s=3)
    fleet.set_cameras([camera(one.address, name=f"c{n}", interval_s=interval_s) for n, one in enumerate(served)])
    running, reading = asyncio.create_task(fleet.run()), asyncio.create_task(read(fleet))
    flapping, used = Flapping(served, fleet), []
    try:
        for _ in range(rounds):
            await flapping.flap(0.1 if cameras >= 100 else 0.4)
            await asyncio.sleep(round_s)
            used.append(usage())
        await flapping.all_up()
        async with asyncio.timeout(LONGEST_RETRY_S + 3 * interval_s + 10):
            while flapping.online() < cameras:  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.2)
        used.append(usage())
    finally:
        for task in (running, reading):
            task.cancel()
        await asyncio.wait([running, reading])
        for one in served:
            await one.stop()
    return used


async def read(fleet: Fleet) -> None:
    async for _ in fleet.looks():
        pass


def usage() -> tuple[int, int, int]:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), resident


@pytest.mark.timeout(110)
async def test_cameras_that_come_and_go_all_return_and_leave_no_sockets_behind(camera, jpeg) -> None:
    used = await flapped(camera, jpeg, cameras=20, rounds=4, round_s=1.0, interval_s=0.5)
    listening, connections = 20, 2 * 20  # both ends of each connection lie in this process
    assert max(files for files, _, _ in used) - listening - connections < 40
    assert used[-1][1] <= used[0][1] + 2


@pytest.mark.skipif(not SOAK_MINUTES, reason="takes half an hour: GRIDWARDEN_SOAK=30")
@pytest.mark.timeout(SOAK_MINUTES * 60 + 600)
async def test_a_sub_district_flaps_for_half_an_hour_and_nothing_grows(camera, jpeg) -> None:
    from gridwarden.bench.served.server import allow_many_files

    allow_many_files()
    started = time.monotonic()
    used = await flapped(camera, jpeg, cameras=1438, rounds=int(SOAK_MINUTES), round_s=60.0, interval_s=10.0)
    early, late, all_up = used[max(len(used) // 10, 1)], used[-2], used[-1]
    assert all_up[2] <= early[2] * GROWTH
    assert abs(late[0] - early[0]) <= early[0] * 0.02  # a tenth of the cameras is down in both
    assert all_up[0] <= 3 * 1438 + 60  # a listening socket and both ends of a connection each
    assert time.monotonic() - started > SOAK_MINUTES * 60
