import socket
import threading

import pytest

from ingest.open_source import open_source
from ingest.served_rtsp import RtspBehaviour, ServedRtsp
from models.errors import SourceError

SHORT_S = 0.7


@pytest.fixture
def opened(clock, camera):
    def build(address: str, *, continuous: bool = False, allow_private: bool = True):
        return open_source(camera(address, continuous=continuous), clock=clock, allow_private=allow_private)

    return build


async def looks_until_it_fails(source) -> None:
    while True:
        await source.look(deadline_s=8)


async def test_a_keyframe_of_a_real_clip_comes_and_the_camera_is_left_alone_again(opened, clip):
    async with ServedRtsp(clip("walkway-pets09-vtest.mp4")) as served:
        source = opened(served.address)
        assert (await source.look(deadline_s=8)).image.shape == (576, 768, 3)
        assert (await source.look(deadline_s=8)).image.shape == (576, 768, 3)
        assert served.plays == 2


async def test_a_continuous_camera_is_opened_once_and_gives_new_pictures(opened, video):
    async with ServedRtsp(video(seconds=4, gop=10)) as served:
        source = opened(served.address, continuous=True)
        levels = [int((await source.look(deadline_s=8)).image.mean()) for _ in range(3)]
        assert served.plays == 1
        assert len(set(levels)) == 3
        await source.close()


async def test_a_continuous_camera_that_went_away_is_opened_again(opened, video):
    served = ServedRtsp(video(gop=5))
    await served.start()
    port = served.port
    source = opened(served.address, continuous=True)
    await source.look(deadline_s=8)
    await served.stop()
    with pytest.raises(SourceError):
        await looks_until_it_fails(source)
    await served.start(port=port)
    assert (await source.look(deadline_s=8)).image.size
    await source.close()
    await served.stop()


async def test_closing_a_continuous_camera_ends_its_thread(opened, video):
    async with ServedRtsp(video(gop=5)) as served:
        source = opened(served.address, continuous=True)
        await source.look(deadline_s=8)
        threads = [thread for thread in threading.enumerate() if thread.name == "continuous-rtsp"]
        await source.close()
        await served.stop()
        for thread in threads:
            thread.join(timeout=10)
            assert not thread.is_alive()


async def test_user_and_password_with_special_letters_open_the_stream(opened, video):
    async with ServedRtsp(video(), user="admin", password="p@s:s/#") as served:
        source = opened(f"rtsp://admin:p%40s%3As%2F%23@127.0.0.1:{served.port}/live")
        assert (await source.look(deadline_s=8)).image.size


@pytest.mark.parametrize("continuous", [False, True])
async def test_a_wrong_password_is_refused_and_not_shown(opened, video, continuous):
    async with ServedRtsp(video(), user="admin", password="s3cret") as served:
        source = opened(f"rtsp://admin:gue55@127.0.0.1:{served.port}/live", continuous=continuous)
        with pytest.raises(SourceError) as raised:
            await source.look(deadline_s=8)
        assert raised.value.reason == "refused"
        assert "gue55" not in str(raised.value)
        await source.close()


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (RtspBehaviour.NO_KEYFRAME, "timeout"),
        (RtspBehaviour.SILENT, "timeout"),
        (RtspBehaviour.HANG_UP, "unreachable"),
    ],
)
async def test_a_camera_that_misbehaves_costs_only_its_look(opened, video, behaviour, reason, continuous):
    async with ServedRtsp(video(), behaviour=behaviour) as served:
        source = opened(served.address, continuous=continuous)
        with pytest.raises(SourceError) as raised:
            await source.look(deadline_s=SHORT_S)
        assert raised.value.reason == reason
        await source.close()


async def test_a_host_that_swallows_everything_keeps_the_deadline(opened):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        source = opened(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live")
        with pytest.raises(SourceError) as raised:
            await source.look(deadline_s=SHORT_S)
        assert raised.value.reason == "timeout"


async def test_loopback_is_refused_when_private_addresses_are_not_allowed(opened, video):
    async with ServedRtsp(video()) as served:
        with pytest.raises(SourceError, match="private"):
            await opened(served.address, allow_private=False).look(deadline_s=5)
        assert served.plays == 0
