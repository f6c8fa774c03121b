"""RTSP cameras read by FFmpeg: what `keyframe` and `continuous` cannot speak, and rtsps://.

FFmpeg follows redirects by itself, unchecked: one more reason why it comes second.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime

from ingest.addresses import NetworkAddress
from ingest.means import Means
from ingest.resolve import Resolver
from ingest.source import Shot
from ingest.sources.stream import Stream
from models.clock import Clock
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble

SILENCE_S = 10.0
"""A kept-open stream that sends nothing for this long is given up and opened anew at the next look."""


class FfmpegSource:
    """`Source` that connects, takes the first keyframe and hangs up."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._address = address
        self._clock = clock
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)

    async def look(self, *, deadline_s: float) -> Shot:
        stop_at = time.monotonic() + deadline_s
        ip = await self._resolver.ip(self._address.host, deadline_s=deadline_s)
        try:
            image = await self._means.waiting.run(
                lambda: self._keyframe(ip, stop_at=stop_at), deadline_s=deadline_s, what=self._address.shown
            )
        except SourceError:
            self._resolver.forget()
            raise
        return Shot(image, self._clock.now())

    async def close(self) -> None:
        """Nothing is kept open."""

    def _keyframe(self, ip: str, *, stop_at: float) -> Image:
        with Stream(self._address, ip=ip, stop_at=stop_at, read_s=stop_at - time.monotonic()) as stream:
            return next(stream.keyframes(stop_at=stop_at))


class ContinuousFfmpegSource:
    """`Source` that keeps the stream open in a thread of its own; a look gives the newest keyframe not given before."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._address = address
        self._clock = clock
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._reader: _Reader | None = None

    async def look(self, *, deadline_s: float) -> Shot:
        if self._reader is None or self._reader.ended:
            ip = await self._resolver.ip(self._address.host, deadline_s=deadline_s)
            self._reader = _Reader(self._address, ip=ip, clock=self._clock, open_s=deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                return await self._reader.newest()
        except TimeoutError:
            raise SourceError(
                f"{self._address.shown} sent no keyframe within {deadline_s:g} s.", reason=Trouble.TIMEOUT
            ) from None

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()


class _Reader:
    """The thread behind a continuous stream: keeps the newest keyframe, tells the event loop when there is one."""

    def __init__(self, address: NetworkAddress, *, ip: str, clock: Clock, open_s: float) -> None:
        self._address = address
        self._ip = ip
        self._clock = clock
        self._open_s = open_s
        self._loop = asyncio.get_running_loop()
        self._fresh = asyncio.Event()
        self._newest: tuple[Image, datetime] | None = None
        self._error: SourceError | None = None
        self._stopping = False
        threading.Thread(target=self._read, name="continuous-rtsp", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._error is not None

    async def newest(self) -> Shot:
        await self._fresh.wait()
        self._fresh.clear()
        if self._error is not None:
            raise self._error
        newest = self._newest
        if newest is None:
            raise SourceError(f"{self._address.shown} was stopped.", reason=Trouble.ENDED)
        return Shot(*newest)

    def stop(self) -> None:
        self._stopping = True
        self._fresh.set()

    def _read(self) -> None:
        error = SourceError(f"{self._address.shown} ended its stream.", reason=Trouble.ENDED)
        try:
            stop_at = time.monotonic() + self._open_s
            with Stream(self._address, ip=self._ip, stop_at=stop_at, read_s=SILENCE_S) as stream:
                # A camera switched to another encoding sends on for ever what this stream cannot decode.
                for image in stream.keyframes(stop_at=stop_at, then_s=self._open_s):
                    if self._stopping:
                        break
                    self._newest = (image, self._clock.now())
                    self._tell()
        except SourceError as raised:
            error = raised
        self._error = error
        self._tell()

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._fresh.set)
        except RuntimeError:
            self._stopping = True  # The event loop has ended: nobody is left to look.
