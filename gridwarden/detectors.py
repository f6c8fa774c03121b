"""Which detector a command uses: the shipped OpenVINO weights, a folder like them, or a file for ultralytics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detect.backends.opening import open_detector
from detect.backends.openvino import OpenVinoDetector
from detect.detector import Detector

WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="A weights folder with manifest.json, or a .pt file (needs the ultralytics extra)."),
]


def warm_detector(weights: Path | None, *, cache: Path) -> Detector:
    """Ready for cameras of every shape, as a box needs it; compiled networks are kept in `cache` for the next start."""
    detector = open_detector(weights, cache=cache)
    if isinstance(detector, OpenVinoDetector):
        detector.warm()
    return detector
