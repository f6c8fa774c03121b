"""A snapshot camera on a real socket, for tests and benchmarks: honest by default, or misbehaving on demand."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from enum import StrEnum

from ingest.served_camera import ServedCamera


class Behaviour(StrEnum):
    """What the camera does when asked for a picture."""

    PICTURE = "picture"
    HTML = "html"
    SLOW = "slow"
    """A byte every tenth of a second."""
    SILENT = "silent"
    CUT_OFF = "cut_off"
    """Half of the announced bytes, then the connection is closed."""
    TRUNCATED = "truncated"
    """Half a picture, announced as whole."""
    ENDLESS = "endless"
    NOT_FOUND = "not_found"
    MJPEG = "mjpeg"
    REDIRECT = "redirect"
    HANG_UP = "hang_up"


class ServedSnapshot(ServedCamera):
    """`async with ServedSnapshot(jpeg) as camera: … camera.address`; stopped and port freed at the end.

    picture: JPEG bytes, or a function giving those of the moment; user: asks for authentication, by digest unless
    `basic`; location: where REDIRECT sends to; versions: names pictures by an ETag and answers 304.
    `requests`, `connections` and `unchanged` (answers 304) count.
    """

    def __init__(
        self,
        picture: bytes | Callable[[], bytes],
        *,
        user: str = "",
        password: str = "",
        basic: bool = False,
        behaviour: Behaviour = Behaviour.PICTURE,
        location: str = "",
        versions: bool = False,
    ) -> None:
        super().__init__(user=user, password=password)
        self._picture = picture if callable(picture) else lambda: picture
        self._basic = basic
        self.behaviour = behaviour
        self.location = location
        self._versions = versions
        self.unchanged = 0
        self.requests = 0
        self.connections = 0

    def show(self, picture: bytes) -> None:
        """From now on."""
        self._picture = lambda: picture

    @property
    def address(self) -> str:
        return f"http://{self._authority}/snapshot.jpg"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        answered = True
        while answered:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.requests += 1
            answered = await self._answer(head, writer)

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> bool:
        """False when the connection ends with this answer."""
        if self._user and not self._admitted(head):
            writer.write(_response("401 Unauthorized", b"who?", kind="text/plain", more=self._challenge()))
            await writer.drain()
            return True
        if self._versions and self.behaviour is Behaviour.PICTURE:
            writer.write(self._versioned(head))
            await writer.drain()
            return True
        return await self._behave(writer)

    def _versioned(self, head: str) -> bytes:
        picture = self._picture()
        tag = f'"{hashlib.sha256(picture).hexdigest()[:16]}"'
        if f"if-none-match: {tag}" in head.lower():
            self.unchanged += 1
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        return _response("200 OK", picture, more=f"ETag: {tag}\r\n")

    async def _behave(self, writer: asyncio.StreamWriter) -> bool:
        picture = self._picture()
        half = picture[: len(picture) // 2]
        page = b"<!DOCTYPE html><html><body>Sign in</body></html>"
        whole = {
            Behaviour.PICTURE: lambda: _response("200 OK", picture),
            Behaviour.HTML: lambda: _response("200 OK", page, kind="text/html"),
            Behaviour.TRUNCATED: lambda: _response("200 OK", half),
            Behaviour.NOT_FOUND: lambda: _response("404 Not Found", page, kind="text/html"),
            Behaviour.REDIRECT: lambda: _response("302 Found", b"", more=f"Location: {self.location}\r\n"),
        }
        if self.behaviour in whole:
            writer.write(whole[self.behaviour]())
            await writer.drain()
            return True
        await self._misbehave(picture, writer)
        return False

    async def _misbehave(self, picture: bytes, writer: asyncio.StreamWriter) -> None:
        start = _response("200 OK", picture)
        match self.behaviour:
            case Behaviour.CUT_OFF:
                writer.write(start[: len(start) // 2])
            case Behaviour.SILENT:
                await asyncio.Event().wait()
            case Behaviour.SLOW:
                for byte in start:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.1)
            case Behaviour.ENDLESS:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + picture[:64])
                while True:
                    writer.write(bytes(65536))
                    await writer.drain()
            case Behaviour.MJPEG:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n")
                while True:
                    writer.write(b"--next\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.04)
            case _:
                return
        await writer.drain()

    def _challenge(self) -> str:
        scheme = 'Basic realm="camera"' if self._basic else f'Digest realm="camera", qop="auth", nonce="{_NONCE}"'
        return f"WWW-Authenticate: {scheme}\r\n"

    def _admitted(self, head: str) -> bool:
        given = re.search(r"^authorization: (.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
        if given is None:
            return False
        if self._basic:
            return given[1] == "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        return digest_is_right(
            given[1], user=self._user, password=self._password, method=head.split(" ", maxsplit=1)[0]
        )


_NONCE = "5ccc069c403ebaf9f0171e9517f40e41"


def digest_is_right(header: str, *, user: str, password: str, method: str) -> bool:
    """Whether an Authorization header proves the password (RFC 7616, MD5, with or without qop=auth)."""
    given = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', header)}
    if not header.startswith("Digest ") or given.get("username") != user:
        return False
    secret = _md5(f"{user}:{given.get('realm')}:{password}")
    asked = _md5(f"{method}:{given.get('uri')}")
    middle = f"{given.get('nonce')}:"
    if "qop" in given:
        middle += f"{given.get('nc')}:{given.get('cnonce')}:{given['qop']}:"
    return given.get("response") == _md5(f"{secret}:{middle}{asked}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _response(status: str, body: bytes, *, kind: str = "image/jpeg", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body
