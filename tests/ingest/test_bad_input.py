"""What cameras send that is no picture: each costs only that camera its look, and is said for what it is.

Every case is watched by a real fleet over real sockets, beside a good camera that goes on being seen.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ingest.fleet import Fleet
from ingest.served_packets import Frame, read_frames, split_units
from ingest.served_rtsp import RtspBehaviour, ServedRtsp
from ingest.served_snapshot import Behaviour, ServedSnapshot
from models.clock import SystemClock
from models.places import CameraCondition, CameraState, Flaw, Trouble

SOON_S = 30.0
"""Everything here takes a second or two; a loaded machine gets more."""

DEADLINE_S = 2.0
"""For one look of the fleet under test: slow and silent cameras cost this, and no more."""


class Watch:
    """A running fleet with a good camera and a bad one."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.seen: list[str] = []

    async def read(self) -> None:
        async for look in self.fleet.looks():
            assert look.image.ndim == 3
            self.seen.append(look.camera_id)

    def state(self, camera_id: str) -> CameraState:
        return next(state for state in self.fleet.states() if state.camera_id == camera_id)

    async def until(self, true) -> None:
        async with asyncio.timeout(SOON_S):
            while not true():  # noqa: ASYNC110 - states are asked, they do not call
                await asyncio.sleep(0.02)

    async def fails(self, trouble: Trouble, words: str) -> None:
        """The bad camera is offline for this reason; the good one is looked at before and after."""
        await self.until(lambda: self.state("bad").condition is CameraCondition.OFFLINE)
        state, seen = self.state("bad"), self.seen.count("good")
        assert (state.trouble, words in state.message) == (trouble, True), state.message
        await self.until(lambda: self.seen.count("good") >= seen + 2)
        assert self.state("good").condition is CameraCondition.ONLINE

    async def sees(self, looks: int) -> None:
        before = self.seen.count("bad")
        await self.until(lambda: self.seen.count("bad") >= before + looks)


@pytest.fixture
def watch(camera, jpeg):
    """`async with watch(address) as watched`"""

    @asynccontextmanager
    async def watching(address: str, *, continuous: bool = False):
        async with ServedSnapshot(jpeg(seed=5)) as good:
            fleet = Fleet(clock=SystemClock(), allow_private=True, deadline_s=DEADLINE_S, seed=1)
            fleet.set_cameras(
                [
                    camera(good.address, name="good", interval_s=0.2),
                    camera(address, name="bad", interval_s=0.2, continuous=continuous),
                ]
            )
            watched = Watch(fleet)
            running = [asyncio.create_task(fleet.run()), asyncio.create_task(watched.read())]
            try:
                yield watched
            finally:
                for task in running:
                    task.cancel()
                await asyncio.wait(running)

    return watching


def with_size(jpeg: bytes, *, width: int, height: int) -> bytes:
    """The same JPEG, claiming another size in its frame header."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


@pytest.mark.parametrize(
    ("behaviour", "trouble", "words"),
    [
        (Behaviour.TRUNCATED, Trouble.NOT_A_PICTURE, "cut off"),
        (Behaviour.HTML, Trouble.NOT_A_PICTURE, "web page"),
        (Behaviour.ENDLESS, Trouble.NOT_A_PICTURE, "more than 16 MB"),
        (Behaviour.SLOW, Trouble.TIMEOUT, "no whole picture within"),
        (Behaviour.SILENT, Trouble.TIMEOUT, "within"),
        (Behaviour.HANG_UP, Trouble.UNREACHABLE, "broke off"),
    ],
)
async def test_a_body_that_is_no_picture(watch, jpeg, behaviour, trouble, words):
    async with ServedSnapshot(jpeg(), behaviour=behaviour) as bad, watch(bad.address) as watched:
        await watched.fails(trouble, words)


async def test_a_jpeg_of_20000_by_20000_pixels_is_refused_by_its_header(watch, jpeg):
    bomb = with_size(jpeg(), width=20_000, height=20_000)
    async with ServedSnapshot(bomb) as bad, watch(bad.address) as watched:
        await watched.fails(Trouble.NOT_A_PICTURE, "20000×20000")


async def test_a_png_named_jpg_is_a_picture(watch, picture):
    png = cv2.imencode(".png", picture())[1].tobytes()
    async with ServedSnapshot(png) as bad, watch(bad.address) as watched:
        await watched.sees(2)
        assert watched.state("bad").condition is CameraCondition.ONLINE


async def test_a_sign_in_page_that_claims_to_be_a_jpeg_is_no_picture(watch):
    page = b"<!DOCTYPE html><html><body>" + b"Sign in " * 1000 + b"</body></html>"
    async with ServedSnapshot(page) as bad, watch(bad.address) as watched:
        await watched.fails(Trouble.NOT_A_PICTURE, "a web page")


async def test_a_redirect_loop_ends(watch, jpeg):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.REDIRECT) as bad:
        bad.location = bad.address
        async with watch(bad.address) as watched:
            await watched.fails(Trouble.REFUSED, "redirects more than")


class DatedSnapshot(ServedSnapshot):
    """Tells a time of its own in every answer."""

    date = "Thu, 01 Jan 1970 00:00:07 GMT"

    async def _behave(self, writer: asyncio.StreamWriter) -> bool:
        picture = self._picture()
        kind = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}"
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {self.date}\r\n{kind}\r\n\r\n".encode() + picture)
        await writer.drain()
        return True


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:07 GMT", "Fri, 31 Dec 2099 23:59:59 GMT"])
async def test_a_clock_in_another_age_is_said_and_the_pictures_have_our_time(watch, jpeg, date):
    async with DatedSnapshot(jpeg()) as bad, watch(bad.address) as watched:
        bad.date = date
        await watched.until(lambda: Flaw.CLOCK_WRONG in watched.state("bad").flaws)
        state = watched.state("bad")
        assert state.condition is CameraCondition.ONLINE
        assert "clock is wrong" in state.message
        assert abs((SystemClock().now() - state.last_look_at).total_seconds()) < SOON_S


@pytest.mark.parametrize("date", ["yesterday", "", "Thu, 99 Foo 9999 99:99:99 GMT"])
async def test_a_clock_that_cannot_be_read_says_nothing(watch, jpeg, date):
    async with DatedSnapshot(jpeg()) as bad, watch(bad.address) as watched:
        bad.date = date
        await watched.sees(4)
        assert watched.state("bad").flaws == ()


def film(path: Path, *, codec: str = "libx264", width: int = 160, height: int = 120, level: int = 60) -> Path:
    """Two seconds, a keyframe every half second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"bf": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 5
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), level + index, np.uint8), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def hevc_frames(path: Path) -> list[Frame]:
    """Access units of H.265, which a camera sends after somebody changed its encoding."""
    if "libx265" not in av.codecs_available:
        pytest.skip("this FFmpeg encodes no H.265")
    with av.open(str(film(path.with_suffix(".mkv"), codec="libx265", width=320, height=240))) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [Frame(index / 10, index % 5 == 0, split_units(_annex_b(bytes(p)))) for index, p in enumerate(packets)]


def _annex_b(data: bytes) -> bytes:
    """Length-prefixed units as start-code ones."""
    units, at = [], 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        units.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return b"".join(b"\x00\x00\x01" + unit for unit in units)


class ShownRtsp(ServedRtsp):
    """Plays whatever frames it is told to, from the next keyframe on; the description stays that of its file."""

    shown: list[Frame] | None = None
    stamps: Iterator[float] | None = None

    def _live(self) -> Iterator[tuple[Frame, float]]:
        if self.shown is None and self.stamps is None:
            yield from super()._live()
            return
        for frame in itertools.cycle(self.shown or self._frames):
            time.sleep(0)
            yield frame, next(self.stamps) if self.stamps else time.monotonic() + 0.05


@pytest.mark.parametrize("continuous", [False, True], ids=["pulled", "continuous"])
async def test_a_stream_without_keyframes(watch, tmp_path, continuous):
    served = ServedRtsp(film(tmp_path / "a.mp4"), behaviour=RtspBehaviour.NO_KEYFRAME)
    async with served as bad, watch(bad.address, continuous=continuous) as watched:
        await watched.fails(Trouble.TIMEOUT, "keyframe" if continuous else "")


@pytest.mark.parametrize("continuous", [False, True], ids=["pulled", "continuous"])
async def test_a_stream_that_changes_its_resolution_goes_on(watch, tmp_path, continuous):
    async with ShownRtsp(film(tmp_path / "a.mp4")) as bad, watch(bad.address, continuous=continuous) as watched:
        await watched.sees(2)
        bad.shown = read_frames(film(tmp_path / "b.mp4", width=320, height=240))
        await watched.sees(4)
        assert watched.state("bad").condition is CameraCondition.ONLINE


@pytest.mark.parametrize("continuous", [False, True], ids=["pulled", "continuous"])
async def test_h265_where_the_description_says_h264(watch, tmp_path, continuous):
    async with ShownRtsp(film(tmp_path / "a.mp4")) as bad:
        bad.shown = hevc_frames(tmp_path / "b")
        async with watch(bad.address, continuous=continuous) as watched:
            await watched.until(lambda: watched.state("bad").condition is CameraCondition.OFFLINE)
            assert watched.state("bad").trouble in (Trouble.TIMEOUT, Trouble.NOT_A_PICTURE)
            bad.shown = None
            await watched.sees(1)


@pytest.mark.parametrize("continuous", [False, True], ids=["pulled", "continuous"])
async def test_time_stamps_that_run_backwards_and_jump(watch, tmp_path, continuous):
    def stamps() -> Iterator[float]:
        started = time.monotonic()  # all of them lie in the past, so that none is waited for
        for number in itertools.count():
            time.sleep(0.005)
            yield started - number * 0.1 if number % 7 else started / (1 + number % 3)

    async with ShownRtsp(film(tmp_path / "a.mp4")) as bad:
        bad.stamps = stamps()
        async with watch(bad.address, continuous=continuous) as watched:
            await watched.sees(3)
            assert watched.state("bad").condition is CameraCondition.ONLINE
