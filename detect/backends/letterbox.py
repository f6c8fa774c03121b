"""A picture of any size on the network's input: scaled to fit, centred, grey beside it; and boxes back again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Boxes
from models.pictures import Image

GREY = 114  # what the network was trained to read as nothing
LEAST_SIDE = 1e-5  # of the picture: float32 keeps such a box's two edges apart


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where the picture lies on the input: offset and size in pixels of the input."""

    left: int
    top: int
    width: int
    height: int

    def to_fractions(self, boxes: NDArray[np.float32]) -> Boxes:
        """xyxy pixels of the input -> fractions of the picture, cut at its edges."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        size = np.array([self.width, self.height] * 2, np.float32)
        fractions: Boxes = np.clip((boxes - offset) / size, 0.0, 1.0).astype(np.float32)
        return fractions


def letterboxed(image: Image, shape: tuple[int, int]) -> tuple[Image, Letterbox]:
    """The picture on a (height, width) canvas, uint8 BGR. Raises ValueError when it is no picture."""
    check_picture(image)
    height, width = shape
    scale = min(height / image.shape[0], width / image.shape[1])
    new_height = min(max(round(image.shape[0] * scale), 1), height)
    new_width = min(max(round(image.shape[1] * scale), 1), width)
    # Area averaging below a half keeps a full-HD picture's small things; above, linear is what training used.
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    small = cv2.resize(image, (new_width, new_height), interpolation=method)
    top, left = (height - new_height) // 2, (width - new_width) // 2
    canvas = np.full((height, width, 3), GREY, np.uint8)
    canvas[top : top + new_height, left : left + new_width] = small
    return canvas, Letterbox(left, top, new_width, new_height)


def check_picture(image: Image) -> None:
    """Raises ValueError unless the array is what `models.pictures.Image` promises."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"a picture must be uint8 (H, W, 3) and not empty; this is {image.dtype} {image.shape}")


def nearest_shape(image: Image, shapes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The input shape on which the picture keeps most of its pixels."""
    height, width = image.shape[:2]
    return max(shapes, key=lambda shape: min(shape[0] / max(height, 1), shape[1] / max(width, 1)))
