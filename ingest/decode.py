"""Bytes to pixels, bounded: the size is read from the header before anything is decoded.

Large JPEGs are decoded at half, quarter or eighth size inside libjpeg (its DCT scaling), which skips most of the work
instead of doing it and throwing it away.
"""

from __future__ import annotations

import cv2
import numpy as np

from ingest.picture_header import PictureHeader, read_header
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble

MAX_SIDE = 1920
"""Longest side of a Look's image: no detector here looks closer, and 64 queued looks stay below 400 MB."""

MAX_PIXELS = 50_000_000
"""Refused above this by the header alone: the largest street cameras make 32 megapixels, a bomb makes 400."""

MAX_PICTURE_BYTES = 16 * 1024 * 1024
"""A 32-megapixel JPEG is about 12 MB; anything longer is not a snapshot."""

_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


def decode_picture(data: bytes, *, what: str, max_side: int = MAX_SIDE) -> Image:
    """uint8 (H, W, 3) BGR, longest side at most `max_side`.

    Raises SourceError (not_a_picture) naming `what` when the bytes are no whole JPEG, PNG, WebP or BMP picture.
    """
    header = _checked_header(data, what=what)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _flag(header, max_side=max_side))
    except cv2.error:
        image = None
    if image is None:
        raise _not_a_picture(f"{what}: the {header.kind} picture is damaged and cannot be decoded.")
    return bounded(np.asarray(image, np.uint8), max_side=max_side)


def bounded(image: Image, *, max_side: int = MAX_SIDE) -> Image:
    """The image itself, or scaled down so that its longest side is `max_side`."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(image: Image, *, quality: int = 85) -> bytes:
    """JPEG bytes of a Look's image. Raises ValueError when the image is not uint8 (H, W, 3)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a picture is uint8 (H, W, 3), this is {image.dtype} {image.shape}")
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def checked_jpeg(data: bytes, *, what: str) -> PictureHeader:
    """The header of a whole JPEG of bounded size. Raises SourceError (not_a_picture), also for other kinds."""
    header = _checked_header(data, what=what)
    if header.kind != "JPEG":
        raise _not_a_picture(f"{what}: a {header.kind} picture, not a JPEG.")
    return header


def is_jpeg(data: bytes) -> bool:
    """By its first bytes, whatever it is called."""
    return data.startswith(b"\xff\xd8\xff")


def _checked_header(data: bytes, *, what: str) -> PictureHeader:
    if len(data) > MAX_PICTURE_BYTES:
        raise _not_a_picture(f"{what}: more than {MAX_PICTURE_BYTES // 2**20} MB, too large for one picture.")
    header = read_header(data)
    if header is None:
        raise _not_a_picture(f"{what}: {_guess(data)}, not a JPEG, PNG, WebP or BMP picture.")
    if header.width * header.height > MAX_PIXELS:
        raise _not_a_picture(
            f"{what}: {header.width}×{header.height} pixels are more than {MAX_PIXELS // 1_000_000} megapixels; "
            "choose a smaller picture size in the camera."
        )
    if not header.whole:
        raise _not_a_picture(f"{what}: the {header.kind} picture is cut off after {len(data)} bytes.")
    return header


def _flag(header: PictureHeader, *, max_side: int) -> int:
    longest = max(header.width, header.height)
    if header.kind == "JPEG":
        for factor, flag in _REDUCED:
            if longest // factor >= max_side:
                return flag
    return cv2.IMREAD_COLOR


def _guess(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if not data:
        return "nothing (0 bytes)"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<script")):
        return "a web page"
    if start.startswith((b"{", b"[")):
        return "a JSON text"
    return f"{len(data)} bytes of something else"


def _not_a_picture(message: str) -> SourceError:
    return SourceError(message, reason=Trouble.NOT_A_PICTURE)
