import asyncio
import socket

import numpy as np
import pytest

from ingest.open_source import open_source
from ingest.served_snapshot import Behaviour, ServedSnapshot
from models.errors import SourceError

SHORT_S = 0.5
"""A deadline some of these cameras are meant to miss."""


@pytest.fixture
def look(clock, camera):
    """One look at an address, with a source of its own."""

    async def take(address: str, *, deadline_s: float = 5.0, allow_private: bool = True):
        source = open_source(camera(address), clock=clock, allow_private=allow_private)
        try:
            return await source.look(deadline_s=deadline_s)
        finally:
            await source.close()

    return take


@pytest.fixture
def trouble(look):
    """The reason and sentence of a look that fails."""

    async def fail(address: str, **more) -> tuple[str, str]:
        with pytest.raises(SourceError) as raised:
            await look(address, **more)
        return raised.value.reason, str(raised.value)

    return fail


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        (Behaviour.HTML, "not_a_picture", "web page"),
        (Behaviour.TRUNCATED, "not_a_picture", "cut off"),
        (Behaviour.CUT_OFF, "unreachable", "broke off"),
        (Behaviour.HANG_UP, "unreachable", "broke off"),
        (Behaviour.NOT_FOUND, "unreachable", "404"),
        (Behaviour.ENDLESS, "not_a_picture", "more than 16 MB"),
        (Behaviour.SLOW, "timeout", "within 0.5 s"),
        (Behaviour.SILENT, "timeout", "within 0.5 s"),
    ],
)
async def test_a_camera_that_misbehaves_costs_only_its_look_and_says_what_it_was(
    trouble, jpeg, behaviour, reason, words
):
    async with ServedSnapshot(jpeg(), behaviour=behaviour) as served:
        short = behaviour in (Behaviour.SLOW, Behaviour.SILENT)
        told, sentence = await trouble(served.address, deadline_s=SHORT_S if short else 5.0)
        assert told == reason
        assert words in sentence


async def test_a_camera_that_behaves_again_is_seen_again(clock, camera, jpeg):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.HTML) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        with pytest.raises(SourceError):
            await source.look(deadline_s=5)
        served.behaviour = Behaviour.PICTURE
        assert (await source.look(deadline_s=5)).image.shape == (240, 320, 3)
        await source.close()


@pytest.mark.parametrize("basic", [True, False])
async def test_the_password_is_given_as_the_camera_asks_for_it(look, jpeg, basic):
    async with ServedSnapshot(jpeg(), user="admin", password="s3cret", basic=basic) as served:
        assert (await look(served.address)).image.size


@pytest.mark.parametrize("basic", [True, False])
async def test_a_wrong_password_is_refused_and_not_shown(trouble, jpeg, basic):
    async with ServedSnapshot(jpeg(), user="admin", password="s3cret", basic=basic) as served:
        reason, sentence = await trouble(served.address.replace("s3cret", "gue55"))
        assert reason == "refused"
        assert "gue55" not in sentence
        assert "admin" not in sentence


@pytest.mark.parametrize("user", ["", "admin"])
async def test_the_connection_is_used_again(clock, camera, jpeg, user):
    async with ServedSnapshot(jpeg(), user=user, password="s3cret") as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        for _ in range(5):
            await source.look(deadline_s=5)
        assert served.connections == 1
        await source.close()


async def test_the_first_picture_of_an_mjpeg_stream_is_taken(look, jpeg, picture):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.MJPEG) as served:
        image = (await look(served.address)).image
        assert np.abs(image.astype(int) - picture()).mean() < 3


async def test_a_redirect_is_followed(look, jpeg):
    async with ServedSnapshot(jpeg()) as end, ServedSnapshot(jpeg(), behaviour=Behaviour.REDIRECT) as start:
        start.location = end.address
        assert (await look(start.address)).image.size


async def test_a_redirect_loop_ends(trouble, jpeg):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.REDIRECT) as served:
        served.location = "/again.jpg"
        reason, sentence = await trouble(served.address)
        assert reason == "refused"
        assert "redirects more than 3 times" in sentence


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "ftp://127.0.0.1/x", "rtsp://127.0.0.1/"],
)
async def test_a_redirect_to_where_no_camera_is_is_refused(trouble, jpeg, location):
    async with ServedSnapshot(jpeg(), behaviour=Behaviour.REDIRECT, location=location) as served:
        reason, _ = await trouble(served.address)
        assert reason == "refused"


async def test_a_redirect_to_another_host_does_not_get_the_password(look, jpeg):
    heads: list[str] = []

    async def listen(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        data = jpeg()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    async with other, ServedSnapshot(jpeg(), behaviour=Behaviour.REDIRECT) as served:
        served.location = f"http://localhost:{port}/x.jpg"
        await look(served.address.replace("http://", "http://admin:s3cret@"))
    assert heads
    assert "authorization" not in heads[0].lower()
    assert f"localhost:{port}" in heads[0]


async def test_loopback_is_refused_when_private_addresses_are_not_allowed(trouble, jpeg):
    async with ServedSnapshot(jpeg()) as served:
        for address in (served.address, served.address.replace("127.0.0.1", "localhost")):
            reason, sentence = await trouble(address, allow_private=False)
            assert reason == "refused"
            assert "settings" in sentence
        assert served.connections == 0


async def test_an_unknown_name_is_said(trouble):
    reason, sentence = await trouble("http://no-such-camera.invalid/x.jpg")
    assert reason == "unreachable"
    assert "no-such-camera.invalid" in sentence


async def test_a_host_that_swallows_everything_keeps_the_deadline(trouble):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        reason, _ = await trouble(f"http://127.0.0.1:{listener.getsockname()[1]}/x", deadline_s=SHORT_S)
        assert reason == "timeout"
