"""How a place looks, small enough to keep: 16 × 16 grey values, compared without regard to brightness and contrast.

Two uses: a standing thing the detector misses for a while is still there when its place looks the same; and a flame
never looks the same twice, while a lamp, a sunset or a reflection does.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.geometry import Box
from models.pictures import Look

SIDE = 16
"""Grain: a parked car keeps its windows, a flame of 20 pixels its tongues; 256 bytes a thing."""

MARGIN = 0.1
"""Share of the box added around it: what a flame licks at next, and the ground a thing stands out against."""

DETAIL = 640
"""Pixels of the longer side that are enough: a far flame has ten of them."""

NOISE = 2.0
"""Grey levels: a place flatter than this shows nothing that could be compared."""

View = bytes
"""SIDE × SIDE grey values, row by row; empty where nothing was kept."""

Viewer = Callable[[Box], View]
"""How a place looks in the present picture."""

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def viewer(look: Look) -> Viewer:
    """Views of this look, each a hundredth of a millisecond; the picture is not touched before the first."""

    def view(box: Box) -> View:
        image = look.reduced(DETAIL)
        height, width = image.shape[:2]
        mx, my = MARGIN * (box.x2 - box.x1), MARGIN * (box.y2 - box.y1)
        left, right = int(max(box.x1 - mx, 0) * width), int(np.ceil(min(box.x2 + mx, 1) * width))
        top, bottom = int(max(box.y1 - my, 0) * height), int(np.ceil(min(box.y2 + my, 1) * height))
        small = cv2.resize(image[top:bottom, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).tobytes()

    return view


def alike(first: View, second: View) -> float:
    """Correlation, -1..1; 0 where one of them shows nothing.

    >>> ramp = bytes(range(256))
    >>> round(alike(ramp, bytes(value // 2 + 40 for value in ramp)), 2), alike(ramp, bytes(256))
    (1.0, 0.0)
    """
    if not first or not second:
        return 0.0
    one, other = (np.frombuffer(view, np.uint8).astype(np.float32) for view in (first, second))
    one, other = one - one.mean(), other - other.mean()
    spread = float(one.std() * other.std())
    return float((one * other).mean()) / spread if min(one.std(), other.std()) >= NOISE else 0.0
