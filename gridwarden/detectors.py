"""Which detector a command uses: the shipped OpenVINO weights, a folder like them, or an ultralytics .pt file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from detect.detector import Detector
from detect.weights import read_manifest, shipped_weights

WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="A weights folder with manifest.json, or a .pt file (needs the ultralytics extra)."),
]


def load_detector(weights: Path | None = None, *, least_score: float | None = None) -> Detector:
    """Ready for the first picture. Raises WeightsError when the weights are missing, altered, or cannot be run here."""
    if weights is not None and weights.suffix == ".pt":
        from detect.backends.ultralytics import UltralyticsDetector

        return UltralyticsDetector(weights, least_score=least_score)
    from detect.backends.openvino import OpenVinoDetector

    return OpenVinoDetector(weights or shipped_weights(), least_score=least_score)


def warm_detector(weights: Path | None, *, cache: Path) -> Detector:
    """Ready for cameras of every shape, as a box needs it; compiled networks are kept in `cache` for the next start."""
    if weights is not None and weights.suffix == ".pt":
        return load_detector(weights)
    from detect.backends.openvino import OpenVinoDetector

    detector = OpenVinoDetector(weights or shipped_weights(), cache=cache)
    detector.warm()
    return detector


def thresholds(weights: Path | None) -> Callable[[str], float]:
    """The score from which on a class counts as seen."""
    if weights is not None and weights.suffix == ".pt":
        return lambda _name: 0.25  # what ultralytics itself predicts with
    return read_manifest(weights or shipped_weights()).threshold
