"""An RTSP camera on a real socket that plays an H.264 or H.265 file in real time, for tests and benchmarks.

RTSP 1.0 (RFC 2326) with RTP interleaved in the TCP connection (§10.12). Only what a client needs to see a live camera:
OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import struct
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from ingest.served_camera import ServedCamera
from ingest.served_packets import CLOCK_RATE, Frame, interleaved, packets, read_film, read_frames, track_description
from ingest.served_snapshot import digest_is_right

REMEMBERED = 1000
"""Requests whose methods are kept for tests to look at."""


class RtspBehaviour(StrEnum):
    """What the camera does once it plays."""

    VIDEO = "video"
    NO_KEYFRAME = "no_keyframe"
    SILENT = "silent"
    HANG_UP = "hang_up"
    """Closes the connection as soon as somebody connects."""


class ServedRtsp(ServedCamera):
    """`async with ServedRtsp(path) as camera: … camera.address`; stopped and port freed at the end.

    video: a file with an H.264 or H.265 track; user: asks for digest authentication, or basic; together: short units
    share a packet. PLAY begins with the keyframe before the present moment, as most cameras do. later, switch: a second
    file of the same length, keyframes and encoding, shown once `switch()` is true. location: where everybody is sent on
    to. date: what it says the time is, in every answer. patience_s: hangs up on viewers it has not heard for so long,
    as it says beforehand. `plays` and `viewers` count past and present connections that played, `asked` the methods of
    all requests, `given` the Authorization headers that came.
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
        basic: bool = False,
        together: bool = False,
        location: str = "",
        date: str = "",
        patience_s: int | None = None,
    ) -> None:
        super().__init__(user=user, password=password)
        self.encoding, self._frames = read_film(video)
        self._later = self._frames if later is None else read_frames(later)
        self._switch = switch
        self._started = time.monotonic()
        self._basic = basic
        self._together = together
        self.behaviour = behaviour
        self.location = location
        self.date = date
        self._patience_s = patience_s
        self.asked: deque[str] = deque(maxlen=REMEMBERED)
        self.given: deque[str] = deque(maxlen=REMEMBERED)
        self.plays = 0
        self.viewers = 0

    @property
    def address(self) -> str:
        return f"rtsp://{self._authority}/live"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        try:
            while self.behaviour is not RtspBehaviour.HANG_UP:
                head = await asyncio.wait_for(_request(reader), self._patience_s)
                if given := _header(head, "authorization"):
                    self.given.append(given)
                method = head.split(" ", 1)[0]
                self.asked.append(method)
                writer.write(self._response(head, method))
                await writer.drain()
                if method == "TEARDOWN":
                    break
                if method == "PLAY" and playing is None:
                    playing = asyncio.create_task(self._play(writer))
        except TimeoutError:
            pass  # It has not been heard for too long.
        finally:
            if playing is not None:
                playing.cancel()
                await asyncio.wait([playing])

    def _response(self, head: str, method: str) -> bytes:
        sequence = _header(head, "cseq")
        if self.location and method == "DESCRIBE":
            return f"RTSP/1.0 302 Moved\r\nCSeq: {sequence}\r\nLocation: {self.location}\r\n\r\n".encode()
        if self._user and method != "OPTIONS" and not self._admitted(head, method):
            wanted = 'Basic realm="camera"' if self._basic else 'Digest realm="camera", nonce="2f1c8a9b7d6e5f40"'
            return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {sequence}\r\nWWW-Authenticate: {wanted}\r\n\r\n".encode()
        lines = [f"RTSP/1.0 200 OK\r\nCSeq: {sequence}", *([f"Date: {self.date}"] if self.date else [])]
        body = ""
        match method:
            case "OPTIONS":
                lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
            case "DESCRIBE":
                body = self._description()
                lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                timeout = f";timeout={self._patience_s}" if self._patience_s else ""
                lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", f"Session: 20261123{timeout}"]
            case _:
                lines.append("Session: 20261123")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _admitted(self, head: str, method: str) -> bool:
        given = _header(head, "authorization")
        if self._basic:
            return given == "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        return digest_is_right(given, user=self._user, password=self._password, method=method)

    def _description(self) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
            + track_description(self.encoding, self._frames[0].units)
            + "a=control:track1\r\n"
        )

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        self.plays += 1
        self.viewers += 1
        sequence = itertools.count()
        try:
            with contextlib.suppress(ConnectionError):
                for frame, due in self._live():
                    await asyncio.sleep(max(due - time.monotonic(), 0.0))
                    writer.write(b"".join(map(interleaved, self._packets(frame, due=due, sequence=sequence))))
                    await writer.drain()
        finally:
            self.viewers -= 1

    def _packets(self, frame: Frame, *, due: float, sequence: Iterator[int]) -> Iterator[bytes]:
        stamp = int(due * CLOCK_RATE)
        return packets(frame, encoding=self.encoding, stamp=stamp, sequence=sequence, together=self._together)

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


async def _request(reader: asyncio.StreamReader) -> str:
    """The next request's head; RTCP packets the client sends in between are stepped over."""
    while (first := await reader.readexactly(1)) == b"$":
        _, length = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(length)
    return (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")


def _header(head: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""
