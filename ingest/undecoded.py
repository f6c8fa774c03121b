"""Pictures that stay JPEG bytes until somebody looks closely: four of five looks show nothing new, and what is needed
to know that is a sixteenth of their pixels.

libjpeg scales inside the DCT. A 640 × 360 picture at a quarter size costs 0.5 ms where the whole costs 2 ms, a
1920 × 1080 one at an eighth 3 ms where the whole costs 14 ms (OpenCV 5, one core); waiting ones cost 30 kB, not 700.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import cv2
import numpy as np

from ingest.decode import MAX_SIDE, bounded, checked_jpeg, decode_picture
from ingest.source import Shot
from models.errors import SourceError
from models.ids import CameraId
from models.pictures import Image, Look, LookReason
from models.places import Trouble

SMALL_SIDE = 160
"""Longest side, at least, of the small picture: three points for each of the gate's 48 cells."""

_SCALES = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)


class Pixels(Protocol):
    """A picture of which as much is made as is asked for. small: uint8 (h, w, 3) BGR, at hand."""

    small: Image

    def image(self) -> Image:
        """All of it, longest side at most `MAX_SIDE`; kept once made."""
        ...

    def reduced(self, side: int) -> Image:
        """Its longest side `side` pixels or more, or all of it where that is smaller."""
        ...


class Undecoded:
    """A whole JPEG. small: uint8 (h, w, 3) BGR, decoded at once, so that bytes that are no picture are found out.

    Raises SourceError (not_a_picture) naming `what`.
    """

    __slots__ = ("_image", "_longest", "data", "small", "what")

    def __init__(self, data: bytes, *, what: str) -> None:
        header = checked_jpeg(data, what=what)
        self.data, self.what = data, what
        self._longest = max(header.width, header.height)
        self._image: Image | None = None
        self.small = self._decoded(SMALL_SIDE)

    def image(self) -> Image:
        """All of it, longest side at most `MAX_SIDE`; kept once decoded."""
        if self._image is None:
            self._image = decode_picture(self.data, what=self.what)
        return self._image

    def reduced(self, side: int) -> Image:
        """Decoded at the smallest scale whose longest side is `side` or more, or what is already at hand."""
        if self._image is not None:
            return self._image
        if self._scale(side) == 1:
            return self.image()
        return bounded(self._decoded(side), max_side=MAX_SIDE)

    def _scale(self, side: int) -> int:
        return next(scale for scale, _ in _SCALES if scale == 1 or self._longest // scale >= side)

    def _decoded(self, side: int) -> Image:
        flag = dict(_SCALES)[self._scale(side)]
        try:
            image = cv2.imdecode(np.frombuffer(self.data, np.uint8), flag)
        except cv2.error:
            image = None
        if image is None:
            raise SourceError(
                f"{self.what}: the JPEG picture is damaged and cannot be decoded.", reason=Trouble.NOT_A_PICTURE
            )
        return np.asarray(image, np.uint8)


class UndecodedShot(Shot):
    """A `Shot` whose picture is decoded when it is asked for."""

    __slots__ = ("undecoded",)

    undecoded: Pixels

    def __init__(self, undecoded: Pixels, captured_at: datetime, camera_clock: datetime | None = None) -> None:
        object.__setattr__(self, "undecoded", undecoded)
        object.__setattr__(self, "captured_at", captured_at)
        object.__setattr__(self, "camera_clock", camera_clock)

    @property
    def image(self) -> Image:
        return self.undecoded.image()


class UndecodedLook(Look):
    """A `Look` whose picture is decoded when it is asked for."""

    __slots__ = ("undecoded",)

    undecoded: Pixels

    def __init__(
        self, camera_id: CameraId, undecoded: Pixels, captured_at: datetime, seq: int, reason: LookReason
    ) -> None:
        for name, value in (
            ("camera_id", camera_id), ("undecoded", undecoded), ("captured_at", captured_at), ("seq", seq),
            ("reason", reason),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def image(self) -> Image:
        return self.undecoded.image()

    @property
    def small(self) -> Image:
        return self.undecoded.small

    def reduced(self, side: int) -> Image:
        return self.undecoded.reduced(side)
