"""RTSP cameras kept open: for those marked continuous, whose next keyframe shall not be waited for.

One task a camera, no thread. Keyframes are put together as they come and decoded when somebody looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime

from ingest.addresses import NetworkAddress
from ingest.keyframe_stream import KeyframeDoor, KeyframeStream, too_late
from ingest.means import Means
from ingest.resolve import Resolver
from ingest.source import Shot
from ingest.sources.keyframe import keyframe_shot
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble

SILENCE_S = 20.0
"""Without a keyframe for so long the stream is opened anew: cameras that save on keyframes send one every 10 s."""


class ContinuousKeyframeSource:
    """`Source` that gives the newest keyframe not given before, and waits for it where there is none."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._clock = clock
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._door = KeyframeDoor(address, resolver=self._resolver)
        self._followed: _Followed | None = None

    @property
    def address(self) -> NetworkAddress:
        return self._door.address

    async def look(self, *, deadline_s: float) -> Shot:
        stop_at = time.monotonic() + deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                followed = await self._follow(deadline_s)
                data, at = await followed.newest()
        except TimeoutError:
            raise too_late(self.address, deadline_s, playing=self._followed is not None) from None
        return await keyframe_shot(
            data, followed.stream, what=self.address.shown, stop_at=stop_at, at=at, means=self._means
        )

    async def close(self) -> None:
        followed, self._followed = self._followed, None
        if followed is not None:
            await followed.stop()

    async def _follow(self, deadline_s: float) -> _Followed:
        if self._followed is None or self._followed.ended:
            self._followed = None
            try:
                stream = await self._door.open(deadline_s=deadline_s)
            except BaseException:
                self._resolver.forget()
                raise
            self._followed = _Followed(stream, clock=self._clock, what=self.address.shown)
        return self._followed


class _Followed:
    """A playing stream and the task that reads it."""

    def __init__(self, stream: KeyframeStream, *, clock: Clock, what: str) -> None:
        self.stream = stream
        self._clock = clock
        self._what = what
        self._fresh = asyncio.Event()
        self._newest: tuple[bytes, datetime] | None = None
        self._error: SourceError | None = None
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._stay())]

    @property
    def ended(self) -> bool:
        return self._error is not None

    async def newest(self) -> tuple[bytes, datetime]:
        await self._fresh.wait()
        self._fresh.clear()
        if self._error is not None:
            raise self._error
        assert self._newest is not None
        return self._newest

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _read(self) -> None:
        self._error = None
        error = SourceError(f"{self._what} was stopped.", reason=Trouble.ENDED)
        try:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    data = await self.stream.next_keyframe()
                self._newest = (data, self._clock.now())
                self._fresh.set()
        except SourceError as raised:
            error = raised
        except TimeoutError:
            error = SourceError(f"{self._what} sent no keyframe for {SILENCE_S:g} s.", reason=Trouble.TIMEOUT)
        finally:
            self.stream.talk.hang_up()
            self._error = error
            self._fresh.set()
            self._tasks[1].cancel()

    async def _stay(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self.stream.talk.keep_alive_s / 2)
                self.stream.talk.stay()
