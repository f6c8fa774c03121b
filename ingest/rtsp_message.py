"""What an RTSP connection carries (RFC 2326): answers, and between them packets marked with a dollar sign. Pure.

Whatever comes is bounded before it is kept: a head, a body, and by its two bytes of length a packet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from models.errors import SourceError
from models.places import Trouble

MAX_HEAD = 16 * 1024
"""Bytes of an answer's status line and headers: cameras send 200 to 600, long digest challenges included."""

MAX_BODY = 64 * 1024
"""Bytes of a description: 500 to 3,000 from cameras and recorders, 10 kB with everything switched on."""

MAX_TARGET = 2048
"""Letters of an address a camera names: as many as an operator may type (`ingest.addresses`)."""

_STATUS = re.compile(r"RTSP/\d\.\d (\d{3})(?: |$)")
_REQUEST = re.compile(r"[A-Z_]{2,20} \S{1,2048} RTSP/\d\.\d$")
_BLANKS = re.compile(rb"[\r\n \t]+")
_DOLLAR = 0x24


class NotSpokenError(SourceError):
    """The camera is in order but speaks what the keyframe client does not; FFmpeg may."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason=Trouble.NOT_A_PICTURE)


@dataclass(frozen=True, slots=True)
class Reply:
    """headers: by lower-case name, every value in its order."""

    status: int
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first of this name, empty when there is none."""
        return self.headers.get(name, [""])[0]

    @property
    def date(self) -> datetime | None:
        """What the camera says the time is (RFC 2326 §12.18); None when it says nothing that can be read."""
        try:
            told = parsedate_to_datetime(self.header("date"))
        except (ValueError, TypeError, OverflowError):
            return None
        if told.year == MAXYEAR:
            return None  # no seconds can be added to its end
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told


class Packet(NamedTuple):
    """One interleaved packet (§10.12)."""

    channel: int
    data: bytes


class Wire:
    """Bytes as they arrive to what they say. Raises SourceError naming `what` when it is no RTSP, or too much of it."""

    def __init__(self, *, what: str) -> None:
        self._what = what
        self._rest = b""
        self._awaited: Reply | None = None
        self._missing = 0

    def feed(self, data: bytes) -> Iterator[Reply | Packet]:
        """What became whole with these bytes; to be read to its end. Requests of the camera's own are stepped over."""
        data = self._rest + data
        at, end = 0, len(data)
        message: Reply | Packet | None
        while at < end:
            if self._missing:
                whole, after, message = self._body(data, at)
            elif data[at] == _DOLLAR:
                after = at + 4 + (data[at + 2] << 8 | data[at + 3]) if at + 4 <= end else end + 1
                whole = after <= end
                message = Packet(data[at + 1], data[at + 4 : after]) if whole else None
            elif (blanks := _BLANKS.match(data, at)) is not None:
                whole, after, message = True, blanks.end(), None
            else:
                whole, after, message = self._head(data, at)
            if not whole:
                break
            at = after
            if message is not None:
                yield message
        self._rest = data[at:]

    def _body(self, data: bytes, at: int) -> tuple[bool, int, Reply | None]:
        """Whether it is whole, where it ends, and the answer it belongs to."""
        end = at + self._missing
        if len(data) < end:
            return False, at, None
        reply, self._awaited, self._missing = self._awaited, None, 0
        return True, end, reply and Reply(reply.status, reply.headers, data[at:end])

    def _head(self, data: bytes, at: int) -> tuple[bool, int, Reply | None]:
        end = data.find(b"\r\n\r\n", at, at + MAX_HEAD)
        if end < 0:
            self._check_beginning(data, at)
            return False, at, None
        first, *lines = data[at:end].decode("latin-1").split("\r\n")
        status = _STATUS.match(first)
        if status is None and _REQUEST.match(first) is None:
            raise self._not_rtsp()
        headers = _headers(lines)
        reply = Reply(int(status[1]), headers) if status else None
        self._missing = self._length(headers)
        if self._missing:
            self._awaited = reply
            return True, end + 4, None
        return True, end + 4, reply

    def _check_beginning(self, data: bytes, at: int) -> None:
        """Long enough to be judged: a web server, a shell or noise is not waited for to the deadline."""
        if len(data) - at >= MAX_HEAD or not 0x41 <= data[at] <= 0x5A or data.startswith(b"HTTP/", at):
            raise self._not_rtsp()

    def _length(self, headers: Mapping[str, list[str]]) -> int:
        given = headers.get("content-length", ["0"])[0]
        if not (given.isascii() and given.isdigit()):
            raise self._not_rtsp()
        if len(given) > 9 or int(given) > MAX_BODY:
            raise SourceError(
                f"{self._what} describes itself in {given[:12]} bytes, more than {MAX_BODY}.",
                reason=Trouble.NOT_A_PICTURE,
            )
        return int(given)

    def _not_rtsp(self) -> SourceError:
        return SourceError(f"{self._what} hung up, or does not speak RTSP; check the port.", reason=Trouble.UNREACHABLE)


def request(method: str, target: str, *, sequence: int, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request; `target` comes from `checked_target` or the operator's address."""
    lines = [f"{method} {target} RTSP/1.0", f"CSeq: {sequence}", "User-Agent: gridwarden"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def checked_target(text: str, *, what: str) -> str:
    """An address the camera named, as it may stand in a request line: it must not end the line and begin another."""
    if len(text) > MAX_TARGET or not text.isprintable() or " " in text:
        raise SourceError(f"{what} names an address for its track that cannot be asked.", reason=Trouble.NOT_A_PICTURE)
    return text


def _headers(lines: list[str]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers
