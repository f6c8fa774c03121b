import numpy as np
import pytest

from ingest.open_source import open_source
from models.errors import SourceError


@pytest.fixture
def opened(clock, camera):
    def build(address):
        return open_source(camera(address), clock=clock, allow_private=False)

    return build


@pytest.fixture
def folder(tmp_path, jpeg):
    for seed in (3, 1, 2):
        (tmp_path / f"{seed}.JPG").write_bytes(jpeg(seed=seed))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def alike(image, other) -> bool:
    return float(np.abs(image.astype(int) - other).mean()) < 5


async def test_a_folder_is_shown_in_the_order_of_its_names_and_begins_again(opened, folder, picture, clock):
    source = opened(f"{folder}#every=5")
    for seed in (1, 2, 3, 1):
        assert alike((await source.look(deadline_s=5)).image, picture(seed=seed))
        clock.advance(seconds=5)


async def test_a_picture_file_is_read_anew_at_each_look(opened, folder, picture):
    source = opened(folder / "1.JPG")
    assert alike((await source.look(deadline_s=5)).image, picture(seed=1))
    (folder / "2.JPG").replace(folder / "1.JPG")
    assert alike((await source.look(deadline_s=5)).image, picture(seed=2))


async def test_one_bad_picture_in_a_folder_costs_only_its_turn(opened, folder, clock):
    (folder / "2.JPG").write_bytes(b"<html>")
    source = opened(f"{folder}#every=5")
    assert (await source.look(deadline_s=5)).image.size
    clock.advance(seconds=5)
    with pytest.raises(SourceError, match="web page"):
        await source.look(deadline_s=5)
    clock.advance(seconds=5)
    assert (await source.look(deadline_s=5)).image.size


@pytest.mark.parametrize(
    ("content", "reason", "words"), [(b"", "not_a_picture", "empty"), (b"x" * 99, "not_a_picture", "not a JPEG")]
)
async def test_a_file_that_is_no_picture_says_so(opened, tmp_path, content, reason, words):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(SourceError, match=words) as raised:
        await opened(tmp_path / "a.jpg").look(deadline_s=5)
    assert raised.value.reason == reason


async def test_an_empty_folder_says_so(opened, tmp_path):
    with pytest.raises(SourceError, match="holds no picture") as raised:
        await opened(tmp_path).look(deadline_s=5)
    assert raised.value.reason == "missing"
