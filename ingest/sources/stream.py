"""An RTSP stream opened with PyAV and read keyframe by keyframe. Synchronous: runs in a thread that may wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import quote

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.frame import VideoFrame

from ingest.addresses import NetworkAddress
from ingest.decode import MAX_PIXELS
from ingest.sources.film import frame_image
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble

# TCP only: over UDP a single lost packet spoils a keyframe, and cameras behind NAT never reach us.
# analyzeduration/probesize: FFmpeg otherwise reads 5 s of a stream to learn what the first keyframe tells anyway.
# No "nobuffer": it throws away the packets read while opening, the first keyframe among them, and costs an interval.
_OPTIONS = {
    "rtsp_transport": "tcp",
    "protocol_whitelist": "rtsp,rtsps,tcp,tls,rtp,crypto",
    "analyzeduration": "0",
    "probesize": "32",
    "allowed_media_types": "video",
}


class Stream:
    """One open stream. A context manager: leaving it closes the connection.

    Raises SourceError on opening and reading; `stop_at` (monotonic seconds) bounds both.
    """

    def __init__(self, address: NetworkAddress, *, ip: str, stop_at: float, read_s: float) -> None:
        self._shown = address.shown
        self._read_s = read_s
        started = time.monotonic()
        open_s = max(stop_at - started, 0.1)
        try:
            self._container = av.open(_full_url(address, ip=ip), options=dict(_OPTIONS), timeout=(open_s, read_s))
            return
        except (av.FFmpegError, OSError) as error:
            trouble = self._trouble(error, waited=time.monotonic() - started >= open_s * 0.95, opening=True)
        raise trouble  # Not where FFmpeg's error would stay with it as its context: that knows the password.

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._container.close()

    def keyframes(self, *, stop_at: float, then_s: float = 0.0) -> Iterator[Image]:
        """Every keyframe as it arrives, decoded, until `stop_at`; then raises SourceError (timeout).

        then_s: each keyframe puts the end off to so many seconds after it.
        """
        if not self._container.streams.video:
            raise SourceError(f"{self._shown} carries no video.", reason=Trouble.NOT_A_PICTURE)
        video = self._container.streams.video[0]
        video.codec_context.thread_count = 1
        video.codec_context.skip_frame = "NONKEY"
        # Without it the decoder keeps each keyframe back until the next, waiting for frames to put in order.
        video.codec_context.flags |= Flags.low_delay
        heard_at = time.monotonic()
        try:
            for packet in self._container.demux(video):
                heard_at = time.monotonic()
                if packet.is_keyframe and packet.size:
                    for frame in _decoded(packet):
                        yield self._image(frame)
                        stop_at = max(stop_at, time.monotonic() + then_s)
                if heard_at >= stop_at:
                    raise SourceError(f"{self._shown} sent no keyframe in time.", reason=Trouble.TIMEOUT)
        except (av.FFmpegError, OSError) as error:
            silent_s = time.monotonic() - heard_at
            trouble = self._trouble(error, waited=silent_s >= self._read_s * 0.9, opening=False)
        else:
            trouble = SourceError(f"{self._shown} ended its stream.", reason=Trouble.ENDED)
        raise trouble

    def _image(self, frame: VideoFrame) -> Image:
        if frame.width * frame.height > MAX_PIXELS:
            raise SourceError(
                f"{self._shown} sends {frame.width}×{frame.height} pixels, more than "
                f"{MAX_PIXELS // 1_000_000} megapixels; use its sub-stream.",
                reason=Trouble.NOT_A_PICTURE,
            )
        return frame_image(frame)

    def _trouble(self, error: Exception, *, waited: bool, opening: bool) -> SourceError:
        """FFmpeg's messages repeat the address with its password, so only their kind is used."""
        if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
            return SourceError(
                f"{self._shown} refused the user or password; correct them in the camera's address.",
                reason=Trouble.REFUSED,
            )
        if isinstance(error, av.error.HTTPNotFoundError):
            return SourceError(f"{self._shown} has no stream of this name; check the path.", reason=Trouble.UNREACHABLE)
        if isinstance(error, av.error.ExitError) or waited:
            return SourceError(f"{self._shown} gave no picture in time.", reason=Trouble.TIMEOUT)
        if isinstance(error, av.error.InvalidDataError) and opening:
            return SourceError(f"{self._shown} hung up, or does not speak RTSP.", reason=Trouble.UNREACHABLE)
        if isinstance(error, av.error.InvalidDataError):
            return SourceError(f"{self._shown} sends no video that can be decoded.", reason=Trouble.NOT_A_PICTURE)
        return SourceError(
            f"{self._shown} cannot be reached; check power, network, host and port.", reason=Trouble.UNREACHABLE
        )


def _decoded(packet: Packet[Any]) -> list[VideoFrame]:
    """Damaged keyframes give nothing: the next one is waited for."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
    except av.error.InvalidDataError:
        return []


def _full_url(address: NetworkAddress, *, ip: str) -> str:
    host = f"[{ip}]" if ":" in ip else ip
    secret = ""
    if address.user is not None:
        secret = f"{quote(address.user, safe='')}:{quote(address.password or '', safe='')}@"
    return f"{address.scheme}://{secret}{host}:{address.port}{address.target}"
