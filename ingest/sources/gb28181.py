"""A GB28181 camera behind a gateway: its stream is started through the gateway's API, looks are keyframes of it."""

from __future__ import annotations

import time

from ingest.addresses import NetworkAddress, parse
from ingest.gateway import Gateway
from ingest.means import Means
from ingest.source import Shot, Source
from ingest.sources.rtsp import rtsp_source
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble


class GatewaySource:
    """`Source` for gb28181://user:password@gateway:port/device/channel."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        """Raises SourceError (refused) when the address names no device and channel."""
        parts = address.target.strip("/").split("/")
        if len(parts) != 2 or not all(part.isalnum() for part in parts):
            raise SourceError(
                f"{address.shown} names no channel; write gb28181://gateway:port/DEVICE/CHANNEL with their 20 digits.",
                reason=Trouble.REFUSED,
            )
        self._device, self._channel = parts
        self._clock = clock
        self._allow_private = allow_private
        self._means = means
        self._gateway = Gateway(address, allow_private=allow_private, means=means)
        self._stream: Source | None = None

    async def look(self, *, deadline_s: float) -> Shot:
        stop_at = time.monotonic() + deadline_s
        stream = self._stream or await self._play(deadline_s=deadline_s)
        try:
            return await stream.look(deadline_s=max(stop_at - time.monotonic(), 0.1))
        except SourceError:
            self._stream = None  # the media server ended it, or moved it: asked for anew at the next look
            raise

    async def close(self) -> None:
        await self._gateway.close()

    async def _play(self, *, deadline_s: float) -> Source:
        """What the gateway names is an address like any other: its host is checked before it is connected to."""
        address = parse(await self._gateway.play(self._device, self._channel, deadline_s=deadline_s))
        if not isinstance(address, NetworkAddress) or address.scheme not in ("rtsp", "rtsps"):
            raise SourceError("The gateway names a stream that is not RTSP.", reason=Trouble.REFUSED)
        self._stream = rtsp_source(
            address, continuous=False, clock=self._clock, allow_private=self._allow_private, means=self._means
        )
        return self._stream
