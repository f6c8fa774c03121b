"""The detector of a box: of the weights a person has promoted here, with whatever is tried out in their shadow."""

from __future__ import annotations

from pathlib import Path

from detect.backends.opening import open_detector, thresholds_of
from detect.detector import Detector
from detect.shadow import ShadowingDetector
from gridwarden.data_folder import DataFolder
from gridwarden.detectors import chosen_weights, warm_detector
from models.clock import SystemClock


def box_detector(weights: Path | None, folder: DataFolder) -> Detector:
    """Of the weights named, else of those in use in this data folder, else of the shipped ones.

    The shadow gets one stream: whatever it does, the other core belongs to the looks.
    """
    in_use = chosen_weights(weights, data=folder.root)
    return ShadowingDetector(
        warm_detector(in_use, cache=folder.compiled),
        shadow_folder(folder.root),
        opened=lambda shadow: open_detector(shadow, streams=1, cache=folder.compiled),
        threshold=thresholds_of(in_use),
        clock=SystemClock(),
    )


def shadow_folder(data: Path) -> Path:
    """What runs in the shadow, and what was seen of it."""
    return data / "shadow"
