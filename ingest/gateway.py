"""A GB28181 gateway's HTTP API, as WVP-PRO has it: sign in, list devices and channels, start a channel's stream.

GB28181 itself (SIP, RTP over UDP) stays in the gateway and its media server (ZLMediaKit), where districts have it
already. Its snapshot file is written when somebody plays the channel and may be days old, so looks are taken from the
stream: `play` starts it, or tells where it already runs; the media server ends it when nobody watches any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from ingest.addresses import NetworkAddress
from ingest.means import Means
from ingest.resolve import Resolver
from models.errors import SourceError
from models.places import Trouble

PAGE = 100
"""Channels asked for at once; the gateway's pages load as many."""

MOST_CHANNELS = 20_000
"""As many as a camera list may have rows."""

MOST_BYTES = 4 * 1024 * 1024
"""A page of 100 channels is about 100 kB."""

SIGNED_OUT = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Channel:
    """position: (longitude, latitude) as the device reports it, None where it reports none."""

    device_id: str
    channel_id: str
    name: str
    online: bool
    position: tuple[float, float] | None


class Gateway:
    """One signed-in client. Raises SourceError with the gateway's own words when it refuses."""

    def __init__(self, address: NetworkAddress, *, allow_private: bool, means: Means) -> None:
        """address: of any channel behind it, with user and password; its path is not used."""
        self._address = address
        self._means = means
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._session: aiohttp.ClientSession | None = None
        self._token = ""

    async def channels(self, *, deadline_s: float) -> AsyncIterator[Channel]:
        """Every channel of every device, page by page; deadline_s: for each page."""
        count = 0
        async for device in self._pages("/api/device/query/devices", deadline_s=deadline_s):
            device_id = str(device.get("deviceId", ""))
            async for given in self._pages(f"/api/device/query/devices/{device_id}/channels", deadline_s=deadline_s):
                count += 1
                if count > MOST_CHANNELS:
                    raise self._error(f"has more than {MOST_CHANNELS} channels")
                yield _channel(device_id, given)

    async def play(self, device_id: str, channel_id: str, *, deadline_s: float) -> str:
        """The RTSP address of the channel's stream, started when it does not run yet."""
        data = await self._ask(f"/api/play/start/{device_id}/{channel_id}", {}, deadline_s=deadline_s)
        found = data.get("rtsp") if isinstance(data, dict) else None
        if not isinstance(found, str) or not found.startswith("rtsp"):
            raise self._error("started the stream but gives no RTSP address; switch RTSP on in the media server")
        return found

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _pages(self, path: str, *, deadline_s: float) -> AsyncIterator[dict[str, Any]]:
        seen, page = 0, 1
        while True:
            data = await self._ask(path, {"page": str(page), "count": str(PAGE)}, deadline_s=deadline_s)
            rows = data.get("list") if isinstance(data, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise self._error("answered something else than a list; is it WVP-PRO 2.6 or newer?")
            for row in rows:
                yield row
            seen += len(rows)
            if not rows or seen >= int(data.get("total", 0)):
                return
            page += 1

    async def _ask(self, path: str, query: Mapping[str, str], *, deadline_s: float) -> Any:
        """The `data` of an answer; signs in first, and once more when the gateway has forgotten us."""
        if not self._token:
            await self._sign_in(deadline_s=deadline_s)
        status, answer = await self._get(path, query, deadline_s=deadline_s)
        if status in SIGNED_OUT or answer.get("code") in SIGNED_OUT:
            await self._sign_in(deadline_s=deadline_s)
            status, answer = await self._get(path, query, deadline_s=deadline_s)
        if status != 200 or answer.get("code", 0) != 0:
            said = str(answer.get("msg", ""))[:200] or f"HTTP {status}"
            raise self._error(f"refused: {said}")
        return answer.get("data", answer)

    async def _sign_in(self, *, deadline_s: float) -> None:
        """The API takes the password's MD5, which is as good as the password: mind who can read the network."""
        secret = hashlib.md5((self._address.password or "").encode(), usedforsecurity=False).hexdigest()
        query = {"username": self._address.user or "", "password": secret}
        status, answer = await self._get("/api/user/login", query, deadline_s=deadline_s)
        data = answer.get("data")
        token = data.get("accessToken") if isinstance(data, dict) else None
        if status != 200 or not isinstance(token, str) or not token:
            raise self._error("refused the user or password; correct them in the address", reason=Trouble.REFUSED)
        self._token = token

    async def _get(self, path: str, query: Mapping[str, str], *, deadline_s: float) -> tuple[int, dict[str, Any]]:
        try:
            async with asyncio.timeout(deadline_s):
                ip = await self._resolver.ip(self._address.host, deadline_s=deadline_s)
                url = URL.build(scheme="http", host=ip, port=self._address.port, path=path, query=query)
                headers = {"Host": self._address.endpoint} | ({"access-token": self._token} if self._token else {})
                async with self._opened().get(url, headers=headers, allow_redirects=False) as response:
                    data = bytearray()
                    async for chunk in response.content.iter_any():
                        data += chunk
                        if len(data) > MOST_BYTES:
                            raise self._error("sends more than 4 MB for one page")
                    answer = json.loads(bytes(data) or b"{}")
                    return response.status, answer if isinstance(answer, dict) else {}
        except TimeoutError:
            raise self._error(f"gave no answer within {deadline_s:g} s", reason=Trouble.TIMEOUT) from None
        except ValueError:
            raise self._error("answered no JSON; is it the gateway's API port?") from None
        except (aiohttp.ClientError, OSError):
            raise self._error("cannot be reached; check host and port") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=2, use_dns_cache=False),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def _error(self, what: str, *, reason: Trouble = Trouble.UNREACHABLE) -> SourceError:
        return SourceError(f"The gateway {self._address.endpoint} {what}.", reason=reason)


def _channel(device_id: str, given: Mapping[str, Any]) -> Channel:
    """Of WVP-PRO 2.6 (channelId, name, status) and 2.7 (gb… fields beside the device's own)."""
    status = given.get("gbStatus", given.get("status"))
    longitude = given.get("gbLongitude") or given.get("longitude")
    latitude = given.get("gbLatitude") or given.get("latitude")
    return Channel(
        device_id=device_id,
        channel_id=str(given.get("channelId") or given.get("gbDeviceId") or given.get("deviceId") or ""),
        name=str(given.get("gbName") or given.get("name") or ""),
        online=status in (True, 1, "ON", "on", "true"),
        position=_position(longitude, latitude),
    )


def _position(longitude: Any, latitude: Any) -> tuple[float, float] | None:
    try:
        pair = float(longitude), float(latitude)
    except (TypeError, ValueError):
        return None
    return pair if any(pair) and abs(pair[0]) <= 180 and abs(pair[1]) <= 90 else None
