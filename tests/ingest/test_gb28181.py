"""Against a served gateway that speaks WVP-PRO's API, with a served RTSP camera as its media server."""

from __future__ import annotations

import asyncio
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from ingest.addresses import parse
from ingest.gateway import PAGE, Gateway
from ingest.means import Means
from ingest.open_source import open_source
from ingest.served_camera import ServedCamera
from ingest.served_rtsp import ServedRtsp
from models.errors import SourceError

DEVICE = "34020000001110000001"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.token"


class ServedGateway(ServedCamera):
    """WVP-PRO's answers: {"code", "msg", "data"}, pages as {"total", "list"}, the token in the header access-token."""

    def __init__(self, *, channels: int = 3, rtsp: str = "", newer: bool = False) -> None:
        super().__init__(user="admin", password="ge@heim")
        self.channels = channels
        self.rtsp = rtsp
        self.newer = newer
        self.asked: list[str] = []
        self.forgotten = False
        self.answer: bytes | None = None

    @property
    def address(self) -> str:
        return f"gb28181://admin:ge%40heim@127.0.0.1:{self.port}/{DEVICE}/{self.channel_id(0)}"

    @staticmethod
    def channel_id(number: int) -> str:
        return f"3402000000131{number:07d}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            url = urlsplit(head.split(" ")[1])
            self.asked.append(url.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = self.answer or json.dumps(self._answered(url.path, query, head)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    def _answered(self, path: str, query: dict[str, str], head: str) -> dict:
        if path == "/api/user/login":
            self.forgotten = False
            right = query == {"username": "admin", "password": hashlib.md5(b"ge@heim").hexdigest()}
            return done({"username": "admin", "accessToken": TOKEN}) if right else refused(100, "用户名或密码错误")
        if self.forgotten or f"access-token: {TOKEN}" not in head:
            return refused(401, "请登录后重新请求")
        if path == "/api/device/query/devices":
            return done({"total": 1, "list": [{"deviceId": DEVICE, "name": "NVR", "onLine": True}]})
        if path == f"/api/device/query/devices/{DEVICE}/channels":
            first, count = (int(query["page"]) - 1) * int(query["count"]), int(query["count"])
            rows = [self._channel(number) for number in range(self.channels)]
            return done({"total": self.channels, "list": rows[first : first + count]})
        if path == f"/api/play/start/{DEVICE}/{self.channel_id(0)}" and self.rtsp:
            return done({"app": "rtp", "stream": f"{DEVICE}_x", "rtsp": self.rtsp, "flv": "http://x/rtp.flv"})
        return refused(100, "设备不在线")

    def _channel(self, number: int) -> dict:
        if self.newer:
            return {
                "gbDeviceId": self.channel_id(number), "gbName": f"路口{number}", "gbStatus": "ON",
                "gbLongitude": 121.4, "gbLatitude": 31.2,
            }  # fmt: skip
        return {
            "channelId": self.channel_id(number),
            "name": f"路口{number}",
            "status": number % 2 == 0,
            "longitude": 0.0,
        }


def done(data: dict) -> dict:
    return {"code": 0, "msg": "成功", "data": data}


def refused(code: int, message: str) -> dict:
    return {"code": code, "msg": message, "data": None}


@pytest.fixture
def gateway():
    def build(address: str, *, allow_private: bool = True) -> Gateway:
        return Gateway(parse(address), allow_private=allow_private, means=Means())

    return build


async def listed(client: Gateway) -> list:
    try:
        return [channel async for channel in client.channels(deadline_s=5)]
    finally:
        await client.close()


@pytest.mark.parametrize("count", [0, 3, PAGE, PAGE + 1, 2 * PAGE + 50])
async def test_every_channel_is_listed_page_by_page_once(gateway, count):
    async with ServedGateway(channels=count) as served:
        channels = await listed(gateway(served.address))
    assert [channel.channel_id for channel in channels] == [ServedGateway.channel_id(n) for n in range(count)]


async def test_both_forms_of_channels_are_understood(gateway):
    async with ServedGateway() as older, ServedGateway(newer=True) as newer:
        first, second = (await listed(gateway(older.address)))[1], (await listed(gateway(newer.address)))[1]
    assert (first.name, first.online, first.position) == ("路口1", False, None)
    assert (second.name, second.online, second.position) == ("路口1", True, (121.4, 31.2))


async def test_a_forgotten_sign_in_is_made_again(gateway):
    async with ServedGateway() as served:
        client = gateway(served.address)
        [channel async for channel in client.channels(deadline_s=5)]
        served.forgotten = True
        assert len(await listed(client)) == 3
    assert served.asked.count("/api/user/login") == 2


async def test_a_wrong_password_is_refused_and_not_shown(gateway):
    async with ServedGateway() as served:
        with pytest.raises(SourceError, match="user or password") as raised:
            await listed(gateway(served.address.replace("ge%40heim", "falsch")))
    assert raised.value.reason == "refused"
    assert "falsch" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "no JSON"),
        (b'{"code":0,"data":{"accessToken":"t","list":7}}', "list"),
        (b"x" * (5 * 2**20), "more than 4 MB"),
    ],
)
async def test_what_is_no_answer_of_a_gateway_is_said(gateway, answer, words):
    async with ServedGateway() as served:
        served.answer = answer
        with pytest.raises(SourceError, match=words):
            await listed(gateway(served.address))


async def test_a_look_is_a_keyframe_of_the_stream_the_gateway_starts(clock, camera, video):
    async with ServedRtsp(video()) as media, ServedGateway(rtsp=media.address) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        first, second = await source.look(deadline_s=10), await source.look(deadline_s=10)
        await source.close()
    assert first.image.shape == second.image.shape == (120, 160, 3)
    assert sum(path.startswith("/api/play/start") for path in served.asked) == 1


async def test_a_stream_that_ended_is_started_anew(clock, camera, video):
    async with ServedRtsp(video()) as media, ServedGateway(rtsp=media.address) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        await source.look(deadline_s=10)
        port = media.port
        await media.stop()
        with pytest.raises(SourceError):
            await source.look(deadline_s=3)
        await media.start(port=port)
        assert (await source.look(deadline_s=10)).image.size
        await source.close()
    assert sum(path.startswith("/api/play/start") for path in served.asked) == 2


@pytest.mark.parametrize(
    ("rtsp", "words"),
    [
        ("", "设备不在线"),
        ("rtsp://169.254.169.254/latest", "never a camera"),
        ("http://127.0.0.1/x", "no RTSP address"),
    ],
)
async def test_what_the_gateway_names_is_checked_like_any_address(clock, camera, rtsp, words):
    async with ServedGateway(rtsp=rtsp) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        with pytest.raises(SourceError, match=words):
            await source.look(deadline_s=5)
        await source.close()


async def test_a_gateway_on_a_private_address_is_refused_unless_allowed(gateway):
    async with ServedGateway() as served:
        with pytest.raises(SourceError, match="allow private"):
            await listed(gateway(served.address, allow_private=False))
    assert served.asked == []


def test_an_address_without_a_channel_is_refused(clock, camera):
    with pytest.raises(SourceError, match="names no channel"):
        open_source(camera("gb28181://admin:geheim@gateway/340200"), clock=clock, allow_private=True)
