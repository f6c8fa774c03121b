"""What every source must do, whatever it reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC

import numpy as np
import pytest

from ingest.open_source import open_source
from ingest.served_rtsp import ServedRtsp
from ingest.served_snapshot import ServedSnapshot
from ingest.source import Source
from ingest.testing import RecordedSource
from models.errors import SourceError
from models.places import Trouble

KINDS = ["recorded", "snapshot", "rtsp", "continuous rtsp", "video", "picture", "folder"]


@pytest.fixture
def world(tmp_path, clock, camera, jpeg, picture, video):
    """Opens a good source of a kind, and one of the same kind whose camera is not there."""

    def opened(address, **more) -> Source:
        return open_source(camera(address, **more), clock=clock, allow_private=True)

    @contextlib.asynccontextmanager
    async def good(kind: str) -> AsyncIterator[Source]:
        async with contextlib.AsyncExitStack() as stack:
            if kind == "recorded":
                source: Source = RecordedSource([picture()], clock=clock)
            elif kind == "snapshot":
                source = opened((await stack.enter_async_context(ServedSnapshot(jpeg()))).address)
            elif "rtsp" in kind:
                served = await stack.enter_async_context(ServedRtsp(video(gop=5)))
                source = opened(served.address, continuous=kind.startswith("continuous"))
            elif kind == "video":
                source = opened(video())
            else:
                (tmp_path / "pictures").mkdir()
                (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg())
                source = opened(tmp_path / "pictures" / ("a.jpg" if kind == "picture" else ""))
            yield source
            await source.close()

    async def gone(kind: str) -> Source:
        if kind == "recorded":
            return RecordedSource([SourceError("gone")], clock=clock)
        if kind in ("snapshot", "rtsp", "continuous rtsp"):
            async with ServedSnapshot(jpeg()) as server:
                port = server.port
            scheme = "http" if kind == "snapshot" else "rtsp"
            return opened(f"{scheme}://127.0.0.1:{port}/x", continuous=kind.startswith("continuous"))
        path = tmp_path / "gone"
        if kind == "folder":
            path.mkdir()
            source = opened(path)
            path.rmdir()
            return source
        path = path.with_suffix(".mp4" if kind == "video" else ".jpg")
        path.touch()
        source = opened(path)
        path.unlink()
        return source

    good.gone = gone  # type: ignore[attr-defined]
    return good


@pytest.mark.parametrize("kind", KINDS)
async def test_looks_are_whole_pictures_with_the_time_of_the_clock(world, clock, kind):
    async with world(kind) as source:
        for _ in range(2):
            shot = await source.look(deadline_s=10)
            assert shot.image.dtype == np.uint8
            assert shot.image.ndim == 3
            assert shot.image.shape[2] == 3
            assert shot.captured_at == clock.now()
            assert shot.captured_at.tzinfo is UTC


@pytest.mark.parametrize("kind", KINDS)
async def test_closing_twice_is_closing_once(world, kind):
    async with world(kind) as source:
        await source.look(deadline_s=10)
        await source.close()
        await source.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_camera_that_is_not_there_is_an_error_with_a_known_reason_and_a_sentence(world, kind):
    source = await world.gone(kind)
    with pytest.raises(SourceError) as raised:
        await source.look(deadline_s=5)
    assert Trouble(raised.value.reason) in (Trouble.UNREACHABLE, Trouble.MISSING)
    assert str(raised.value)
    await source.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_look_can_be_cancelled_and_the_source_looked_at_again(world, kind):
    async with world(kind) as source:
        look = asyncio.create_task(source.look(deadline_s=10))
        await asyncio.sleep(0)
        look.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await look
        assert (await source.look(deadline_s=10)).image.size
