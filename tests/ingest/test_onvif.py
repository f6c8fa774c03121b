"""Against a served ONVIF device: real HTTP, SOAP 1.2, WS-Security digests checked as a device checks them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64decode
from datetime import datetime, timedelta

import pytest

from ingest.addresses import parse
from ingest.means import Means
from ingest.onvif import OnvifDevice, Profile, chosen
from ingest.onvif_discovery import discover
from ingest.served_camera import ServedCamera
from models.errors import SourceError

MAIN, SUB, THUMB = ("main", "H265", 2560, 1440), ("sub", "H264", 640, 360), ("thumb", "JPEG", 160, 90)


class ServedOnvif(ServedCamera):
    """clock: its own; profiles: (token, encoding, width, height). It names an address behind its NAT for itself."""

    def __init__(self, clock, *, profiles=(MAIN, SUB, THUMB), snapshots: bool = True) -> None:
        super().__init__(user="admin", password="ge<heim")
        self.clock = clock
        self.profiles = profiles
        self.snapshots = snapshots
        self.used: set[str] = set()
        self.answer: bytes | None = None

    @property
    def address(self) -> str:
        return f"http://admin:ge%3Cheim@127.0.0.1:{self.port}/onvif/device_service"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            asked = (await reader.readexactly(int(length[1]))).decode()
            status, body = (200, self.answer) if self.answer is not None else self._answered(asked)
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/soap+xml\r\n".encode())
            writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    def _answered(self, asked: str) -> tuple[int, bytes]:
        if "GetSystemDateAndTime" in asked:
            now = self.clock.now()
            date = f"<t:Date><t:Year>{now.year}</t:Year><t:Month>{now.month}</t:Month><t:Day>{now.day}</t:Day></t:Date>"
            time = f"<t:Hour>{now.hour}</t:Hour><t:Minute>{now.minute}</t:Minute><t:Second>{now.second}</t:Second>"
            return soap(f"<t:UTCDateTime><t:Time>{time}</t:Time>{date}</t:UTCDateTime>")
        if not self._admitted(asked):
            return fault("<s:Value>ter:NotAuthorized</s:Value>", status=400)
        if "GetCapabilities" in asked:
            return soap(f"<t:Media><t:XAddr>http://192.168.1.64:{self.port}/onvif/media</t:XAddr></t:Media>")
        if "GetProfiles" in asked:
            return soap("".join(map(profile, self.profiles)))
        token = re.search(r"<ProfileToken>(.*?)</ProfileToken>", asked)[1]
        if "GetStreamUri" in asked:
            return soap(f"<t:Uri>rtsp://192.168.1.64:554/Streaming/{token}?a=1&amp;b=2</t:Uri>")
        if "GetSnapshotUri" in asked and self.snapshots:
            return soap(f"<t:Uri>http://192.168.1.64/snap/{token}.jpg</t:Uri>")
        return fault("<s:Value>ter:ActionNotSupported</s:Value>", status=500)

    def _admitted(self, asked: str) -> bool:
        """A digest of this minute by the device's clock, with a nonce never used before."""
        given = dict(re.findall(r"<(Username|Password|Nonce|Created)(?:\s[^>]*)?>([^<]*)</", asked))
        if given.get("Username") != "admin" or given["Nonce"] in self.used:
            return False
        self.used.add(given["Nonce"])
        secret = b64decode(given["Nonce"]) + given["Created"].encode() + b"ge<heim"
        created = datetime.fromisoformat(given["Created"])
        fresh = abs(created - self.clock.now()) < timedelta(minutes=1)
        return fresh and b64decode(given["Password"]) == hashlib.sha1(secret).digest()


def profile(given: tuple[str, str, int, int]) -> str:
    token, encoding, width, height = given
    size = f"<t:Resolution><t:Width>{width}</t:Width><t:Height>{height}</t:Height></t:Resolution>"
    encoder = f"<t:VideoEncoderConfiguration><t:Encoding>{encoding}</t:Encoding>{size}</t:VideoEncoderConfiguration>"
    return f'<m:Profiles token="{token}"><t:Name>{token}</t:Name>{encoder}</m:Profiles>'


def soap(inside: str) -> tuple[int, bytes]:
    spaces = (
        'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:t="http://www.onvif.org/ver10/schema" '
        'xmlns:m="http://www.onvif.org/ver10/media/wsdl" xmlns:ter="http://www.onvif.org/ver10/error"'
    )
    return 200, f"<?xml version='1.0'?><s:Envelope {spaces}><s:Body>{inside}</s:Body></s:Envelope>".encode()


def fault(inside: str, *, status: int) -> tuple[int, bytes]:
    return status, soap(f"<s:Fault><s:Code>{inside}</s:Code></s:Fault>")[1]


@pytest.fixture
def read(clock):
    async def one(address: str, *, allow_private: bool = True):
        device = OnvifDevice(parse(address), clock=clock, allow_private=allow_private, means=Means())
        return await device.read(deadline_s=10)

    return one


async def test_the_sub_stream_and_its_snapshot_are_found_at_the_host_that_was_asked(read, clock):
    async with ServedOnvif(clock) as served:
        found = await read(served.address)
    assert found.profile.token == "sub"
    assert found.stream == "rtsp://admin:ge%3Cheim@127.0.0.1:554/Streaming/sub?a=1&b=2"
    assert found.snapshot == "http://admin:ge%3Cheim@127.0.0.1:80/snap/sub.jpg"


async def test_a_device_whose_clock_is_in_1970_is_read_all_the_same_and_its_clock_told(read, clock):
    other = type(clock)(datetime.fromisoformat("1970-01-01T00:00:30+00:00"))
    async with ServedOnvif(other) as served:
        found = await read(served.address)
    assert found.clock_off < -timedelta(days=365 * 50)


async def test_a_device_without_snapshots_still_has_its_stream(read, clock):
    async with ServedOnvif(clock, snapshots=False) as served:
        found = await read(served.address)
    assert (found.snapshot, found.stream != "") == ("", True)


async def test_a_wrong_password_is_refused_and_not_shown(read, clock):
    async with ServedOnvif(clock) as served:
        with pytest.raises(SourceError, match="user or password") as raised:
            await read(served.address.replace("ge%3Cheim", "falsch"))
    assert raised.value.reason == "refused"
    assert "falsch" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html><body>Sign in", "no SOAP"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', "no SOAP"),
        (b"<a/>", "no media service"),
        (b"x" * (2 * 2**20), "more than 1 MB"),
    ],
)
async def test_what_is_no_onvif_answer_is_said(read, clock, answer, words):
    async with ServedOnvif(clock) as served:
        served.answer = answer
        with pytest.raises(SourceError, match=words):
            await read(served.address)


async def test_a_device_without_video_is_said(read, clock):
    async with ServedOnvif(clock, profiles=()) as served:
        with pytest.raises(SourceError, match="no video profile"):
            await read(served.address)


async def test_a_device_on_a_private_address_is_refused_unless_allowed(read, clock):
    async with ServedOnvif(clock) as served:
        with pytest.raises(SourceError, match="allow private"):
            await read(served.address, allow_private=False)


def test_the_smallest_profile_wide_enough_is_chosen_else_the_widest():
    profiles = [Profile(str(width), "", "H264", width, width * 9 // 16) for width in (160, 320, 704, 1920)]
    assert chosen(profiles).width == 704
    assert chosen(profiles[:2]).width == 320
    assert chosen([]) is None


class ServedResponder(asyncio.DatagramProtocol):
    """Answers every question with these, as devices (and others) on a network do."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.asked = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        self.asked = data
        for answer in self.answers:
            self.transport.sendto(answer, addr)


def match(addresses: str) -> bytes:
    space = 'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    scopes = "onvif://www.onvif.org/name/%E4%B8%9C%E9%97%A8 onvif://www.onvif.org/hardware/DS-2CD2"
    return f"<a {space}><d:XAddrs>{addresses}</d:XAddrs><d:Scopes>{scopes}</d:Scopes></a>".encode()


@pytest.mark.parametrize("allow_private", [True, False])
async def test_devices_are_found_at_the_address_they_answer_from(allow_private):
    answers = [
        match("http://192.168.1.64:8000/onvif/device_service http://[fe80::1]/onvif/device_service"),
        b"no xml", b"<a/>", match("ftp://x/"), b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    ]  # fmt: skip
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(
        lambda: ServedResponder(answers), local_addr=("127.0.0.1", 0)
    )
    group = transport.get_extra_info("sockname")
    found = await discover(seconds=0.5, allow_private=allow_private, group=group)
    transport.close()
    assert b"NetworkVideoTransmitter" in responder.asked
    if allow_private:
        assert [(d.service, d.name, d.model) for d in found] == [
            ("http://127.0.0.1:8000/onvif/device_service", "东门", "DS-2CD2")
        ]
    else:
        assert found == []
