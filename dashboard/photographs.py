"""A phone's photo on its way in: decoded, turned upright, made smaller and written anew.

Writing it anew is what takes out the phone's position, serial number and whatever else rides along.
"""

from __future__ import annotations

import cv2
import numpy as np

from dashboard.errors import ApiError
from ingest.decode import bounded, encode_jpeg
from ingest.picture_header import PictureHeader, read_header

# A 12-megapixel phone photo is 3–6 MB.
MAX_UPLOAD_BYTES = 10 * 1024 * 1024

# Enough to read a street sign across a crossing; a photo then takes about 300 kB.
LONGEST_SIDE = 1600

# 200-megapixel phones send 12 or 50; decoded, 50 megapixels take 150 MB for a moment.
_MAX_MEGAPIXELS = 50
_KINDS = frozenset({"JPEG", "PNG", "WebP"})
_QUALITY = 85


def clean_jpeg(data: bytes) -> bytes:
    """A JPEG without metadata, upright, at most LONGEST_SIDE long. Raises ApiError 413, 415 or 422."""
    if len(data) > MAX_UPLOAD_BYTES:
        raise ApiError(413, "too_large", limit=f"{MAX_UPLOAD_BYTES // 2**20} MB")
    header = read_header(data)
    if header is None or header.kind not in _KINDS:
        raise ApiError(415, "not_a_picture")
    _check_size(header)
    # IMREAD_COLOR applies the EXIF orientation; transparency and 16-bit depths become plain BGR.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None or not header.whole:
        raise ApiError(422, "not_a_picture")
    return encode_jpeg(bounded(np.asarray(image, np.uint8), max_side=LONGEST_SIDE), quality=_QUALITY)


def _check_size(header: PictureHeader) -> None:
    """By the header alone: a few kilobytes can claim gigapixels."""
    if header.width * header.height > _MAX_MEGAPIXELS * 1_000_000:
        raise ApiError(413, "picture_too_large", width=header.width, height=header.height, limit=_MAX_MEGAPIXELS)
