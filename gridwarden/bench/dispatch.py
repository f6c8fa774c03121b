"""Dispatch, measured with every part a process of its own: real broker, real database, real subscribed phones."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.queries import count_incidents
from dispatch.store.store import Store
from dispatch.verify_log import verify_log
from gridwarden.bench.dispatch_parts import fill
from gridwarden.bench.servers import mosquitto, postgresql
from models.clock import SystemClock
from models.errors import GridwardenError

DELIVERED_WITHIN_S = 120.0
"""After the last find is committed every task must have arrived; what has not is lost."""

LINE_LIMIT = 64 * 1024 * 1024
"""Of what a process says: the phones' last line holds a figure per incident."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """rate, seconds: of the even part; backlog: finds told at once afterwards."""

    broker: str
    database: str
    rate: float
    seconds: float
    backlog: int


@dataclass(frozen=True, slots=True)
class DispatchFigures:
    """lost: incidents no phone was told of; duplicated: finds that became more than one incident; repeated: the same
    task told again, which the app recognises by its `seq`."""

    wanted: Wanted
    sent: int
    incidents: int
    delivered: int
    lost: int
    duplicated: int
    repeated: int
    latency_ms: dict[str, float | None]
    catch_up_per_s: float
    delivered_per_s: float
    log_differences: int

    def to_json(self) -> dict[str, Any]:
        return {
            "broker": self.wanted.broker,
            "database": self.wanted.database,
            "rate": self.wanted.rate,
            "seconds": self.wanted.seconds,
            "backlog": self.wanted.backlog,
            "sent": self.sent,
            "incidents": self.incidents,
            "delivered": self.delivered,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "repeated": self.repeated,
            "latency_ms": self.latency_ms,
            "catch_up_per_s": round(self.catch_up_per_s, 1),
            "delivered_per_s": round(self.delivered_per_s, 1),
            "log_differences": self.log_differences,
        }


async def measure(wanted: Wanted, *, say: Callable[[str], None]) -> DispatchFigures:
    """Starts everything in a throw-away folder, measures, and stops it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = f"sqlite:///{folder}/record.db"
        if wanted.database == "postgresql":
            database = stack.enter_context(postgresql())
        store = Store.open(database, clock=SystemClock())
        stack.callback(store.close)
        await asyncio.to_thread(fill, store)
        if wanted.broker == "mosquitto":
            url = await stack.enter_async_context(mosquitto(folder))
        else:
            url = (await stack.enter_async_context(_part("broker", {}))).ready["ready"]
        dispatcher = await stack.enter_async_context(_part("dispatcher", {"broker": url, "database": database}))
        phones = await stack.enter_async_context(_part("phones", {"broker": url}))
        settings = {"broker": url, "rate": wanted.rate, "seconds": wanted.seconds, "backlog": wanted.backlog}
        say(f"{wanted.rate:g} finds a second for {wanted.seconds:g} s, then {wanted.backlog} at once")
        watcher = await stack.enter_async_context(_part("watcher", settings))
        return await _count(wanted, store, watcher, phones, dispatcher)


async def _count(wanted: Wanted, store: Store, watcher: Part, phones: Part, dispatcher: Part) -> DispatchFigures:
    steady = await watcher.until("steady")
    begun, before = asyncio.get_running_loop().time(), steady["sent"]
    done = await watcher.until("catch_up_s")
    incidents = await asyncio.to_thread(_incidents, store)
    delivered = 0
    async with asyncio.timeout(DELIVERED_WITHIN_S):
        while delivered < incidents:
            delivered = (await phones.until("delivered"))["delivered"]
    took = asyncio.get_running_loop().time() - begun
    phones.process.terminate()
    heard = await phones.until("first")
    dispatcher.process.terminate()
    await dispatcher.until("counters")
    even = list(heard["first"].values())[:before]
    p50, p99 = np.percentile(even, [50, 99]) if even else (None, None)
    report = await asyncio.to_thread(verify_log, store)
    return DispatchFigures(
        wanted=wanted,
        sent=done["sent"],
        incidents=incidents,
        delivered=len(heard["first"]),
        lost=incidents - len(heard["first"]),
        duplicated=max(0, incidents - done["sent"]),
        repeated=heard["repeated"],
        latency_ms={"p50": _rounded(p50), "p99": _rounded(p99)},
        catch_up_per_s=wanted.backlog / done["catch_up_s"] if wanted.backlog else 0.0,
        delivered_per_s=wanted.backlog / took if wanted.backlog else 0.0,
        log_differences=len(report.differences),
    )


def _incidents(store: Store) -> int:
    with store.reading() as session:
        return count_incidents(session)


@dataclass(slots=True)
class Part:
    """A process that is ready, and what it says."""

    name: str
    process: Process
    ready: dict[str, Any]

    async def until(self, key: str) -> dict[str, Any]:
        """The next line that has this key. Raises GridwardenError when the process ends before."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if key in said:
                return said
        raise GridwardenError(f"The benchmark's {self.name} ended before it said {key!r}; its errors stand above")


@asynccontextmanager
async def _part(role: str, settings: dict[str, Any]) -> AsyncIterator[Part]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gridwarden.bench.dispatch_parts", role, json.dumps(settings), stdout=PIPE,
        limit=LINE_LIMIT,
    )  # fmt: skip
    part = Part(role, process, {})
    try:
        part.ready = await part.until("ready")
        yield part
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 1)
