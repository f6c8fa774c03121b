"""Pictures on disk: one file that something else may renew, or a folder shown like a slow film."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.decode import MAX_PICTURE_BYTES, decode_picture
from ingest.means import Means
from ingest.source import Shot
from models.clock import Clock
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})

EVERY_S = 10.0
"""How long a folder shows each picture: the usual interval between looks, so that no picture is skipped."""

MAX_PICTURES = 100_000
"""More names than this are not listed at every look; a day of one picture a second is 86,400."""


class PictureSource:
    """`Source` for one picture file, read anew at each look (recorders overwrite their snapshot file)."""

    def __init__(self, path: Path, *, clock: Clock, means: Means) -> None:
        self._path = path
        self._clock = clock
        self._means = means

    async def look(self, *, deadline_s: float) -> Shot:
        image = await self._means.decoding.run(
            lambda: decode_picture(read_picture(self._path), what=str(self._path)),
            deadline_s=deadline_s,
            what=str(self._path),
        )
        return Shot(image, self._clock.now())

    async def close(self) -> None:
        """Nothing is kept open."""


class FolderSource:
    """`Source` for a folder: shows its pictures in the order of their names, each for `every_s`, and begins again."""

    def __init__(self, path: Path, *, clock: Clock, means: Means, every_s: float = EVERY_S) -> None:
        self._path = path
        self._clock = clock
        self._means = means
        self._every_s = every_s
        self._opened_at = clock.now()

    async def look(self, *, deadline_s: float) -> Shot:
        now = self._clock.now()
        turn = int(max((now - self._opened_at).total_seconds(), 0.0) / self._every_s)
        image = await self._means.decoding.run(
            lambda: _decode_turn(self._path, turn), deadline_s=deadline_s, what=str(self._path)
        )
        return Shot(image, now)

    async def close(self) -> None:
        """Nothing is kept open."""


def read_picture(path: Path) -> bytes:
    """Raises SourceError: missing when the file is not there or may not be read, not_a_picture when empty or huge."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"The picture {path} does not exist.", reason=Trouble.MISSING) from None
    except OSError as error:
        raise SourceError(f"The picture {path} cannot be read: {error.strerror}.", reason=Trouble.MISSING) from None
    if not data:
        raise SourceError(f"The picture {path} is empty (0 bytes).", reason=Trouble.NOT_A_PICTURE)
    return data


def _decode_turn(folder: Path, turn: int) -> Image:
    names = _names(folder)
    path = folder / names[turn % len(names)]
    return decode_picture(read_picture(path), what=str(path))


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if Path(entry.name).suffix.lower() in PICTURE_SUFFIXES]
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read: {error.strerror}.", reason=Trouble.MISSING) from None
    if not names:
        raise SourceError(f"The folder {folder} holds no picture ({_KINDS}).", reason=Trouble.MISSING)
    if len(names) > MAX_PICTURES:
        raise SourceError(f"The folder {folder} holds more than {MAX_PICTURES} pictures.", reason=Trouble.NOT_A_PICTURE)
    return sorted(names)


_KINDS = ", ".join(sorted(PICTURE_SUFFIXES))
