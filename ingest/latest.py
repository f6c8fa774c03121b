"""The newest picture of each camera, kept in memory for the command view; nothing here is evidence."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from models.ids import CameraId


@dataclass(frozen=True, slots=True)
class LatestPicture:
    """jpeg: ready to be sent; captured_at: UTC."""

    jpeg: bytes
    captured_at: datetime


class LatestPictures:
    """One per camera, the newest wins. Thread-safe."""

    def __init__(self) -> None:
        self._pictures: dict[CameraId, LatestPicture] = {}
        self._lock = threading.Lock()

    def put(self, camera_id: CameraId, jpeg: bytes, captured_at: datetime) -> None:
        """Keeps the picture unless a newer one of the camera is there already."""
        with self._lock:
            present = self._pictures.get(camera_id)
            if present is None or present.captured_at <= captured_at:
                self._pictures[camera_id] = LatestPicture(jpeg, captured_at)

    def confirm(self, camera_id: CameraId, captured_at: datetime) -> None:
        """A look at this moment showed the same: the picture there is as good as one taken then."""
        with self._lock:
            present = self._pictures.get(camera_id)
            if present is not None and present.captured_at < captured_at:
                self._pictures[camera_id] = LatestPicture(present.jpeg, captured_at)

    def get(self, camera_id: CameraId) -> LatestPicture | None:
        with self._lock:
            return self._pictures.get(camera_id)

    def forget(self, camera_id: CameraId) -> None:
        """For a camera that was removed."""
        with self._lock:
            self._pictures.pop(camera_id, None)
