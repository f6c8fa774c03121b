from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from ingest.decode import MAX_SIDE, encode_jpeg
from ingest.open_source import open_source
from ingest.served_snapshot import ServedSnapshot
from ingest.undecoded import SMALL_SIDE, Undecoded, UndecodedLook, UndecodedShot
from models.errors import SourceError
from models.ids import CameraId
from models.pictures import LookReason


def scene(width: int, height: int):
    coarse = np.random.default_rng(1).integers(0, 255, (9, 16, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("size", [(80, 60), (640, 360), (1280, 720), (1920, 1080), (4000, 3000), (360, 640)])
def test_the_small_picture_shows_the_same_and_is_wide_enough(size) -> None:
    picture = Undecoded(encode_jpeg(scene(*size)), what="camera")
    height, width = picture.small.shape[:2]
    assert min(max(size), SMALL_SIDE) <= max(height, width) < 4 * SMALL_SIDE
    whole = cv2.resize(picture.image(), (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(whole.astype(int) - picture.small).mean() < 4
    assert max(picture.image().shape) <= MAX_SIDE


@pytest.mark.parametrize(("size", "longest"), [((640, 360), 640), ((1920, 1080), 960), ((4000, 3000), 1000)])
def test_only_as_much_is_decoded_as_is_asked_for(size, longest) -> None:
    picture = Undecoded(encode_jpeg(scene(*size)), what="camera")
    assert max(picture.reduced(640).shape) == longest


def test_a_look_gives_its_picture_when_asked() -> None:
    picture = Undecoded(encode_jpeg(scene(640, 360)), what="camera")
    look = UndecodedLook(CameraId("c"), picture, datetime(2026, 1, 1, tzinfo=UTC), 1, LookReason.ROUTINE)
    assert look.image.shape == (360, 640, 3)
    assert look.image is look.image
    assert look.small.shape == (90, 160, 3)
    assert look.reason is LookReason.ROUTINE


def test_bytes_that_are_no_jpeg_are_found_out_at_once() -> None:
    data = encode_jpeg(scene(640, 360))
    for broken in (data[: len(data) // 2], b"<html>", cv2.imencode(".png", scene(40, 40))[1].tobytes()):
        with pytest.raises(SourceError) as raised:
            Undecoded(broken, what="camera 7")
        assert raised.value.reason == "not_a_picture"
        assert "camera 7" in str(raised.value)


async def test_the_same_bytes_are_decoded_once(clock, camera, jpeg) -> None:
    async with ServedSnapshot(jpeg()) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        first, second = await source.look(deadline_s=5), await source.look(deadline_s=5)
        assert isinstance(first, UndecodedShot)
        assert isinstance(second, UndecodedShot)
        assert first.undecoded is second.undecoded
        await source.close()


async def test_a_camera_that_names_its_pictures_is_asked_for_a_newer_one_only(clock, camera, jpeg) -> None:
    async with ServedSnapshot(jpeg(), versions=True) as served:
        source = open_source(camera(served.address), clock=clock, allow_private=True)
        shots = [await source.look(deadline_s=5) for _ in range(3)]
        assert served.unchanged == 2
        assert all(np.array_equal(shot.image, shots[0].image) for shot in shots)
        served.show(jpeg(seed=2))
        assert not np.array_equal((await source.look(deadline_s=5)).image, shots[0].image)
        assert served.unchanged == 2
        await source.close()
