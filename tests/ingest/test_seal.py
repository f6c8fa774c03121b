import json

import pytest

from ingest.seal import MARK, add_key, drop_old_keys, open_seal
from models.errors import DataFolderError

ADDRESS = "rtsp://admin:geheim@10.0.0.7/sub"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "camera-keys.json"


def test_a_sealed_address_shows_nothing_and_opens_again(path, camera):
    seal = open_seal(path)
    kept = seal.sealed(camera(ADDRESS))
    assert kept.source.startswith(MARK)
    assert "geheim" not in repr(kept)
    assert "10.0.0.7" not in repr(kept)
    assert open_seal(path).opened(kept) == camera(ADDRESS)


def test_sealing_twice_changes_nothing_and_two_seals_of_one_address_differ(path, camera):
    seal = open_seal(path)
    once = seal.sealed(camera(ADDRESS))
    assert seal.sealed(once) == once
    assert seal.sealed(camera(ADDRESS)) != once


def test_files_and_plain_rows_of_older_versions_are_read_as_they_are(path, camera, tmp_path):
    seal = open_seal(path)
    assert seal.sealed(camera(tmp_path / "clip.mp4")).source == str(tmp_path / "clip.mp4")
    assert seal.opened(camera(ADDRESS)).source == ADDRESS
    assert not seal.is_current(camera(ADDRESS))
    assert seal.is_current(camera(tmp_path / "clip.mp4"))


def test_the_key_file_is_its_owners_only(path):
    open_seal(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(DataFolderError, match="chmod 600"):
        open_seal(path)


def test_after_a_rotation_old_rows_open_until_the_old_key_is_dropped(path, camera):
    old = open_seal(path).sealed(camera(ADDRESS))
    turned = add_key(path)
    assert turned.opened(old).source == ADDRESS
    assert not turned.is_current(old)
    renewed = turned.sealed(turned.opened(old))
    alone = drop_old_keys(path)
    assert alone.is_current(renewed)
    assert alone.opened(renewed).source == ADDRESS
    with pytest.raises(DataFolderError, match="camera cam"):
        alone.opened(old)


def test_a_row_copied_to_another_camera_or_altered_does_not_open_and_the_error_shows_no_secret(path, camera):
    seal = open_seal(path)
    kept = seal.sealed(camera(ADDRESS))
    for stolen in (camera(kept.source, name="other"), camera(kept.source[:-6] + "AAAAA=")):
        with pytest.raises(DataFolderError) as raised:
            seal.opened(stolen)
        assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"a": "AAAA"}', b"\xff"])
def test_a_damaged_key_file_is_said_and_not_replaced(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DataFolderError, match="damaged"):
        open_seal(path)
    assert path.read_bytes() == content


def test_no_key_is_shown_by_printing_the_seal(path):
    seal = open_seal(path)
    (key,) = json.loads(path.read_text()).values()
    assert key[:10] not in repr(seal)
    assert "b'" not in repr(seal)
