"""RTSP cameras asked for one keyframe and left alone again: 1,438 open streams would cost four cores."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

from ingest.addresses import NetworkAddress
from ingest.keyframe_decode import decode_keyframe
from ingest.keyframe_stream import KeyframeDoor, KeyframeStream, too_late
from ingest.means import Means
from ingest.resolve import Resolver
from ingest.source import Shot
from ingest.undecoded import UndecodedShot
from models.clock import Clock


class KeyframeSource:
    """`Source` for rtsp://, no thread waiting: a dead camera costs a socket until its deadline."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._clock = clock
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._door = KeyframeDoor(address, resolver=self._resolver)

    @property
    def address(self) -> NetworkAddress:
        """Where the camera was found the last time, after redirects."""
        return self._door.address

    async def look(self, *, deadline_s: float) -> Shot:
        stop_at = time.monotonic() + deadline_s
        stream, data = await self._keyframe(deadline_s)
        shot = keyframe_shot(
            data, stream, what=self.address.shown, stop_at=stop_at, at=self._clock.now(), means=self._means
        )
        # Decoding takes as long as the camera's answer to TEARDOWN; neither is left behind when the other fails.
        decoded, _ = await asyncio.gather(shot, stream.talk.farewell(), return_exceptions=True)
        if isinstance(decoded, BaseException):
            raise decoded
        return decoded

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _keyframe(self, deadline_s: float) -> tuple[KeyframeStream, bytes]:
        stream: KeyframeStream | None = None
        try:
            async with asyncio.timeout(deadline_s):
                stream = await self._door.open(deadline_s=deadline_s)
                return stream, await stream.next_keyframe()
        except BaseException as error:
            self._resolver.forget()
            if stream is not None:
                stream.talk.hang_up()
            if isinstance(error, TimeoutError):
                raise too_late(self.address, deadline_s, playing=stream is not None) from None
            raise


async def keyframe_shot(
    data: bytes, stream: KeyframeStream, *, what: str, stop_at: float, at: datetime, means: Means
) -> Shot:
    """The picture of a keyframe that came `at`. Raises SourceError when it is damaged."""
    camera_clock = stream.talk.camera_clock
    picture = await means.decoding.run(
        lambda: decode_keyframe(data, encoding=stream.encoding, what=what),
        deadline_s=max(stop_at - time.monotonic(), 0.1),
        what=what,
    )
    return UndecodedShot(picture, at, camera_clock)
