"""Places where a camera is known to be wrong: a worker found nothing there, so nothing is told for a time."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detect.things import overlap
from models.errors import DataFolderError
from models.geometry import Box
from models.ids import CameraId, SubcategoryCode

log = logging.getLogger(__name__)

SAME_PLACE = 0.5
"""Share of the smaller box that must be shared: the next false find differs a little from the last."""

MAX_MASKS = 10_000
"""Per node: 1,438 cameras with seven each; the one that ends first is dropped first."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Nothing of this subcategory is told from this place of this camera before `until` (UTC)."""

    camera_id: CameraId
    subcategory: SubcategoryCode
    box: Box
    until: datetime


class Suppressions:
    """The masks in force, kept in one small file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._masks: list[Mask] = _read(path)

    def add(self, mask: Mask) -> None:
        """In force and on disk when it returns. Raises DataFolderError when it cannot be written."""
        with self._lock:
            masks = [known for known in self._masks if known != mask] + [mask]
            self._masks = sorted(masks, key=lambda item: item.until)[-MAX_MASKS:]
            self._write()

    def covers(self, camera_id: CameraId, code: SubcategoryCode, box: Box, at: datetime) -> bool:
        with self._lock:
            return any(
                mask.camera_id == camera_id and mask.subcategory == code and at < mask.until
                and overlap(mask.box, box) >= SAME_PLACE
                for mask in self._masks
            )  # fmt: skip

    def __len__(self) -> int:
        return len(self._masks)

    def _write(self) -> None:
        rows = [[mask.camera_id, mask.subcategory, list(mask.box.xyxy), mask.until.isoformat()] for mask in self._masks]
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump(rows, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as trouble:
            raise DataFolderError(f"{self._path} cannot be written ({trouble.strerror}); free space") from None


def _read(path: Path) -> list[Mask]:
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [
            Mask(CameraId(camera), SubcategoryCode(code), Box(*box), datetime.fromisoformat(until))
            for camera, code, box, until in rows
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as trouble:
        log.warning("%s is damaged (%s): suppressions begin anew", path, trouble)
        return []
