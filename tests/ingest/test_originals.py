"""Unmasked evidence: encrypted, found by its masked picture, forgotten in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingest.originals import Originals
from models.errors import DataFolderError
from models.ids import PictureHash

ONE, OTHER = PictureHash("a" * 64), PictureHash("b" * 64)
JPEG = b"\xff\xd8" + b"a plate and a face" * 50


@pytest.fixture
def originals(tmp_path: Path) -> Originals:
    return Originals(tmp_path / "originals", tmp_path / "original-keys.json")


def files_of(originals: Originals) -> list[Path]:
    return [path for path in originals.folder.rglob("*") if path.is_file()]


def test_what_was_put_comes_back_and_only_under_its_own_name(originals: Originals) -> None:
    originals.put(ONE, JPEG)
    assert (originals.get(ONE), originals.get(OTHER)) == (JPEG, None)


def test_the_disk_shows_nothing_of_it_and_the_key_is_for_its_owner_only(originals: Originals) -> None:
    originals.put(ONE, JPEG)
    assert b"plate" not in b"".join(path.read_bytes() for path in files_of(originals))
    assert originals.keys.stat().st_mode & 0o077 == 0


def test_an_original_put_under_another_name_does_not_open(originals: Originals) -> None:
    originals.put(ONE, JPEG)
    (file,) = files_of(originals)
    swapped = originals.folder / OTHER[:2] / f"{OTHER}.jpg"
    swapped.parent.mkdir()
    file.rename(swapped)
    with pytest.raises(DataFolderError, match="key file"):
        originals.get(OTHER)


def test_with_another_key_file_it_does_not_open_and_says_so(originals: Originals) -> None:
    originals.put(ONE, JPEG)
    originals.keys.unlink()
    with pytest.raises(DataFolderError, match="Restore the key file"):
        originals.get(ONE)


def test_nothing_kept_is_nothing_found_and_no_folder_made(originals: Originals) -> None:
    assert originals.get(ONE) is None
    assert originals.prune(keep=(), max_age_s=0) == 0
    assert not originals.folder.exists()


def test_old_ones_are_forgotten_but_never_those_of_open_incidents(originals: Originals) -> None:
    for name in (ONE, OTHER):
        originals.put(name, JPEG)
    month_ago = time.time() - 31 * 86_400
    for file in files_of(originals):
        os.utime(file, (month_ago, month_ago))
    assert originals.prune(keep={ONE}, max_age_s=30 * 86_400) == 1
    assert (originals.get(ONE), originals.get(OTHER)) == (JPEG, None)
