"""Builders the ingest tests share: pictures, small videos, cameras, and the real clips where they are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.ids import CameraId, NodeId
from models.pictures import Image
from models.places import Camera
from models.testing import FakeClock

CLIPS = Path(__file__).resolve().parents[3] / "shared" / "data" / "clips"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clip() -> Callable[[str], Path]:
    """A real clip by name; the test is skipped where there are none."""

    def find(name: str) -> Path:
        if not (path := CLIPS / name).exists():
            pytest.skip(f"../shared/data/clips/{name} is not here")
        return path

    return find


@pytest.fixture
def camera() -> Callable[..., Camera]:
    def build(source: Path | str, *, name: str = "cam", interval_s: float = 10.0, continuous: bool = False) -> Camera:
        return Camera(
            CameraId(name),
            name,
            str(source),
            (121.4, 31.2),
            NodeId("node"),
            max_interval_s=interval_s,
            continuous=continuous,
        )

    return build


@pytest.fixture
def picture() -> Callable[..., Image]:
    """A street-like scene: texture that compresses, seeded."""

    def build(*, width: int = 320, height: int = 240, seed: int = 1) -> Image:
        coarse = np.random.default_rng(seed).integers(40, 200, (height // 20 + 1, width // 20 + 1, 3), np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return build


@pytest.fixture
def jpeg(picture: Callable[..., Image]) -> Callable[..., bytes]:
    def build(*, width: int = 320, height: int = 240, seed: int = 1) -> bytes:
        return cv2.imencode(".jpg", picture(width=width, height=height, seed=seed))[1].tobytes()

    return build


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """Frames whose grey level tells their second: level = 20 + 10 × second."""

    def build(*, seconds: int = 6, fps: int = 10, gop: int = 10, name: str = "film.mp4") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            options = {"bf": "0", "preset": "ultrafast", "x264-params": f"keyint={gop}:scenecut=0"}
            stream = container.add_stream("libx264", rate=fps, options=options)
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
            stream.codec_context.gop_size = gop
            for index in range(seconds * fps):
                level = 20 + 10 * (index // fps)
                frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), level, np.uint8), format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return build
