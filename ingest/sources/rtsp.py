"""RTSP cameras: by the keyframe client, and by FFmpeg where that is not understood."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from ingest.addresses import NetworkAddress
from ingest.means import Means
from ingest.rtsp_message import NotSpokenError
from ingest.source import Shot, Source
from ingest.sources.continuous import ContinuousKeyframeSource
from ingest.sources.keyframe import KeyframeSource
from ingest.sources.rtsp_ffmpeg import ContinuousFfmpegSource, FfmpegSource
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble

log = logging.getLogger(__name__)

DOUBT = 2
"""Looks in a row without a picture, from a camera that answers, until FFmpeg tries one: it knows more dialects."""

_DOUBTFUL = frozenset({Trouble.TIMEOUT, Trouble.NOT_A_PICTURE, Trouble.ENDED})
"""Troubles another client may not have; refused passwords and dead cameras are the same to both."""


class Placed(Source, Protocol):
    """A source that knows where the camera was found."""

    @property
    def address(self) -> NetworkAddress: ...


def rtsp_source(
    address: NetworkAddress, *, continuous: bool, clock: Clock, allow_private: bool, means: Means
) -> Source:
    """For rtsp:// and rtsps://; the latter by FFmpeg, as few cameras have certificates and none a known one."""
    lean = ContinuousKeyframeSource if continuous else KeyframeSource
    full = ContinuousFfmpegSource if continuous else FfmpegSource

    def by_ffmpeg(found: NetworkAddress) -> Source:
        return full(found, clock=clock, allow_private=allow_private, means=means)

    if address.scheme != "rtsp":
        return by_ffmpeg(address)
    return RtspSource(lean(address, clock=clock, allow_private=allow_private, means=means), otherwise=by_ffmpeg)


class RtspSource:
    """`Source` that stays with what gave pictures, and says once when that is FFmpeg."""

    def __init__(self, lean: Placed, *, otherwise: Callable[[NetworkAddress], Source]) -> None:
        self._lean = lean
        self._otherwise = otherwise
        self._full: Source | None = None
        self._in_vain = 0
        self._said = False

    async def look(self, *, deadline_s: float) -> Shot:
        stop_at = time.monotonic() + deadline_s
        if self._full is not None:
            return await self._fully(self._full, deadline_s=deadline_s)
        if self._in_vain >= DOUBT:
            return await self._change("It gave no picture.", deadline_s=deadline_s)
        try:
            shot = await self._lean.look(deadline_s=deadline_s)
        except NotSpokenError as error:
            return await self._change(str(error), deadline_s=max(stop_at - time.monotonic(), 0.1))
        except SourceError as error:
            self._in_vain = self._in_vain + 1 if error.reason in _DOUBTFUL else 0
            raise
        self._in_vain = 0
        return shot

    async def close(self) -> None:
        await self._lean.close()
        if self._full is not None:
            await self._full.close()

    async def _change(self, why: str, *, deadline_s: float) -> Shot:
        self._in_vain = 0
        await self._lean.close()
        shown = self._lean.address.shown
        self._full = self._otherwise(self._lean.address)
        shot = await self._fully(self._full, deadline_s=deadline_s)
        if not self._said:
            self._said = True
            log.warning("%s is read by FFmpeg from now on, at more than twice the CPU. %s", shown, why)
        return shot

    async def _fully(self, full: Source, *, deadline_s: float) -> Shot:
        try:
            return await full.look(deadline_s=deadline_s)
        except SourceError:
            # Somebody may be changing the camera's settings: the keyframe client is asked first again.
            self._full = None
            await full.close()
            raise
