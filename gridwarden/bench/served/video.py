"""Short H.264 clips of a served camera before and after its change, encoded as cameras' sub-streams are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from gridwarden.bench.served.script import Served
from gridwarden.bench.served.views import HEIGHT, WIDTH, Views
from models.pictures import Image

FPS = 10
"""Of a sub-stream; the dense pipeline needs 5 of them."""

KEYFRAME_EVERY_S = 2
"""Most cameras' setting; some have 4."""

CLIP_S = 6
"""Played over and over."""


def write_clips(served: Served, views: Views, folder: Path) -> tuple[Path, Path]:
    """Before and after; of one length and one set of encoder parameters, so that a server may switch at a keyframe."""
    before, after = views.frames(served, count=CLIP_S * FPS)
    paths = folder / f"{served.camera_id}-before.mp4", folder / f"{served.camera_id}-after.mp4"
    for path, frames in zip(paths, (before, after), strict=True):
        _encode(path, frames)
    return paths


def _encode(path: Path, frames: list[Image]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FPS * KEYFRAME_EVERY_S
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.options = {"preset": "superfast", "tune": "zerolatency", "crf": "26", "threads": "1"}
        for image in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
