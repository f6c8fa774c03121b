"""Pictures people may see: heads and number plates pixelated, the find framed, kept by hash.

Pixelation happens before encoding and on every way out (evidence, latest picture): an unmasked picture leaves the
watch node's memory only where the operator has originals kept, and then encrypted (`ingest.originals`).
"""

from __future__ import annotations

import logging
from datetime import datetime

import cv2
import numpy as np

from ingest.picture_store import PictureStore
from models.errors import DataFolderError
from models.geometry import Box
from models.observations import Evidence, EvidenceRole
from models.pictures import Detections, Image

log = logging.getLogger(__name__)

HEAD_SHARE = 0.28
"""Upper share of a person's box that holds the head, with room for a bent neck."""

HEAD_MARGIN = 0.1
"""A detector's box cuts hair: this much of the head's size is added around it."""

BLOCKS = 4
"""Blocks across a head: nobody is recognised from 4 × 4 blocks, yet one sees that somebody is there."""

HEADS = ("helmet", "head_no_helmet")
"""Classes that are heads themselves."""

PLATED = ("car", "bus", "truck", "motorcycle")
PLATE_TOP, PLATE_BOTTOM = 0.45, 0.98
PLATE_LEFT, PLATE_RIGHT = 0.1, 0.9
"""Where on a vehicle's box a plate may be, seen from the front, from behind or at a slant. There is no plate detector:
the whole band is pixelated, which hides bumpers too, and a plate outside it (a lorry's high one) is not hidden."""

READABLE_PIXELS = 72
"""Width of a vehicle from which its plate can be read: a plate is about a quarter as wide, and its seven characters
need two and a half pixels each at the very least."""

PLATE_BLOCK = 12
"""Blocks across the band: a character of a plate is narrower than one."""

LONGEST_SIDE = 1280
"""Evidence needs no more; a 4 MP camera would fill the disk four times as fast."""

LATEST_SIDE = 640
"""The command view shows cameras as tiles and one enlarged."""

EVIDENCE_QUALITY, LATEST_QUALITY = 85, 75

FRAME_COLOUR = (36, 36, 235)  # BGR: signal red, seen on asphalt and lawn alike


def masked(image: Image, detections: Detections, *, longest_side: int) -> Image:
    """A copy, not larger than asked, with every head pixelated, and where plates are on vehicles near enough."""
    height, width = image.shape[:2]
    scale = min(longest_side / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    # averaging costs three times as much and only shows when more than every second pixel is dropped
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    copy = np.array(cv2.resize(image, size, interpolation=method) if scale < 1 else image, np.uint8)
    for row in detections.of("person"):
        bottom = row.box.y1 + HEAD_SHARE * (row.box.y2 - row.box.y1)
        _pixelate(copy, Box(row.box.x1, row.box.y1, row.box.x2, bottom))
    for row in detections.of(*HEADS):
        _pixelate(copy, row.box)
    for row in detections.of(*PLATED):
        if (row.box.x2 - row.box.x1) * copy.shape[1] >= READABLE_PIXELS:
            _hide_plate(copy, row.box)
    return copy


def framed(image: Image, box: Box) -> Image:
    """The same picture with the find framed; draws on the picture itself."""
    height, width = image.shape[:2]
    corners = (round(box.x1 * width), round(box.y1 * height)), (round(box.x2 * width), round(box.y2 * height))
    cv2.rectangle(image, *corners, FRAME_COLOUR, max(2, round(max(width, height) / 400)))
    return image


def encoded(image: Image, *, quality: int) -> bytes:
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded")
    return jpeg.tobytes()


def latest_jpeg(image: Image, detections: Detections) -> bytes:
    """For the command view: masked and small."""
    return encoded(masked(image, detections, longest_side=LATEST_SIDE), quality=LATEST_QUALITY)


def keep(
    store: PictureStore, image: Image, detections: Detections, *, box: Box, role: EvidenceRole, taken_at: datetime
) -> Evidence:
    """Masks, frames, encodes and stores; on disk when it returns, its original too where originals are kept."""
    picture = framed(masked(image, detections, longest_side=LONGEST_SIDE), box)
    name = store.put(encoded(picture, quality=EVIDENCE_QUALITY))
    if store.originals is not None:
        try:
            store.originals.put(name, encoded(image, quality=EVIDENCE_QUALITY))
        except DataFolderError as error:  # a find is worth more than its original
            log.error("The original of the picture %s was not kept. %s", name, error)
    return Evidence(name, role, taken_at)


def _hide_plate(image: Image, box: Box) -> None:
    height, width = image.shape[:2]
    across, down = box.x2 - box.x1, box.y2 - box.y1
    left, right = (int(min(max(box.x1 + share * across, 0), 1) * width) for share in (PLATE_LEFT, PLATE_RIGHT))
    top, bottom = (int(min(max(box.y1 + share * down, 0), 1) * height) for share in (PLATE_TOP, PLATE_BOTTOM))
    region = image[top:bottom, left:right]
    if region.size:
        rows = max(round(PLATE_BLOCK * region.shape[0] / region.shape[1]), 1)
        blocks = cv2.resize(region, (PLATE_BLOCK, rows), interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(
            blocks, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST
        )


def _pixelate(image: Image, box: Box) -> None:
    height, width = image.shape[:2]
    margin_x, margin_y = HEAD_MARGIN * (box.x2 - box.x1), HEAD_MARGIN * (box.y2 - box.y1)
    left, right = int(max(box.x1 - margin_x, 0) * width), int(np.ceil(min(box.x2 + margin_x, 1) * width))
    top, bottom = int(max(box.y1 - margin_y, 0) * height), int(np.ceil(min(box.y2 + margin_y, 1) * height))
    region = image[top:bottom, left:right]
    if region.size:
        blocks = cv2.resize(region, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(
            blocks, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST
        )
