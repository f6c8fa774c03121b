"""`gridwarden bench rtsp`: what a keyframe of an RTSP camera costs our own client, and what FFmpeg by PyAV.

The camera is a real server in a process of its own; only our side's CPU is counted, all its threads. Both clients take
turns, so that whatever else the machine does hits them alike, and both are the product's own sources.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gridwarden.bench.rtsp_film import FPS, HEIGHT, KEYFRAME_EVERY_S, WIDTH, write_film
from ingest.addresses import NetworkAddress, parse
from ingest.means import Means
from ingest.served_rtsp import ServedRtsp
from ingest.source import Source
from ingest.sources.continuous import ContinuousKeyframeSource
from ingest.sources.keyframe import KeyframeSource
from ingest.sources.rtsp_ffmpeg import ContinuousFfmpegSource, FfmpegSource
from models.clock import SystemClock
from models.errors import SettingsError

ENCODINGS: Mapping[str, str] = {"h264": "libx264", "h265": "libx265"}

TURNS = 6
"""Of each client: enough for a median that one disturbed turn does not move."""

DEADLINE_S = 10.0
READY_S = 120.0
"""Encoding two films of six seconds takes two on an idle core."""

USUAL_S = 10.0
"""The longest interval between two looks a district is planned with."""

Kept = type[ContinuousKeyframeSource] | type[ContinuousFfmpegSource]


@dataclass(frozen=True, slots=True)
class Wanted:
    """film: what the camera shows, painted noise without; looks: of each client and encoding; cameras, seconds: how
    many are kept open at once, and how long."""

    film: Path | None = None
    looks: int = 60
    cameras: int = 8
    seconds: float = 16.0


@dataclass(slots=True)
class _Turns:
    """CPU and wall milliseconds of a look, one entry a turn."""

    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_ms)


def measure(wanted: Wanted, *, tick: Callable[[int, int], None]) -> dict[str, Any]:
    """The figures of every encoding this FFmpeg can make. tick: steps done and in all."""
    with served(wanted.film) as addresses:
        steps = len(addresses) * 3
        figures = {}
        for number, (encoding, text) in enumerate(addresses.items()):
            address = parse(text)
            assert isinstance(address, NetworkAddress)

            def step(done: int, before: int = number * 3) -> None:
                tick(before + done, steps)

            figures[encoding] = asyncio.run(_measured(address, wanted, step))
    return {
        "camera": {
            "shows": wanted.film.name if wanted.film else "noise",
            "width": WIDTH, "height": HEIGHT, "frames_per_s": FPS, "keyframe_every_s": KEYFRAME_EVERY_S,
        },
        "encodings": figures,
        "not_measured": [f"{name}: FFmpeg has no encoder for it" for name in ENCODINGS if name not in addresses],
        "machine_load": round(os.getloadavg()[0], 2),
    }  # fmt: skip


@contextmanager
def served(film: Path | None) -> Iterator[dict[str, str]]:
    """Addresses of one camera per encoding, served by a process of its own. Raises SettingsError."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, film), daemon=True, name="served-rtsp")
    process.start()
    theirs.close()
    try:
        if not mine.poll(READY_S):
            raise SettingsError(f"The served camera was not ready after {READY_S:g} s.")
        try:
            addresses: dict[str, str] = mine.recv()
        except EOFError:
            raise SettingsError(f"{film or 'The film'} cannot be served; its reason stands above.") from None
        yield addresses
    finally:
        mine.close()
        process.join(timeout=5)
        if process.is_alive():
            process.kill()
            process.join()


async def _measured(address: NetworkAddress, wanted: Wanted, step: Callable[[int], None]) -> dict[str, Any]:
    means, clock = Means(), SystemClock()
    try:
        ours = KeyframeSource(address, clock=clock, allow_private=True, means=means)
        pyav = FfmpegSource(address, clock=clock, allow_private=True, means=means)
        turns = await _in_turns({"ours": _whole(ours), "ours_small": _small(ours), "pyav": _whole(pyav)}, wanted.looks)
        step(1)
        kept = {}
        for name, kind in (("ours", ContinuousKeyframeSource), ("pyav", ContinuousFfmpegSource)):
            sources = [kind(address, clock=clock, allow_private=True, means=means) for _ in range(wanted.cameras)]
            kept[name] = await _kept_open(sources, wanted.seconds)
            step(2 if name == "ours" else 3)
    finally:
        means.close()
    return {"open_close": _open_close_json(turns), "kept_open": _kept_open_json(kept, turns["ours"].cpu)}


def _whole(source: Source) -> Callable[[], Awaitable[object]]:
    async def look() -> object:
        return (await source.look(deadline_s=DEADLINE_S)).image

    return look


def _small(source: Source) -> Callable[[], Awaitable[object]]:
    """What a look at an unchanged camera needs: the picture is decoded, only its small form is made."""
    return lambda: source.look(deadline_s=DEADLINE_S)


async def _in_turns(kinds: Mapping[str, Callable[[], Awaitable[object]]], looks: int) -> dict[str, _Turns]:
    turns = {name: _Turns() for name in kinds}
    each = max(looks // TURNS, 1)
    for look in kinds.values():
        await look()  # threads, caches
    for _ in range(TURNS):
        for name, look in kinds.items():
            cpu_s, started = time.process_time(), time.monotonic()
            for _ in range(each):
                await look()
            turns[name].cpu_ms.append(1000 * (time.process_time() - cpu_s) / each)
            turns[name].wall_ms.append(1000 * (time.monotonic() - started) / each)
    return turns


@dataclass(frozen=True, slots=True)
class _Kept:
    """CPU-milliseconds of a camera's stream that is only listened to, for a second, and of one look more at it."""

    listening: float
    look: float

    def per_look(self, interval_s: float) -> float:
        return self.listening * interval_s + self.look


async def _kept_open(sources: list[Any], seconds: float) -> _Kept:
    """Half the time every keyframe is looked at, half nobody looks; every stream was open before."""
    try:
        await asyncio.gather(*(source.look(deadline_s=DEADLINE_S) for source in sources))
        cpu_s = time.process_time()
        await asyncio.sleep(seconds / 2)
        listening = 1000 * (time.process_time() - cpu_s) / len(sources) / (seconds / 2)
        counts, cpu_s, started = [0] * len(sources), time.process_time(), time.monotonic()
        await asyncio.gather(*(_watch(source, counts, n, started + seconds / 2) for n, source in enumerate(sources)))
        spent = 1000 * (time.process_time() - cpu_s)
        listened = listening * (time.monotonic() - started) * len(sources)
    finally:
        for source in sources:
            await source.close()
    return _Kept(listening, max(spent - listened, 0.0) / max(sum(counts), 1))


async def _watch(source: Source, counts: list[int], number: int, until: float) -> None:
    while time.monotonic() < until:
        counts[number] += (await source.look(deadline_s=DEADLINE_S)).image.size > 0


def _open_close_json(turns: Mapping[str, _Turns]) -> dict[str, Any]:
    return {
        **{f"{name}_cpu_ms": round(turn.cpu, 2) for name, turn in turns.items()},
        **{f"{name}_wall_ms": round(statistics.median(turn.wall_ms), 1) for name, turn in turns.items()},
        "pyav_to_ours": round(turns["pyav"].cpu / turns["ours"].cpu, 2),
    }


def _kept_open_json(kept: Mapping[str, _Kept], open_close_ms: float) -> dict[str, Any]:
    """cheaper_below_s: looked at more often than this, a stream of ours kept open costs less than one opened anew."""
    ours = kept["ours"]
    saved = open_close_ms - ours.look
    return {
        **{f"{name}_listening_cpu_ms_per_s": round(one.listening, 2) for name, one in kept.items()},
        **{f"{name}_cpu_ms_per_look_at_2_s": round(one.per_look(KEYFRAME_EVERY_S), 2) for name, one in kept.items()},
        **{f"{name}_cpu_ms_per_look_at_10_s": round(one.per_look(USUAL_S), 2) for name, one in kept.items()},
        "cheaper_below_s": round(max(saved, 0.0) / ours.listening, 1) if ours.listening else None,
    }


def _serve(pipe: Connection, film: Path | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark's Ctrl-C ends us by closing the pipe
    with tempfile.TemporaryDirectory() as folder:
        cameras = {}
        for encoding, codec in ENCODINGS.items():
            path = Path(folder) / f"{encoding}.mp4"
            if write_film(path, film, codec=codec):
                cameras[encoding] = ServedRtsp(path)
        asyncio.run(_run(pipe, cameras))


async def _run(pipe: Connection, cameras: Mapping[str, ServedRtsp]) -> None:
    """Serves until the benchmark closes its end of the pipe."""
    for camera in cameras.values():
        await camera.start()
    try:
        pipe.send({encoding: camera.address for encoding, camera in cameras.items()})
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    except EOFError:
        pass
    finally:
        await asyncio.gather(*(camera.stop() for camera in cameras.values()))
