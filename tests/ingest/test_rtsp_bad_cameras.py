"""RTSP cameras that are ill, changed or hostile, each a real server: the look is lost, the reason is told, nothing
leaks.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.addresses import parse
from ingest.means import shared_means
from ingest.open_source import open_source
from ingest.served_rtsp import RtspBehaviour, ServedRtsp
from ingest.source import Source
from ingest.sources.rtsp_ffmpeg import FfmpegSource
from models.errors import SourceError
from models.places import Trouble

SHORT_S = 0.5
"""The deadline of looks that nothing will come of."""

SOON_S = 20.0
"""For what takes a moment, on a loaded machine."""

modes = pytest.mark.parametrize("continuous", [False, True], ids=["pulled", "continuous"])


@pytest.fixture
def opened(clock, camera) -> Callable[..., Source]:
    def build(address: str, *, continuous: bool = False) -> Source:
        return open_source(camera(address, continuous=continuous), clock=clock, allow_private=True)

    return build


def film(path: Path, *, codec: str = "libx264", width: int = 160, height: int = 120) -> Path:
    """Two seconds of noise, a keyframe every half second: none of it fits into one packet."""
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    draw = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.options = {"preset": "ultrafast", "bf": "0"} if codec.startswith("libx") else {}
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 5
        for index in range(20):
            image = draw.integers(0, 255, (height, width, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def trouble(source: Source, *, deadline_s: float = SOON_S) -> SourceError:
    """What a look that fails says."""
    with pytest.raises(SourceError) as raised:
        await source.look(deadline_s=deadline_s)
    return raised.value


async def fails(source: Source) -> bool:
    try:
        await source.look(deadline_s=5)
    except SourceError:
        return True
    return False


async def seen_again(source: Source) -> tuple[int, ...]:
    """The size of the first picture that comes; looks before it may fail, as those of a restarting camera do."""
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                return (await source.look(deadline_s=5)).image.shape
            except SourceError:
                await asyncio.sleep(0.05)


class Scripted(ServedRtsp):
    """Answers DESCRIBE with whatever it is given, and then again and again what follows."""

    def __init__(self, video: Path, *, first: bytes, then: bytes = b"", every_s: float = 0.0) -> None:
        super().__init__(video)
        self._first, self._then, self._every_s = first, then, every_s

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"DESCRIBE" not in (head := await reader.readuntil(b"\r\n\r\n")):
            sequence = head.split(b"CSeq: ")[1].split(b"\r\n")[0]
            writer.write(b"RTSP/1.0 200 OK\r\nCSeq: " + sequence + b"\r\n\r\n")
        sequence = head.split(b"CSeq: ")[1].split(b"\r\n")[0]
        writer.write(self._first.replace(b"%", sequence))
        while self._then:
            writer.write(self._then)
            await writer.drain()
            await asyncio.sleep(self._every_s)
        await reader.read()


OK = b"RTSP/1.0 200 OK\r\nCSeq: %\r\nContent-Type: application/sdp\r\n"


@modes
@pytest.mark.parametrize(
    ("first", "then", "every_s", "reason", "words"),
    [
        (OK + b"Content-Length: 4000000000\r\n\r\nv=0\r\n", b"a=x\r\n" * 999, 0, Trouble.NOT_A_PICTURE, "describes"),
        (OK, b"X-More: " + b"x" * 999 + b"\r\n", 0, Trouble.UNREACHABLE, "speak RTSP"),
        (OK + b"Content-Length: 60000\r\n\r\n" + b"a=x\r\n" * 12000, b"", 0, Trouble.NOT_A_PICTURE, "no video"),
        (b"", b"\r\n" * 9999, 0, Trouble.UNREACHABLE, "without answering"),
        (b"", b"RTSP/1.0 200 OK\r\nCSeq: 9999\r\n\r\n" * 99, 0, Trouble.UNREACHABLE, "without answering"),
        (OK + b"Content-Length: 60000\r\n\r\n", b"v", 0.02, Trouble.TIMEOUT, "no picture within"),
    ],
    ids=["announced", "headers", "whole but empty", "blanks", "answers to others", "drip by drip"],
)
async def test_an_endless_or_slow_description_ends(
    opened, tmp_path, first, then, every_s, reason, words, continuous
):  # fmt: skip
    async with Scripted(film(tmp_path / "a.mp4"), first=first, then=then, every_s=every_s) as bad:
        source = opened(bad.address, continuous=continuous)
        error = await trouble(source, deadline_s=SHORT_S if reason is Trouble.TIMEOUT else SOON_S)
        assert (error.reason, words in str(error)) == (reason, True), str(error)
        await source.close()


class Dripping(ServedRtsp):
    """Plays as slowly as a line that is nearly dead: a byte every hundredth of a second."""

    def _packets(self, frame, *, due, sequence):
        packet = next(super()._packets(frame, due=due, sequence=sequence))
        yield packet[: 12 + 1]


@modes
async def test_a_video_that_drips_costs_the_deadline_and_no_more(opened, tmp_path, continuous):
    async with Dripping(film(tmp_path / "a.mp4")) as bad:
        source = opened(bad.address, continuous=continuous)
        error = await trouble(source, deadline_s=SHORT_S)
        assert (error.reason, "no whole keyframe within" in str(error)) == (Trouble.TIMEOUT, True), str(error)
        await source.close()


@modes
@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("rtsp://127.0.0.1:{port}/live", "redirects more than"),
        ("rtsp://169.254.169.254/live", "never a camera's address"),
        ("rtsp://[::ffff:169.254.169.254]/live", "never a camera's address"),
        ("rtsp://0.0.0.0:{port}/live", "never a camera's address"),
        ("http://127.0.0.1:{port}/live", "redirects away from rtsp://"),
        ("file:///etc/passwd", "redirects away from rtsp://"),
    ],
)
async def test_redirects_in_a_circle_or_to_forbidden_places_are_refused(opened, video, location, words, continuous):
    async with ServedRtsp(video()) as bad:
        bad.location = location.format(port=bad.port)
        source = opened(bad.address, continuous=continuous)
        error = await trouble(source)
        assert (error.reason, words in str(error)) == (Trouble.REFUSED, True), str(error)
        assert bad.plays == 0
        await source.close()


@modes
async def test_a_redirect_is_followed_and_strangers_do_not_get_the_password(opened, video, continuous):
    async with ServedRtsp(video()) as end, ServedRtsp(video(), location=end.address) as first:
        source = opened(first.address, continuous=continuous)
        assert (await source.look(deadline_s=SOON_S)).image.size
        await source.close()
    async with ServedRtsp(video(), user="admin", password="s3cret") as stranger, ServedRtsp(video()) as first:
        first.location = f"rtsp://localhost:{stranger.port}/live"
        source = opened(f"rtsp://admin:s3cret@127.0.0.1:{first.port}/live", continuous=continuous)
        assert (await trouble(source)).reason is Trouble.REFUSED
        assert not stranger.given
        await source.close()


def secrets(password: str, *, user: str = "admin") -> tuple[str, ...]:
    return password, b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("client", ["pulled", "continuous", "FFmpeg"])
@pytest.mark.parametrize("basic", [False, True], ids=["digest", "basic"])
async def test_a_wrong_password_is_told_as_such_and_written_nowhere(
    opened, video, clock, caplog, capfd, client, basic
):  # fmt: skip
    caplog.set_level(logging.DEBUG)
    async with ServedRtsp(video(), user="admin", password="s3cret", basic=basic) as served:
        address = f"rtsp://admin:gue55@127.0.0.1:{served.port}/live"
        if client == "FFmpeg":
            source: Source = FfmpegSource(parse(address), clock=clock, allow_private=True, means=shared_means())
        else:
            source = opened(address, continuous=client == "continuous")
        errors = [await trouble(source) for _ in range(3)]
        await source.close()
    assert {error.reason for error in errors} == {Trouble.REFUSED}
    assert all("refused the user or password" in str(error) for error in errors)
    written = "".join((caplog.text, *capfd.readouterr(), *(f"{e!r} {e.__cause__} {e.__context__}" for e in errors)))
    assert not [secret for secret in secrets("gue55") if secret in written]
    assert served.plays == 0


@modes
@pytest.mark.parametrize("basic", [False, True], ids=["digest", "basic"])
async def test_a_password_that_is_set_right_opens_the_camera_at_the_next_look(opened, video, basic, continuous):
    async with ServedRtsp(video(), user="admin", password="s3cret", basic=basic) as served:
        source = opened(served.address, continuous=continuous)
        assert (await source.look(deadline_s=SOON_S)).image.size
        assert served.given
        await source.close()


class HangingUp(ServedRtsp):
    """Goes in the middle: after a request, or after so many packets of the video."""

    after = ""
    packets_left: int | None = None

    def _response(self, head: str, method: str) -> bytes:
        if method == self.after:
            raise ConnectionResetError
        return super()._response(head, method)

    def _packets(self, frame, *, due, sequence):
        for packet in super()._packets(frame, due=due, sequence=sequence):
            if self.packets_left == 0:
                for talk in self._talks:
                    talk.cancel()
                return
            if self.packets_left is not None:
                self.packets_left -= 1
            yield packet


@modes
@pytest.mark.parametrize(
    ("after", "packets_left", "reason"),
    [
        ("OPTIONS", None, Trouble.UNREACHABLE),
        ("DESCRIBE", None, Trouble.UNREACHABLE),
        ("SETUP", None, Trouble.UNREACHABLE),
        ("PLAY", None, Trouble.ENDED),
        ("", 0, Trouble.ENDED),
        ("", 2, Trouble.ENDED),
    ],
)
async def test_a_camera_that_hangs_up_in_the_middle_is_seen_again_when_it_is_back(
    opened, tmp_path, after, packets_left, reason, continuous
):
    async with HangingUp(film(tmp_path / "a.mp4")) as bad:
        bad.after, bad.packets_left = after, packets_left
        source = opened(bad.address, continuous=continuous)
        assert (await trouble(source)).reason is reason
        bad.after, bad.packets_left = "", None
        assert await seen_again(source) == (120, 160, 3)
        await source.close()


@modes
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
async def test_a_camera_set_to_another_size_and_encoding_is_seen_in_it(opened, tmp_path, codec, continuous):
    async with ServedRtsp(film(tmp_path / "a.mp4")) as before:
        port = before.port
        source = opened(before.address, continuous=continuous)
        assert (await source.look(deadline_s=SOON_S)).image.shape == (120, 160, 3)
    after = ServedRtsp(film(tmp_path / "b.mp4", codec=codec, width=320, height=240))
    await after.start(port=port)
    assert await seen_again(source) == (240, 320, 3)
    assert (await source.look(deadline_s=SOON_S)).image.shape == (240, 320, 3)
    await source.close()
    await after.stop()


class Mpeg4Camera(ServedRtsp):
    """An old camera: MPEG-4 Visual (RFC 6416: pieces, the marker ends a picture), which our client does not speak."""

    old = True

    def __init__(self, video: Path, old: Path) -> None:
        super().__init__(video)
        with av.open(str(old)) as container:
            context = container.streams.video[0].codec_context
            self._config = bytes(context.extradata or b"")
            units = [(packet.is_keyframe, bytes(packet)) for packet in container.demux(video=0) if packet.size]
        self._pictures = [self._config + data if key else data for key, data in units]

    def _description(self) -> str:
        if not self.old:
            return super()._description()
        told = f"a=rtpmap:96 MP4V-ES/90000\r\na=fmtp:96 profile-level-id=1;config={self._config.hex()}\r\n"
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
            f"{told}a=control:track1\r\n"
        )

    def _packets(self, frame, *, due, sequence):
        if not self.old:
            yield from super()._packets(frame, due=due, sequence=sequence)
            return
        picture = self._pictures[self._frames.index(frame) % len(self._pictures)]
        stamp = int(due * 90_000) & 0xFFFFFFFF
        for at in range(0, len(picture), 1400):
            last = at + 1400 >= len(picture)
            head = bytes((0x80, 96 | 0x80 * last)) + (next(sequence) & 0xFFFF).to_bytes(2, "big")
            yield head + stamp.to_bytes(4, "big") + b"GWAR" + picture[at : at + 1400]


@modes
async def test_what_our_client_does_not_speak_is_read_by_ffmpeg_and_asked_again_when_that_fails(
    opened, tmp_path, caplog, continuous
):  # fmt: skip
    old = film(tmp_path / "old.mp4", codec="mpeg4", width=320, height=240)
    async with Mpeg4Camera(film(tmp_path / "a.mp4"), old) as served:
        source, port = opened(served.address, continuous=continuous), served.port
        for _ in range(2):
            assert (await source.look(deadline_s=SOON_S)).image.shape == (240, 320, 3)
        assert caplog.text.count("is read by FFmpeg from now on") == 1
        await served.stop()
        while not await fails(source):
            pass
        served.old = False
        await served.start(port=port)
        assert await seen_again(source) == (120, 160, 3)
        await source.close()


@modes
@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:00:07 GMT", "Thu, Jan 01 1970 00:00:07 GMT"], ids=["RFC 2326", "as live555 writes"]
)
async def test_a_camera_clock_in_1970_is_told_and_the_picture_has_our_time(opened, video, clock, date, continuous):
    async with ServedRtsp(video(gop=5), date=date) as served:
        source = opened(served.address, continuous=continuous)
        shot = await source.look(deadline_s=SOON_S)
        assert shot.captured_at == clock.now()
        assert shot.camera_clock is not None
        assert shot.camera_clock - datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC) < timedelta(seconds=SOON_S)
        await source.close()


@pytest.mark.parametrize("date", ["", "now", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 99 Foo 1970 99:99:99 GMT"])
async def test_a_clock_that_tells_nothing_harms_nothing(opened, video, date):
    async with ServedRtsp(video(), date=date) as served:
        assert (await opened(served.address).look(deadline_s=SOON_S)).camera_clock is None


async def test_a_kept_open_session_is_kept_by_telling_the_camera_that_we_watch(opened, video):
    async with ServedRtsp(video(gop=5), patience_s=1) as served:
        source = opened(served.address, continuous=True)
        for _ in range(6):  # half a second from one keyframe to the next
            await source.look(deadline_s=SOON_S)
        assert served.plays == 1
        assert list(served.asked).count("GET_PARAMETER") >= 2
        await source.close()
        assert served.asked[-1] in ("GET_PARAMETER", "TEARDOWN")


def held() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@modes
async def test_after_a_hundred_looks_in_vain_no_descriptor_thread_or_task_is_left(opened, tmp_path, continuous):
    path = film(tmp_path / "a.mp4")
    round_the_circle = ServedRtsp(path)
    async with (
        ServedRtsp(path, behaviour=RtspBehaviour.HANG_UP) as hanging,
        ServedRtsp(path, behaviour=RtspBehaviour.SILENT) as silent,
        ServedRtsp(path, user="admin", password="s3cret") as guarded,
        Scripted(path, first=OK, then=b"X-More: " + b"x" * 999 + b"\r\n") as endless,
        round_the_circle,
    ):
        round_the_circle.location = round_the_circle.address
        wrong = f"rtsp://admin:gue55@127.0.0.1:{guarded.port}/live"
        addresses = [hanging.address, wrong, endless.address, round_the_circle.address]
        if not continuous:  # a reading thread of FFmpeg's cannot be interrupted: it lets go after ten silent seconds
            addresses.append(silent.address)
        sources = [opened(address, continuous=continuous) for address in addresses]

        async def in_vain(times: int) -> None:
            for _ in range(times):
                await asyncio.gather(*(trouble(source, deadline_s=0.1) for source in sources))

        async def settled(*, files: int) -> None:
            async with asyncio.timeout(SOON_S):
                while held() > files:  # noqa: ASYNC110 - the other end's closing has no event of its own
                    await asyncio.sleep(0.02)

        files = held()
        await in_vain(1)  # threads of FFmpeg and its files are there afterwards
        await settled(files=files + 3)
        files, threads, tasks = held(), threading.active_count(), len(asyncio.all_tasks())
        await in_vain(100 // len(sources))
        for source in sources:
            await source.close()
        await settled(files=files)
        assert threading.active_count() <= threads + len(sources)
        assert len(asyncio.all_tasks()) <= tasks
