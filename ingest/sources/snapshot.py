"""One picture over HTTP: the cheapest look there is (a sub-stream JPEG is about 25 kB and 1 ms of decoding).

Every redirect is checked like the first address, credentials go to the camera's own host only, and connections are
made to the IP address that was checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from ingest.addresses import NetworkAddress, parse
from ingest.decode import MAX_PICTURE_BYTES, decode_picture
from ingest.means import Means
from ingest.resolve import Resolver
from ingest.source import Shot
from ingest.sources.snapshot_auth import AskedAuth
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble

MAX_REDIRECTS = 3
"""http to https, then to the canonical path: more is a loop or a login page."""

KEEP_OPEN_S = 30.0
"""A connection is kept for three usual intervals; cameras close idle ones after 15 to 60 s anyway."""

STEP_S = 30.0
"""For each connect, read and write; the look's own deadline comes first, this only ends what nobody awaits."""

_LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=KEEP_OPEN_S)
_HEADERS = {"Accept": "image/jpeg, image/*", "Accept-Encoding": "identity", "User-Agent": "gridwarden"}


class SnapshotSource:
    """`Source` for http:// and https:// addresses."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._address = address
        self._clock = clock
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._auth = AskedAuth(address.user, address.password or "") if address.user is not None else None
        self._camera_clock: datetime | None = None
        # A client per camera: httpx walks through all of a client's connections on every request.
        self._client = httpx.AsyncClient(
            verify=means.tls,
            limits=_LIMITS,
            headers=_HEADERS,
            timeout=STEP_S,
            trust_env=False,
            follow_redirects=False,
        )

    async def look(self, *, deadline_s: float) -> Shot:
        shown = self._address.shown
        try:
            async with asyncio.timeout(deadline_s):
                data = await self._fetch(deadline_s=deadline_s)
                captured_at = self._clock.now()
                image = await self._means.decoding.run(
                    lambda: decode_picture(data, what=shown), deadline_s=deadline_s, what=shown
                )
        except TimeoutError:
            self._resolver.forget()
            raise SourceError(
                f"{shown} gave no whole picture within {deadline_s:g} s.", reason=Trouble.TIMEOUT
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self._resolver.forget()
            raise _unreachable(error, shown=shown) from None
        return Shot(image, captured_at, camera_clock=self._camera_clock)

    async def close(self) -> None:
        await self._client.aclose()

    async def _fetch(self, *, deadline_s: float) -> bytes:
        address = self._address
        for _ in range(MAX_REDIRECTS + 1):
            async with self._answer(address, deadline_s=deadline_s) as response:
                if not response.is_redirect:
                    self._camera_clock = _told_time(response.headers.get("Date", ""))
                    return await _body(response, shown=address.shown)
                address = self._redirected(address, response.headers["Location"])
        raise SourceError(
            f"{self._address.shown} redirects more than {MAX_REDIRECTS} times; give the address it ends at.",
            reason=Trouble.REFUSED,
        )

    @asynccontextmanager
    async def _answer(self, address: NetworkAddress, *, deadline_s: float) -> AsyncIterator[httpx.Response]:
        ip = await self._resolver.ip(address.host, deadline_s=deadline_s)
        name = address.url.split("/", maxsplit=3)[2]
        request = self._client.build_request(
            "GET",
            httpx.URL(address.url).copy_with(host=ip),
            headers={"Host": name},
            extensions={"sni_hostname": address.host},
        )
        own = address.host == self._address.host
        response = await self._client.send(request, auth=self._auth if own else None, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def _redirected(self, address: NetworkAddress, location: str) -> NetworkAddress:
        target = parse(str(httpx.URL(address.url).join(location)))
        if not isinstance(target, NetworkAddress) or target.scheme not in ("http", "https"):
            raise SourceError(
                f"{address.shown} redirects away from HTTP, which is not followed.", reason=Trouble.REFUSED
            )
        if address.scheme == "https" and target.scheme == "http" and self._auth is not None:
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


async def _body(response: httpx.Response, *, shown: str) -> bytes:
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
    async for chunk in response.aiter_raw():
        data += chunk
        _check_length(len(data), shown=shown)
    return bytes(data)


async def _first_part(response: httpx.Response, *, shown: str) -> bytes:
    """The first whole JPEG of an MJPEG stream, which never ends by itself."""
    data = bytearray()
    start = -1
    async for chunk in response.aiter_raw():
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


def _check_status(response: httpx.Response, *, shown: str) -> None:
    status = response.status_code
    if status in (401, 403):
        raise SourceError(
            f"{shown} refused the user or password (HTTP {status}); correct them in the camera's address.",
            reason=Trouble.REFUSED,
        )
    if status != 200:
        advice = "check the path" if status == 404 else "the camera or recorder reports a fault of its own"
        raise SourceError(f"{shown} answered HTTP {status}: {advice}.", reason=Trouble.UNREACHABLE)


def _unreachable(error: Exception, *, shown: str) -> SourceError:
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return SourceError(f"{shown} broke off in the middle of its answer.", reason=Trouble.UNREACHABLE)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return SourceError(f"{shown} has a certificate this machine does not trust.", reason=Trouble.UNREACHABLE)
    return SourceError(f"{shown} cannot be reached; check power, network, host and port.", reason=Trouble.UNREACHABLE)
