"""A video file that can be asked for the picture at any moment of it. Synchronous; used from one thread at a time."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from ingest.decode import MAX_PIXELS, MAX_SIDE
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble

CONTINUE_S = 2.0
"""Up to this far ahead decoding simply goes on: the usual distance of keyframes, so a seek would save nothing."""

MAX_GAP_S = 60.0
"""Longest distance between keyframes that is remembered; beyond it decoding on from the old place costs too much."""

BEFORE_ALL = float("-inf")
"""Where a film stands that was not read yet: nowhere near anything, so that the first look seeks."""

# What street footage comes in. Playlists and image patterns are left out: they make FFmpeg open other addresses.
_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mjpeg,"
    "h264,hevc,dhav,live_flv,mxf,nut,ivf,obu,dv,rm,wtv",
}


class Film:
    """Raises SourceError on opening (missing, not_a_picture) with one sentence saying what is wrong with the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = _opened(path)
        try:
            self._stream = self._container.streams.video[0]
            self._stream.codec_context.thread_count = 1
            self._check_size()
            self._start_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
            self.duration_s = self._duration()
        except BaseException:
            self._container.close()
            raise
        self._gap_s = CONTINUE_S
        self._frames = self._container.decode(self._stream)
        self._position_s = BEFORE_ALL
        self._last: VideoFrame | None = None

    def close(self) -> None:
        self._container.close()

    def picture_at(self, offset_s: float, *, budget_s: float) -> Image:
        """The picture shown `offset_s` after the beginning, or the last one reached within `budget_s` of decoding.

        Where the film is damaged to its end that is the last one shown before. Raises SourceError (not_a_picture) when
        nothing at all can be decoded.
        """
        if not 0 <= offset_s - self._position_s <= self._gap_s:
            self._seek(offset_s)
        stop_at = time.monotonic() + budget_s
        while self._position_s < offset_s and time.monotonic() < stop_at:
            frame = self._next_frame()
            if frame is None:
                break
            self._last = frame
            self._position_s = self._time_of(frame)
        if self._last is None:
            raise SourceError(
                f"The video {self._path} holds no picture that can be decoded.",
                reason=Trouble.NOT_A_PICTURE,
            )
        return frame_image(self._last)

    def _seek(self, offset_s: float) -> None:
        before = self._position_s
        base = self._stream.time_base
        if base is None:
            raise SourceError(f"The video {self._path} has no time stamps.", reason=Trouble.NOT_A_PICTURE)
        try:
            found = self._first_from(int((offset_s + self._start_s) / base))
        except av.FFmpegError:
            found = self._first_from(self._stream.start_time or 0, any_frame=True)
        if found is None and self._last is None:
            found = self._first_from(self._stream.start_time or 0, any_frame=True)
        self._last = found or self._last
        self._position_s = BEFORE_ALL if found is None else self._time_of(found)
        if 0 <= self._position_s < before < offset_s:
            # The keyframe lies before where we were: keyframes are rare here, going on would have been shorter.
            self._gap_s = min(max(self._gap_s, offset_s - self._position_s), MAX_GAP_S)

    def _first_from(self, target: int, *, any_frame: bool = False) -> VideoFrame | None:
        self._container.seek(target, stream=self._stream, backward=True, any_frame=any_frame)
        self._frames = self._container.decode(self._stream)
        return self._next_frame()

    def _next_frame(self) -> VideoFrame | None:
        """None at the end of the film; damaged stretches are stepped over."""
        for _ in range(MAX_DAMAGED):
            try:
                return next(self._frames, None)
            except av.FFmpegError:
                self._frames = self._container.decode(self._stream)
        return None

    def _time_of(self, frame: VideoFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            return max(self._position_s, 0.0) + 1 / float(self._stream.average_rate or 25)
        return float(frame.pts * frame.time_base) - self._start_s

    def _check_size(self) -> None:
        context = self._stream.codec_context
        if context.width * context.height > MAX_PIXELS:
            raise SourceError(
                f"The video {self._path} is {context.width}×{context.height}, more than "
                f"{MAX_PIXELS // 1_000_000} megapixels.",
                reason=Trouble.NOT_A_PICTURE,
            )

    def _duration(self) -> float:
        """From the header; where it says nothing, from reading through the file once."""
        if self._stream.duration and self._stream.time_base:
            return max(float(self._stream.duration * self._stream.time_base), MIN_DURATION_S)
        if self._container.duration:
            return max(self._container.duration / av.time_base, MIN_DURATION_S)
        base = self._stream.time_base
        stamps = [packet.pts for packet in self._container.demux(self._stream) if packet.pts is not None]
        if not stamps or base is None:
            raise SourceError(
                f"The video {self._path} has no time stamps; put it into a container: "
                "ffmpeg -i INPUT -c copy OUTPUT.mp4",
                reason=Trouble.NOT_A_PICTURE,
            )
        return max(float((max(stamps) - min(stamps)) * base), MIN_DURATION_S)


MIN_DURATION_S = 0.04
"""A film of one frame still has a length to loop over."""

MAX_DAMAGED = 500
"""Undecodable packets stepped over before giving up at a place: 20 s at 25 frames a second."""


def frame_image(frame: VideoFrame) -> Image:
    """uint8 (H, W, 3) BGR of a decoded frame, scaled down while converting when it is large."""
    scale = min(MAX_SIDE / max(frame.width, frame.height), 1.0)
    width, height = max(round(frame.width * scale), 2), max(round(frame.height * scale), 2)
    return np.asarray(frame.reformat(width=width, height=height, format="bgr24").to_ndarray(), np.uint8)


def _opened(path: Path) -> InputContainer:
    _check_file(path)
    try:
        container = av.open(f"file:{path}", options=dict(_OPTIONS), metadata_errors="replace")
    except (av.FFmpegError, OSError, UnicodeError):
        raise SourceError(
            f"{path} is not a video that can be read: damaged, cut off, or of a kind not supported.",
            reason=Trouble.NOT_A_PICTURE,
        ) from None
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path} holds no video track.", reason=Trouble.NOT_A_PICTURE)
    return container


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise SourceError(f"The video {path} does not exist.", reason=Trouble.MISSING) from None
    except OSError as error:
        raise SourceError(f"The video {path} cannot be read: {error.strerror}.", reason=Trouble.MISSING) from None
    if empty:
        raise SourceError(f"The video {path} is empty (0 bytes).", reason=Trouble.NOT_A_PICTURE)
