"""Finds drawn onto a picture, for people."""

from __future__ import annotations

import colorsys
import zlib

import cv2
import numpy as np

from models.pictures import Detections, Image
from models.text import Text

BLACK = (0, 0, 0)
ELLIPSIS = "…"
HERSHEY_PIXELS = 30  # a capital of OpenCV's line font and its space, at scale 1


def drawn(image: Image, finds: Detections) -> Image:
    """A copy of the picture with a box, name and score for each find; a class always has the same colour."""
    canvas = image.copy()
    height, width = canvas.shape[:2]
    scale = max(max(height, width) / 640, 0.5)
    for find in finds:
        x1, y1, x2, y2 = (round(v * side) for v, side in zip(find.box.xyxy, (width, height) * 2, strict=True))
        colour = colour_of(find.name)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, max(round(2 * scale), 1))
        _label(canvas, f"{find.name} {find.score:.2f}", (x1, y1), colour=colour, scale=scale)
    return canvas


def colour_of(name: str) -> tuple[int, int, int]:
    """BGR: a hue from the name, so that it needs no list of classes."""
    red, green, blue = colorsys.hsv_to_rgb(zlib.crc32(name.encode()) % 360 / 360, 0.85, 0.95)
    return round(blue * 255), round(green * 255), round(red * 255)


def _label(canvas: Image, text: str, corner: tuple[int, int], *, colour: tuple[int, int, int], scale: float) -> None:
    font, size, weight = cv2.FONT_HERSHEY_SIMPLEX, 0.45 * scale, max(round(scale), 1)
    (width, height), _ = cv2.getTextSize(text, font, size, weight)
    left = int(np.clip(corner[0], 0, max(canvas.shape[1] - width, 0)))
    bottom = max(corner[1], height + 4)  # above the box, or inside it at the picture's top
    cv2.rectangle(canvas, (left, bottom - height - 4), (left + width, bottom), colour, -1)
    cv2.putText(canvas, text, (left, bottom - 3), font, size, (0, 0, 0), weight, cv2.LINE_AA)


def write_line(
    canvas: Image, text: Text, corner: tuple[int, int], *, size: int, most: int, colour: tuple[int, int, int] = BLACK
) -> None:
    """One line of both languages, Chinese first, its lower left corner at `corner`, at most `most` pixels wide.

    size: of the letters, in pixels. OpenCV 5 brings a font with Chinese; older ones have line letters for English only.
    """
    if not hasattr(cv2, "FontFace"):
        cv2.putText(canvas, text.en, corner, cv2.FONT_HERSHEY_SIMPLEX, size / HERSHEY_PIXELS, colour, 1, cv2.LINE_AA)
        return
    both = text.en if text.zh == text.en else f"{text.zh} {text.en}"
    cv2.putText(canvas, _shortened(both, size=size, most=most), corner, colour, cv2.FontFace("uni"), size)


def _shortened(text: str, *, size: int, most: int) -> str:
    """Its middle left out as far as needed: a file's name tells most at its ends."""
    font, kept = cv2.FontFace("uni"), text
    for length in range(len(text) - 1, 1, -1):
        if cv2.getTextSize((0, 0), kept, (0, 0), font, size)[2] <= most:
            break
        kept = f"{text[: length // 2]}{ELLIPSIS}{text[len(text) - (length - length // 2) :]}"
    return kept
