"""Reference views over a restart: a camera turned while the box was off must not become the right view by forgetting.

One small file a camera. Losing one costs nothing but learning anew, so nothing is fsync'ed and nothing is raised.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ingest.views import Light, Reference, known_again
from models.places import Camera

log = logging.getLogger(__name__)

FORMAT = 1

LARGEST = 256 * 1024
"""Bytes; three references take 30 kB."""

FORGOTTEN_AFTER_S = 90 * 86400.0
"""Files not written for so long are of cameras that are gone; a paused one may come back after the holidays."""


@dataclass(frozen=True, slots=True)
class KeptViews:
    """Those of one watch node. The folder is made when something is first kept."""

    folder: Path

    def load(self, camera: Camera) -> dict[Light, Reference]:
        """What was kept of this camera at this address; nothing when that cannot be read."""
        path = self._path(camera)
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"{path.name} is larger than a reference view can be")
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
                return _read(kept, camera)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            log.warning("camera %s: its kept view cannot be used and is learnt anew: %s", camera.camera_id, error)
            return {}

    def save(self, camera: Camera, references: Mapping[Light, Reference]) -> None:
        """Replaces what was kept. Raises OSError when the disk does not take it."""
        path = self._path(camera)
        if not references:
            path.unlink(missing_ok=True)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        words = {light.value: _words(reference) for light, reference in references.items()}
        head = json.dumps({"format": FORMAT, "address": _digest(camera.source), "references": words})
        edges = {light.value: reference.edges.astype(np.float16) for light, reference in references.items()}
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, head=np.frombuffer(head.encode(), np.uint8), **edges)
        part = path.with_suffix(".part")
        part.write_bytes(content.getvalue())
        part.replace(path)

    def forget_old(self) -> None:
        """Those of cameras that have long gone."""
        before = time.time() - FORGOTTEN_AFTER_S
        for path in self.folder.glob("*.npz"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _path(self, camera: Camera) -> Path:
        return self.folder / f"{_digest(camera.camera_id)}.npz"


def _read(kept: Mapping[str, np.ndarray], camera: Camera) -> dict[Light, Reference]:
    head = json.loads(kept["head"].tobytes())
    if head["format"] != FORMAT or head["address"] != _digest(camera.source):
        return {}
    return {
        Light(light): known_again(
            np.asarray(kept[light], np.float32),
            began=datetime.fromisoformat(words["began"]),
            learnt_at=datetime.fromisoformat(words["learnt_at"]),
            sharpness=float(words["sharpness"]),
            looks=int(words["looks"]),
        )
        for light, words in head["references"].items()
    }


def _words(reference: Reference) -> dict[str, str | float | int]:
    return {
        "began": reference.began.isoformat(),
        "learnt_at": reference.learnt_at.isoformat(),
        "sharpness": reference.sharpness,
        "looks": reference.looks,
    }


def _digest(text: str) -> str:
    """Names files and tells addresses apart without writing a camera's password anywhere."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
