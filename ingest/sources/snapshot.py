"""One picture over HTTP: the cheapest look there is (a sub-stream JPEG of about 25 kB, decoded as far as needed).

aiohttp, because a look costs 0.26 ms of CPU with it where httpx takes 1.5 ms (measured, connection kept). A camera that
names the version of its picture (ETag, Last-Modified) is asked whether there is a newer one; a picture that is the
same to the last byte is not decoded again.

Every redirect is checked like the first address, credentials go to the camera's own host only, and connections are
made to the IP address that was checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from ingest.addresses import NetworkAddress, parse
from ingest.credentials import Credentials
from ingest.decode import MAX_PICTURE_BYTES, decode_picture, is_jpeg
from ingest.means import Means
from ingest.resolve import Resolver
from ingest.source import Shot
from ingest.undecoded import Undecoded, UndecodedShot
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble

MAX_REDIRECTS = 3
"""http to https, then to the canonical path: more is a loop or a login page."""

KEEP_OPEN_S = 30.0
"""A connection is kept for three usual intervals; cameras close idle ones after 15 to 60 s anyway."""

INLINE_BYTES = 64 * 1024
"""Up to this size the small picture is decoded where it arrives, 0.5 ms: handing it to a thread costs a third of that
again. Larger ones, up to 12 MB, must not hold up the others."""

LONGEST_REFUSAL = 16 * 1024
"""Bytes: pages that say "who are you?" are a few hundred."""

_HEADERS = {"Accept": "image/jpeg, image/*", "Accept-Encoding": "identity", "User-Agent": "gridwarden"}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@lru_cache(maxsize=4096)
def _url_at(ip: str, address: NetworkAddress) -> URL:
    """The address with its host resolved; building one costs a tenth of asking it."""
    return URL.build(scheme=address.scheme, host=ip, port=address.port).join(URL(address.target, encoded=True))


class SnapshotSource:
    """`Source` for http:// and https:// addresses."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._address = address
        self._clock = clock
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._credentials = None if address.user is None else Credentials(address.user, address.password or "")
        self._camera_clock: datetime | None = None
        self._session: aiohttp.ClientSession | None = None
        self._last: Undecoded | None = None
        self._version: dict[str, str] = {}

    async def look(self, *, deadline_s: float) -> Shot:
        shown = self._address.shown
        try:
            async with asyncio.timeout(deadline_s):
                data = await self._fetch(deadline_s=deadline_s)
                return await self._shot(data, self._clock.now(), deadline_s=deadline_s)
        except TimeoutError:
            self._forget()
            raise SourceError(
                f"{shown} gave no whole picture within {deadline_s:g} s.", reason=Trouble.TIMEOUT
            ) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            self._forget()
            raise _unreachable(error, shown=shown) from None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _forget(self) -> None:
        """After a failed look: the camera may be another one now."""
        self._resolver.forget()
        self._last, self._version = None, {}

    async def _shot(self, data: bytes | None, at: datetime, *, deadline_s: float) -> Shot:
        """data: None when the camera said that its picture is the last one still."""
        shown, last = self._address.shown, self._last
        if last is None or data not in (None, last.data):
            assert data is not None
            if not is_jpeg(data):
                image = await self._means.decoding.run(
                    lambda: decode_picture(data, what=shown), deadline_s=deadline_s, what=shown
                )
                return Shot(image, at, camera_clock=self._camera_clock)
            last = self._last = await self._undecoded(data, deadline_s=deadline_s)
        return UndecodedShot(last, at, self._camera_clock)

    async def _undecoded(self, data: bytes, *, deadline_s: float) -> Undecoded:
        shown = self._address.shown
        if len(data) <= INLINE_BYTES:
            return Undecoded(data, what=shown)
        return await self._means.decoding.run(lambda: Undecoded(data, what=shown), deadline_s=deadline_s, what=shown)

    async def _fetch(self, *, deadline_s: float) -> bytes | None:
        """The picture's bytes, None when the camera says that the last one has not changed."""
        address = self._address
        for _ in range(MAX_REDIRECTS + 1):
            async with self._answer(address, deadline_s=deadline_s) as response:
                if response.status == 304 and self._last is not None:
                    self._camera_clock = _told_time(response.headers.get("Date", ""))
                    return None
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    self._camera_clock = _told_time(response.headers.get("Date", ""))
                    data = await _body(response, shown=address.shown)
                    self._version = _version(response)
                    return data
                address = self._redirected(address, response.headers["Location"])
        raise SourceError(
            f"{self._address.shown} redirects more than {MAX_REDIRECTS} times; give the address it ends at.",
            reason=Trouble.REFUSED,
        )

    @asynccontextmanager
    async def _answer(self, address: NetworkAddress, *, deadline_s: float) -> AsyncIterator[aiohttp.ClientResponse]:
        """The camera's answer; asked a second time when it wants to know who asks. Others never get the password."""
        credentials = self._credentials if address.host == self._address.host else None
        response = await self._ask(address, credentials, deadline_s=deadline_s)
        try:
            offered = response.headers.getall("WWW-Authenticate", [])
            if response.status == 401 and credentials is not None and credentials.asked(offered):
                await _finish(response)
                response = await self._ask(address, credentials, deadline_s=deadline_s)
            yield response
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    async def _ask(
        self, address: NetworkAddress, credentials: Credentials | None, *, deadline_s: float
    ) -> aiohttp.ClientResponse:
        ip = await self._resolver.ip(address.host, deadline_s=deadline_s)
        headers = {"Host": address.url.split("/", maxsplit=3)[2], **self._version}
        if credentials is not None and (given := credentials.header("GET", address.target)) is not None:
            headers["Authorization"] = given
        session = self._session or self._open()
        return await session.get(
            _url_at(ip, address),
            headers=headers,
            allow_redirects=False,
            server_hostname=address.host if address.scheme == "https" else None,
        )

    def _open(self) -> aiohttp.ClientSession:
        """A session per camera: closing the camera closes its connection and nobody else's."""
        connector = aiohttp.TCPConnector(
            limit=2, ssl=self._means.tls, keepalive_timeout=KEEP_OPEN_S, use_dns_cache=False
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )
        return self._session

    def _redirected(self, address: NetworkAddress, location: str) -> NetworkAddress:
        target = parse(urljoin(address.url, location))
        if not isinstance(target, NetworkAddress) or target.scheme not in ("http", "https"):
            raise SourceError(
                f"{address.shown} redirects away from HTTP, which is not followed.", reason=Trouble.REFUSED
            )
        if address.scheme == "https" and target.scheme == "http" and self._credentials is not None:
            raise SourceError(
                f"{address.shown} redirects from https to http, where the password could be read by others.",
                reason=Trouble.REFUSED,
            )
        return target


def _told_time(date: str) -> datetime | None:
    """The camera's clock as its Date header has it (RFC 9110 §6.6.1); None when it says nothing that can be read."""
    try:
        told = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told


async def _body(response: aiohttp.ClientResponse, *, shown: str) -> bytes:
    _check_status(response, shown=shown)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        return await _first_part(response, shown=shown)
    if kind.startswith("text/"):
        raise SourceError(
            f"{shown} answered with a web page ({kind}) instead of a picture; "
            "check that it is the camera's snapshot address and whether it needs a user and password.",
            reason=Trouble.NOT_A_PICTURE,
        )
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceError(f"{shown} sends pictures compressed a second time.", reason=Trouble.NOT_A_PICTURE)
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        _check_length(len(data), shown=shown)
    return bytes(data)


async def _first_part(response: aiohttp.ClientResponse, *, shown: str) -> bytes:
    """The first whole JPEG of an MJPEG stream, which never ends by itself."""
    data = bytearray()
    start = -1
    async for chunk in response.content.iter_any():
        searched = max(len(data) - 1, 0)
        data += chunk
        _check_length(len(data), shown=shown)
        if start < 0:
            start = data.find(b"\xff\xd8\xff")
        end = data.find(b"\xff\xd9", max(searched, start)) if start >= 0 else -1
        if end >= 0:
            return bytes(data[start : end + 2])
    raise SourceError(f"{shown} ended its MJPEG stream before one whole picture.", reason=Trouble.NOT_A_PICTURE)


def _check_length(length: int, *, shown: str) -> None:
    if length > MAX_PICTURE_BYTES:
        raise SourceError(
            f"{shown} sends more than {MAX_PICTURE_BYTES // 2**20} MB for one picture; "
            "check that it is the snapshot address and not a recording.",
            reason=Trouble.NOT_A_PICTURE,
        )


def _check_status(response: aiohttp.ClientResponse, *, shown: str) -> None:
    status = response.status
    if status in (401, 403):
        raise SourceError(
            f"{shown} refused the user or password (HTTP {status}); correct them in the camera's address.",
            reason=Trouble.REFUSED,
        )
    if status != 200:
        advice = "check the path" if status == 404 else "the camera or recorder reports a fault of its own"
        raise SourceError(f"{shown} answered HTTP {status}: {advice}.", reason=Trouble.UNREACHABLE)


async def _finish(response: aiohttp.ClientResponse) -> None:
    """Reads a short refusal to its end, so that the connection can be used again; a long one is hung up on."""
    async for _ in response.content.iter_any():
        if response.content.total_bytes > LONGEST_REFUSAL:
            response.close()
            return
    response.release()


def _version(response: aiohttp.ClientResponse) -> dict[str, str]:
    """What to ask next time so that an unchanged picture is not sent again."""
    given = {"If-None-Match": response.headers.get("ETag"), "If-Modified-Since": response.headers.get("Last-Modified")}
    return {name: value for name, value in given.items() if value}


def _unreachable(error: Exception, *, shown: str) -> SourceError:
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionResetError):
        return SourceError(f"{shown} broke off in the middle of its answer.", reason=Trouble.UNREACHABLE)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return SourceError(f"{shown} has a certificate this machine does not trust.", reason=Trouble.UNREACHABLE)
    return SourceError(f"{shown} cannot be reached; check power, network, host and port.", reason=Trouble.UNREACHABLE)
