"""Evidence pictures on disk, named by the SHA-256 of their bytes: stored once, never half, never under another name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import DataFolderError
from models.ids import PictureHash

if TYPE_CHECKING:
    from ingest.originals import Originals

_HASH = re.compile(r"[0-9a-f]{64}")

MAX_STORED_BYTES = 32 * 1024 * 1024
"""No single picture is larger: a worker's photo is at most 10 MB before it is encoded again."""


LEFT_OVER_S = 3600.0
"""No write takes an hour: an unfinished file older than that was left by a crash."""

_UNFINISHED = ".new-"


@dataclass(frozen=True, slots=True)
class Stored:
    """oldest_s: age of the oldest picture, None where there is none."""

    pictures: int
    bytes: int
    oldest_s: float | None


class PictureStore:
    """`root/ab/abcdef….jpg`, two hex digits a folder so that none grows beyond some thousand files. Thread-safe.

    originals: where the unmasked pictures of evidence go, None where none are kept.
    """

    def __init__(self, root: Path, *, originals: Originals | None = None) -> None:
        self._root, self.originals = root, originals
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderError(f"The picture folder {root} cannot be made: {error.strerror}.") from None

    def put(self, jpeg: bytes) -> PictureHash:
        """On disk when it returns, or raises DataFolderError. Raises ValueError for nothing or too much."""
        if not 0 < len(jpeg) <= MAX_STORED_BYTES:
            raise ValueError(f"a picture of {len(jpeg)} bytes is not stored")
        name = PictureHash(hashlib.sha256(jpeg).hexdigest())
        self.put_as(name, jpeg)
        return name

    def put_as(self, name: PictureHash, data: bytes) -> None:
        """Under a name that is given: what is stored beside a picture is found by the picture's name."""
        path = self._path(name)
        if _renewed(path):
            return
        try:
            _write_whole(path, data)
        except OSError as error:
            raise DataFolderError(
                f"The picture folder {self._root} cannot be written: {error.strerror}; "
                "free space or correct its rights."
            ) from None

    def get(self, name: PictureHash | str) -> bytes | None:
        """The bytes, or None when there is no such picture or the name is no hash."""
        if not _HASH.fullmatch(name):
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def prune(
        self, *, keep: Container[str], max_bytes: int, max_age_s: float = float("inf"), least_age_s: float = 0.0
    ) -> int:
        """Removes pictures older than `max_age_s`, then the oldest until all together take at most `max_bytes`.

        Never one in `keep` nor one younger than `least_age_s`. The count removed; ages are those of the last `put`.
        """
        self._clear_left_over()
        files = sorted(self._files(), key=lambda file: file[1].st_mtime)
        total = sum(status.st_size for _, status in files)
        now = time.time()
        removed = 0
        for path, status in files:
            age_s = now - status.st_mtime
            if age_s < least_age_s or (total <= max_bytes and age_s <= max_age_s):
                break
            if path.stem in keep:
                continue
            path.unlink(missing_ok=True)
            total -= status.st_size
            removed += 1
        return removed

    def stored(self) -> Stored:
        """How much there is; looks at every file, a second for 100,000."""
        statuses = [status for _, status in self._files()]
        oldest = min((status.st_mtime for status in statuses), default=None)
        age_s = None if oldest is None else max(time.time() - oldest, 0.0)
        return Stored(len(statuses), sum(status.st_size for status in statuses), age_s)

    def _clear_left_over(self) -> None:
        """What a crash left half written; the newest may be one being written now."""
        for path in self._root.glob(f"??/{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFT_OVER_S:
                    path.unlink()

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / f"{name}.jpg"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._root.glob("[0-9a-f][0-9a-f]/*.jpg"):
            with contextlib.suppress(FileNotFoundError):
                yield path, path.stat()


def _renewed(path: Path) -> bool:
    """Whether the picture is there; then its age begins anew, so that pruning cannot take what was just put."""
    try:
        os.utime(path)
    except OSError:
        return False  # not there, or the write that follows says what is wrong
    return True


def _write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, also when the power fails: written beside, flushed to disk, renamed, folder flushed."""
    path.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
