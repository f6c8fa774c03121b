"""Cameras whose pictures are never used for training: their owners have said so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from detect.promotion import write_json
from models.errors import DataFolderError
from models.ids import CameraId


class OptedOut:
    """A list in the data folder, kept apart from the cameras: it outlives a camera that is removed and added again."""

    def __init__(self, data: Path) -> None:
        self._path = data / "learn" / "opted-out.json"

    def cameras(self) -> frozenset[CameraId]:
        """Raises DataFolderError for a damaged list: as long as nobody knows who opted out, nothing is exported."""
        try:
            return frozenset(CameraId(str(one)) for one in json.loads(self._path.read_text("utf-8"))["cameras"])
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError, TypeError, KeyError) as trouble:
            raise DataFolderError(
                f"{self._path} is damaged ({trouble}), so nobody knows which cameras opted out; restore or correct it."
            ) from None

    def change(self, cameras: Iterable[CameraId], *, out_of_it: bool) -> None:
        """On disk when it returns. Raises DataFolderError."""
        present = self.cameras()
        changed = present | set(cameras) if out_of_it else present - set(cameras)
        write_json(self._path, {"cameras": sorted(changed)})
