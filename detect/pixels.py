"""Pictures from files, as `Image` or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.pictures import Image


def read_picture(path: Path) -> Image | None:
    """uint8 (H, W, 3) BGR whatever the file holds (grey, RGBA, CMYK); None when it cannot be decoded."""
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # raised for pictures beyond OpenCV's own limit of 2^30 pixels
        return None
    return None if image is None else np.asarray(image, np.uint8)
