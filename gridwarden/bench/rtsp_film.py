"""The film of the camera that `bench rtsp` serves: a real clip or noise, encoded as cameras' sub-streams are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from models.errors import SettingsError
from models.pictures import Image

WIDTH, HEIGHT = 640, 360
FPS = 25
KEYFRAME_EVERY_S = 2
"""Most cameras' setting; some have 4."""

FILM_S = 6
"""Played over and over."""

_OPTIONS = {
    "libx264": {"preset": "superfast", "tune": "zerolatency", "crf": "26", "threads": "1"},
    "libx265": {
        "preset": "superfast", "tune": "zerolatency", "crf": "28",
        "x265-params": "log-level=error:pools=1:frame-threads=1",
    },
}  # fmt: skip


def write_film(path: Path, clip: Path | None, *, codec: str) -> bool:
    """False where this FFmpeg has no such encoder. Raises SettingsError for a clip that cannot be read."""
    if codec not in av.codecs_available:
        return False
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=_OPTIONS[codec])
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FPS * KEYFRAME_EVERY_S
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, image in enumerate(itertools.islice(_images(clip), FPS * FILM_S)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return True


def _images(clip: Path | None) -> Iterator[Image]:
    """Without end: a clip is begun again, noise drifts by a pixel a frame."""
    seen = 0
    while clip is not None:
        for image in _clip_images(clip):
            seen += 1
            yield image
        if not seen:
            raise SettingsError(f"{clip} holds no video.")
    wide = np.random.default_rng(1).integers(40, 200, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    noise = np.asarray(cv2.resize(wide, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    for shift in itertools.count():
        yield np.roll(noise, shift, axis=1)


def _clip_images(clip: Path) -> Iterator[Image]:
    try:
        with av.open(f"file:{clip}") as container:
            for frame in container.decode(video=0):
                yield np.asarray(frame.to_ndarray(width=WIDTH, height=HEIGHT, format="bgr24"), np.uint8)
    except (av.FFmpegError, OSError, IndexError):
        raise SettingsError(f"{clip} cannot be read as a video.") from None
