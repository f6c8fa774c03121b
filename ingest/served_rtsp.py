"""An RTSP camera on a real socket that plays an H.264 file in real time, for tests and benchmarks.

RTSP 1.0 (RFC 2326) with RTP interleaved in the TCP connection (§10.12), H.264 packetised by RFC 6184. Only what a
client needs to see a live camera: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import struct
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from ingest.served_camera import ServedCamera
from ingest.served_snapshot import digest_is_right

MAX_PAYLOAD = 1400
"""Bytes of one RTP packet, as cameras send them over Ethernet."""

CLOCK_RATE = 90_000
"""RTP time stamps of video count ninety thousandths of a second (RFC 6184 §5.1)."""

MAX_FRAMES = 20_000
"""Frames held in memory: test clips have a thousand."""


class RtspBehaviour(StrEnum):
    """What the camera does once it plays."""

    VIDEO = "video"
    NO_KEYFRAME = "no_keyframe"
    SILENT = "silent"
    HANG_UP = "hang_up"
    """Closes the connection as soon as somebody connects."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit: when it is shown, whether it can be decoded alone, its NAL units without start codes."""

    at_s: float
    key: bool
    units: tuple[bytes, ...]


class ServedRtsp(ServedCamera):
    """`async with ServedRtsp(path) as camera: … camera.address`; stopped and port freed at the end.

    video: a file with an H.264 track; user: asks for digest authentication. PLAY begins with the keyframe before the
    present moment, as most cameras do. later, switch: a second file of the same length, keyframes and encoding, shown
    once `switch()` is true. `plays` and `viewers` count past and present connections that played.
    """

    def __init__(
        self,
        video: Path,
        *,
        user: str = "",
        password: str = "",
        behaviour: RtspBehaviour = RtspBehaviour.VIDEO,
        later: Path | None = None,
        switch: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(user=user, password=password)
        self._frames = read_frames(video)
        self._later = self._frames if later is None else read_frames(later)
        self._switch = switch
        self._started = time.monotonic()
        self.behaviour = behaviour
        self.plays = 0
        self.viewers = 0

    @property
    def address(self) -> str:
        return f"rtsp://{self._authority}/live"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        try:
            while self.behaviour is not RtspBehaviour.HANG_UP:
                head = await _request(reader)
                method = head.split(" ", 1)[0]
                writer.write(self._response(head, method))
                await writer.drain()
                if method == "TEARDOWN":
                    break
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self._play(writer))
        finally:
            if playing is not None:
                playing.cancel()
                await asyncio.wait([playing])

    def _response(self, head: str, method: str) -> bytes:
        sequence = _header(head, "cseq")
        if self._user and method != "OPTIONS" and not self._admitted(head, method):
            challenge = 'WWW-Authenticate: Digest realm="camera", nonce="2f1c8a9b7d6e5f40"'
            return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {sequence}\r\n{challenge}\r\n\r\n".encode()
        lines = [f"RTSP/1.0 200 OK\r\nCSeq: {sequence}"]
        body = ""
        match method:
            case "OPTIONS":
                lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
            case "DESCRIBE":
                body = self._description()
                lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 20261123"]
            case _:
                lines.append("Session: 20261123")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _admitted(self, head: str, method: str) -> bool:
        given = _header(head, "authorization")
        return digest_is_right(given, user=self._user, password=self._password, method=method)

    def _description(self) -> str:
        units = [unit for unit in self._frames[0].units if unit[0] & 31 in (7, 8)]
        parameters = ",".join(b64encode(unit).decode() for unit in units)
        profile = units[0][1:4].hex() if units else "42001e"
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/{CLOCK_RATE}\r\na=control:track1\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={parameters}\r\n"
        )

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        self.plays += 1
        self.viewers += 1
        sequence = itertools.count()
        try:
            with contextlib.suppress(ConnectionError):
                for frame, due in self._live():
                    await asyncio.sleep(max(due - time.monotonic(), 0.0))
                    packets = _packets(frame, stamp=int(due * CLOCK_RATE), sequence=sequence)
                    writer.write(b"".join(packets))
                    await writer.drain()
        finally:
            self.viewers -= 1

    def _live(self) -> Iterator[tuple[Frame, float]]:
        """Frames from the last keyframe before now, each with the monotonic time it is due; loops for ever."""
        length = self._frames[-1].at_s + 0.04
        rounds, offset = divmod(time.monotonic() - self._started, length)
        begin = self._started + rounds * length
        first = max((i for i, frame in enumerate(self._frames) if frame.key and frame.at_s <= offset), default=0)
        shown = self._frames
        while self.behaviour is not RtspBehaviour.SILENT:
            for number in range(first, len(self._frames)):
                if self._frames[number].key:
                    shown = self._later if self._switch() else self._frames
                frame = shown[number]
                if not (frame.key and self.behaviour is RtspBehaviour.NO_KEYFRAME):
                    yield frame, begin + frame.at_s
            first, begin = 0, begin + length


def read_frames(video: Path) -> list[Frame]:
    """The H.264 access units of a file. Raises ValueError when it has none."""
    with av.open(f"file:{video}") as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "h264":
            raise ValueError(f"{video} is {stream.codec_context.name}; only H.264 is served")
        to_bytes = BitStreamFilterContext("h264_mp4toannexb", stream)
        frames = [
            Frame(float(packet.pts * packet.time_base), packet.is_keyframe, split_units(bytes(packet)))
            for whole in itertools.islice(container.demux(stream), MAX_FRAMES)
            for packet in to_bytes.filter(whole)
            if packet.pts is not None and packet.time_base is not None and packet.size
        ]
    if not frames or not frames[0].key:
        raise ValueError(f"{video} does not begin with a keyframe")
    return frames


def split_units(data: bytes) -> tuple[bytes, ...]:
    """NAL units of an Annex B byte stream (ITU-T H.264, B.1), without start codes."""
    return tuple(unit for part in re.split(rb"\x00\x00\x01", data) if (unit := part.rstrip(b"\x00")))


def _packets(frame: Frame, *, stamp: int, sequence: Iterator[int]) -> Iterator[bytes]:
    """Interleaved RTP packets; the marker bit ends the access unit."""
    payloads = [payload for unit in frame.units for payload in _payloads(unit)]
    for index, payload in enumerate(payloads):
        marker = 0x80 if index == len(payloads) - 1 else 0
        header = struct.pack(">BBHII", 0x80, 96 | marker, next(sequence) & 0xFFFF, stamp & 0xFFFFFFFF, 0x47574152)
        yield struct.pack(">cBH", b"$", 0, len(header) + len(payload)) + header + payload


def _payloads(unit: bytes) -> Iterator[bytes]:
    """The unit itself, or its FU-A fragments (RFC 6184 §5.8)."""
    if len(unit) <= MAX_PAYLOAD:
        yield unit
        return
    indicator, kind = unit[0] & 0xE0 | 28, unit[0] & 0x1F
    for at in range(1, len(unit), MAX_PAYLOAD):
        piece = unit[at : at + MAX_PAYLOAD]
        flags = (0x80 if at == 1 else 0) | (0x40 if at + MAX_PAYLOAD >= len(unit) else 0)
        yield bytes((indicator, flags | kind)) + piece


async def _request(reader: asyncio.StreamReader) -> str:
    """The next request's head; RTCP packets the client sends in between are stepped over."""
    while (first := await reader.readexactly(1)) == b"$":
        _, length = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(length)
    return (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")


def _header(head: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""
