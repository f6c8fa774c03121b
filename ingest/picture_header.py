"""Kind, size and wholeness of a picture from its bytes, without decoding any of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
"""Start-of-frame markers (ITU-T T.81, table B.1), the segments that hold the size."""

_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length: TEM, RST0..7, SOI."""


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """whole: False when the bytes end before the picture does."""

    kind: str
    width: int
    height: int
    whole: bool


def read_header(data: bytes) -> PictureHeader | None:
    """None when the bytes do not begin like a JPEG, PNG, WebP or BMP of at least one pixel."""
    header = None
    if data.startswith(b"\xff\xd8\xff"):
        header = _jpeg(data)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        header = _png(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        header = _webp(data)
    elif data.startswith(b"BM"):
        header = _bmp(data)
    return header if header and header.width > 0 and header.height > 0 else None


def _jpeg(data: bytes) -> PictureHeader | None:
    size: tuple[int, int] | None = None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_BARE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        if marker == 0xDA:
            # The scan begins: an end-of-image marker before it belonged to an embedded thumbnail.
            return None if size is None else PictureHeader("JPEG", *size, whole=data.rfind(b"\xff\xd9") > at)
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None if size is None else PictureHeader("JPEG", *size, whole=False)


def _png(data: bytes) -> PictureHeader | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return PictureHeader("PNG", width, height, whole=data.rfind(b"IEND") > 24)


def _webp(data: bytes) -> PictureHeader | None:
    if len(data) < 30:
        return None
    whole = len(data) >= 8 + int(struct.unpack_from("<I", data, 4)[0])
    form = data[12:16]
    if form == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif form == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif form == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return PictureHeader("WebP", width, height, whole)


def _bmp(data: bytes) -> PictureHeader | None:
    if len(data) < 26:
        return None
    width, height = struct.unpack_from("<ii", data, 18)
    claimed = int(struct.unpack_from("<I", data, 2)[0])
    return PictureHeader("BMP", width, abs(height), whole=len(data) >= claimed)
