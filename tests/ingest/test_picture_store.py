import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.errors import DataFolderError
from models.ids import CameraId


def test_what_is_put_is_got_by_its_hash(tmp_path):
    store = PictureStore(tmp_path / "pictures")
    name = store.put(b"jpeg")
    assert name == hashlib.sha256(b"jpeg").hexdigest()
    assert store.get(name) == b"jpeg"
    assert PictureStore(tmp_path / "pictures").get(name) == b"jpeg"


def test_the_same_picture_is_stored_once_also_by_many_threads(tmp_path):
    store = PictureStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: store.put(b"same"), range(50)))
    assert len(names) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{names.pop()}.jpg"]


@pytest.mark.parametrize(
    "name",
    ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", f"{'a' * 32}/../{'a' * 28}", "\x00" * 64],
)
def test_a_name_that_is_no_hash_leads_nowhere(tmp_path, name):
    (tmp_path / "secret").write_bytes(b"x")
    assert PictureStore(tmp_path / "pictures").get(name) is None


def test_an_unknown_picture_is_none(tmp_path):
    assert PictureStore(tmp_path).get("0" * 64) is None


@pytest.mark.parametrize("size", [0, 33 * 1024 * 1024])
def test_nothing_and_too_much_are_not_stored(tmp_path, size):
    with pytest.raises(ValueError, match="not stored"):
        PictureStore(tmp_path).put(bytes(size))


def test_pruning_removes_the_oldest_first_and_never_what_is_kept(tmp_path):
    store = PictureStore(tmp_path)
    names = [store.put(bytes([index]) * 100) for index in range(10)]
    for age, name in enumerate(names):
        os.utime(tmp_path / name[:2] / f"{name}.jpg", (1000 + age, 1000 + age))
    assert store.prune(keep={names[0]}, max_bytes=500) == 5
    assert [store.get(name) is not None for name in names] == [True] + [False] * 5 + [True] * 4


def test_pruning_clears_what_a_crash_left_half_written(tmp_path):
    store = PictureStore(tmp_path)
    left = tmp_path / "ab" / ".new-left"
    left.parent.mkdir()
    left.write_bytes(b"half")
    os.utime(left, (1000, 1000))
    store.prune(keep=set(), max_bytes=10**9)
    assert not left.exists()


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match="cannot be made"):
        PictureStore(tmp_path / "file" / "pictures")


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    store = PictureStore(tmp_path)
    (tmp_path / hashlib.sha256(b"jpeg").hexdigest()[:2]).touch()
    with pytest.raises(DataFolderError, match="cannot be written"):
        store.put(b"jpeg")


def test_the_newest_picture_of_a_camera_wins_whatever_comes_in_which_order(clock):
    latest = LatestPictures()
    old = clock.now()
    clock.advance(seconds=5)
    latest.put(CameraId("a"), b"new", clock.now())
    latest.put(CameraId("a"), b"old", old)
    assert latest.get(CameraId("a")).jpeg == b"new"
    assert latest.get(CameraId("b")) is None
    latest.forget(CameraId("a"))
    assert latest.get(CameraId("a")) is None


def test_a_look_that_showed_the_same_makes_the_picture_as_new_as_that_look(clock):
    latest = LatestPictures()
    latest.confirm(CameraId("a"), clock.now())
    assert latest.get(CameraId("a")) is None
    latest.put(CameraId("a"), b"picture", clock.now())
    clock.advance(seconds=5)
    latest.confirm(CameraId("a"), clock.now())
    assert latest.get(CameraId("a")).jpeg == b"picture"
    assert latest.get(CameraId("a")).captured_at == clock.now()
