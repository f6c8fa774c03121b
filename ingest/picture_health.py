"""Whether a camera's pictures are worth anything: black, or standing still like a broken encoder. 20 µs a look."""

from __future__ import annotations

import zlib
from datetime import datetime

import numpy as np

from models.pictures import Look

SAMPLED = 160
"""Points per row and column looked at: any change of a real sensor's noise shows in 25,600 of them."""

BLACK_LEVEL = 12
"""Of 255; the darkest night picture with one lamp in it is brighter at its 99th percentile."""

FROZEN_LOOKS = 5
FROZEN_S = 60.0
"""Identical to the last bit for this many looks over this long: a sensor's noise never repeats, an encoder that hangs
sends the same picture for ever. Shorter, and a gateway that caches snapshots for some seconds would be accused."""


class PictureHealth:
    """One per camera. live: False for files, which may rightly stand still."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._print = 0
        self._same = 0
        self._since: datetime | None = None

    def judge(self, look: Look) -> str:
        """A remark for the operator, "" for a good picture."""
        sample = _sample(look)
        if self._live and self._stands_still(sample, look.captured_at):
            return "frozen: the camera has sent the identical picture for over a minute; restart it"
        if int(np.percentile(sample, 99)) <= BLACK_LEVEL:
            return "black: the picture is dark everywhere; check lens cover, light and night mode"
        return ""

    def _stands_still(self, sample: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], at: datetime) -> bool:
        fingerprint = zlib.crc32(sample.tobytes())
        if fingerprint != self._print or self._since is None:
            self._print, self._same, self._since = fingerprint, 0, at
        self._same += 1
        return self._same >= FROZEN_LOOKS and (at - self._since).total_seconds() >= FROZEN_S


def _sample(look: Look) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 (≤ 320, ≤ 320): every n-th green value, the channel closest to brightness."""
    height, width = look.image.shape[:2]
    return look.image[:: max(height // SAMPLED, 1), :: max(width // SAMPLED, 1), 1]
