"""ONVIF in the four calls a look needs: what profiles there are, where the small stream is, where the snapshot is, and
the device's clock, which its passwords are checked against. Finding devices is in `ingest.onvif_discovery`.

A thin client on purpose (docs/decisions/0007): every connection goes to the address that was checked, every answer is
bounded, and an answer with a document type (the door to entity bombs) is not read.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import xml.etree.ElementTree as ET
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import aiohttp
from yarl import URL

from ingest.addresses import NetworkAddress, parse
from ingest.means import Means
from ingest.resolve import Resolver
from models.clock import Clock
from models.errors import SourceError
from models.places import Trouble

MOST_BYTES = 1024 * 1024
"""A camera with 32 profiles answers 60 kB."""

MEDIA = "http://www.onvif.org/ver10/media/wsdl"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DIGEST = f"{_SECURITY}-username-token-profile-1.0#PasswordDigest"


@dataclass(frozen=True, slots=True)
class Profile:
    """token: the device's name for it; encoding: H264, H265, JPEG."""

    token: str
    name: str
    encoding: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OnvifCamera:
    """profile: the smallest wide enough to see with; stream, snapshot: its addresses, "" where it has none."""

    profile: Profile
    stream: str
    snapshot: str
    clock_off: timedelta


LEAST_WIDTH = 480
"""Below it people across the street are a dozen pixels high; the sub-stream of street cameras is 640 or 704 wide."""


class OnvifDevice:
    """One device by its service address, http://user:password@host:port/onvif/device_service."""

    def __init__(self, address: NetworkAddress, *, clock: Clock, allow_private: bool, means: Means) -> None:
        self._address = address
        self._clock = clock
        self._resolver = Resolver(means.waiting, allow_private=allow_private)
        self._clock_off = timedelta()

    async def read(self, *, deadline_s: float) -> OnvifCamera:
        """Raises SourceError: refused for a wrong password, not_a_picture when it is no ONVIF device."""
        async with asyncio.timeout(deadline_s), self._session() as session:
            self._clock_off = await self._read_clock(session)
            media = await self._media_service(session)
            profiles = await self._profiles(session, media)
            profile = chosen(profiles)
            if profile is None:
                raise self._error("has no video profile", reason=Trouble.NOT_A_PICTURE)
            stream = await self._address_of(session, media, profile, snapshot=False)
            snapshot = await self._address_of(session, media, profile, snapshot=True)
        return OnvifCamera(profile, stream, snapshot, self._clock_off)

    async def _read_clock(self, session: aiohttp.ClientSession) -> timedelta:
        """Needs no password by the standard; a device's clock an hour off would refuse the right one."""
        answer = await self._call(session, self._address, f'<GetSystemDateAndTime xmlns="{DEVICE}"/>', secret=False)
        told = answer.find(f".//{{{SCHEMA}}}UTCDateTime")
        try:
            values = [int(found.text or "") for name in _MOMENT if (found := _in(told, name)) is not None]
            return datetime(*values, tzinfo=UTC) - self._clock.now()  # type: ignore[misc, arg-type]
        except (ValueError, TypeError):
            return timedelta()

    async def _media_service(self, session: aiohttp.ClientSession) -> NetworkAddress:
        body = f'<GetCapabilities xmlns="{DEVICE}"><Category>Media</Category></GetCapabilities>'
        answer = await self._call(session, self._address, body)
        found = answer.find(f".//{{{SCHEMA}}}Media/{{{SCHEMA}}}XAddr")
        if found is None or not found.text:
            raise self._error("names no media service", reason=Trouble.NOT_A_PICTURE)
        return self._own(found.text)

    async def _profiles(self, session: aiohttp.ClientSession, media: NetworkAddress) -> list[Profile]:
        answer = await self._call(session, media, f'<GetProfiles xmlns="{MEDIA}"/>')
        return [found for given in answer.iter(f"{{{MEDIA}}}Profiles") if (found := _profile(given)) is not None]

    async def _address_of(
        self, session: aiohttp.ClientSession, media: NetworkAddress, profile: Profile, *, snapshot: bool
    ) -> str:
        """ "" where the device has none, which it tells with a fault."""
        token = f"<ProfileToken>{escape(profile.token)}</ProfileToken>"
        setup = (
            f'<StreamSetup><Stream xmlns="{SCHEMA}">RTP-Unicast</Stream>'
            f'<Transport xmlns="{SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
        )
        name, more = ("GetSnapshotUri", "") if snapshot else ("GetStreamUri", setup)
        try:
            answer = await self._call(session, media, f'<{name} xmlns="{MEDIA}">{more}{token}</{name}>')
        except SourceError as error:
            if error.reason == Trouble.REFUSED:
                raise
            return ""
        found = answer.find(f".//{{{SCHEMA}}}Uri")
        if found is None or not found.text:
            return ""
        return self._with_user(self._own(found.text.strip()))

    async def _call(
        self, session: aiohttp.ClientSession, address: NetworkAddress, body: str, *, secret: bool = True
    ) -> ET.Element:
        ip = await self._resolver.ip(address.host, deadline_s=30)
        url = URL.build(scheme=address.scheme, host=ip, port=address.port).join(URL(address.target, encoded=True))
        header = self._header() if secret and self._address.user is not None else ""
        text = f'<s:Envelope xmlns:s="{ENVELOPE}">{header}<s:Body>{body}</s:Body></s:Envelope>'
        headers = {"Host": address.endpoint, "Content-Type": "application/soap+xml; charset=utf-8"}
        try:
            async with session.post(url, data=text.encode(), headers=headers, allow_redirects=False) as response:
                data = bytearray()
                async for chunk in response.content.iter_any():
                    data += chunk
                    if len(data) > MOST_BYTES:
                        raise self._error("sends more than 1 MB for one answer", reason=Trouble.NOT_A_PICTURE)
                return self._read_answer(response.status, bytes(data))
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise self._error("cannot be reached; check host and port", reason=Trouble.UNREACHABLE) from None

    def _read_answer(self, status: int, data: bytes) -> ET.Element:
        if status in (401, 403) or b"NotAuthorized" in data or b"FailedAuthentication" in data:
            raise self._error("refused the user or password", reason=Trouble.REFUSED)
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise self._error("answered something that is no SOAP", reason=Trouble.NOT_A_PICTURE)
        try:
            answer = ET.fromstring(data)  # noqa: S314 - document types, which could hold bombs, were refused above
        except ET.ParseError:
            raise self._error("answered something that is no SOAP", reason=Trouble.NOT_A_PICTURE) from None
        if status != 200 or answer.find(f".//{{{ENVELOPE}}}Fault") is not None:
            raise self._error("could not do what was asked", reason=Trouble.UNREACHABLE)
        return answer

    def _header(self) -> str:
        """WS-Security's digest (UsernameToken Profile 1.0): never the password itself; by the device's own clock."""
        nonce = secrets.token_bytes(16)
        created = f"{self._clock.now() + self._clock_off:%Y-%m-%dT%H:%M:%SZ}"
        password = (self._address.password or "").encode()
        digest = hashlib.sha1(nonce + created.encode() + password, usedforsecurity=False).digest()
        return (
            f'<s:Header><Security xmlns="{_SECURITY}-wssecurity-secext-1.0.xsd"><UsernameToken>'
            f"<Username>{escape(self._address.user or '')}</Username>"
            f'<Password Type="{_DIGEST}">{b64encode(digest).decode()}</Password>'
            f"<Nonce>{b64encode(nonce).decode()}</Nonce>"
            f'<Created xmlns="{_SECURITY}-wssecurity-utility-1.0.xsd">{created}</Created>'
            "</UsernameToken></Security></s:Header>"
        )

    def _own(self, text: str) -> NetworkAddress:
        """What the device says of itself, at the host it was asked at: behind NAT it names an address of its own."""
        address = parse(text)
        if not isinstance(address, NetworkAddress):
            raise self._error("names an address that is none", reason=Trouble.NOT_A_PICTURE)
        return NetworkAddress(address.scheme, self._address.host, address.port, address.target)

    def _with_user(self, address: NetworkAddress) -> str:
        return address.with_user(self._address.user, self._address.password)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    def _error(self, what: str, *, reason: Trouble) -> SourceError:
        return SourceError(f"The ONVIF device {self._address.endpoint} {what}.", reason=reason)


def chosen(profiles: list[Profile]) -> Profile | None:
    """The smallest that is wide enough, else the widest there is."""
    enough = [profile for profile in profiles if profile.width >= LEAST_WIDTH]
    if enough:
        return min(enough, key=lambda profile: profile.width * profile.height)
    return max(profiles, key=lambda profile: profile.width, default=None)


_MOMENT = ("Year", "Month", "Day", "Hour", "Minute", "Second")


def _in(told: ET.Element | None, name: str) -> ET.Element | None:
    return None if told is None else told.find(f".//{{{SCHEMA}}}{name}")


def _profile(given: ET.Element) -> Profile | None:
    encoder = given.find(f"{{{SCHEMA}}}VideoEncoderConfiguration")
    width, height = _in(encoder, "Width"), _in(encoder, "Height")
    try:
        size = int(_text(width)), int(_text(height))
    except ValueError:
        return None
    name = _text(given.find(f"{{{SCHEMA}}}Name"))
    return Profile(given.get("token", ""), name, _text(_in(encoder, "Encoding")), *size)


def _text(element: ET.Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()
