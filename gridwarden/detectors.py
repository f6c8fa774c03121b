"""Which detector a command uses: the weights in use, a folder, or other people's model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detect.backends.opening import open_detector
from detect.backends.openvino import OpenVinoDetector
from detect.detector import Detector
from detect.memory import KEEP_SCORE
from gridwarden.weights_store import WeightsStore

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights", help="A weights folder, an .onnx or .xml file, or a .pt or .engine (needs the ultralytics extra)."
    ),
]


def warm_detector(weights: Path | None, *, cache: Path) -> Detector:
    """Ready for cameras of every shape, as a box needs it; compiled networks are kept in `cache` for the next start.

    It passes on weak finds too: they begin nothing (`Observer.threshold`), but hold what is known, and keep a
    verification from saying "gone" too early.
    """
    detector = open_detector(weights, least_score=KEEP_SCORE, cache=cache)
    if isinstance(detector, OpenVinoDetector):
        detector.warm()
    return detector


def chosen_weights(weights: Path | None, *, data: Path) -> Path:
    """What a box with this data folder sees with: what was asked for (a path, or a name kept there), else what is in
    use there, which is what we ship until `gridwarden weights use` says otherwise.
    """
    store = WeightsStore.of(data)
    if weights is None:
        return store.in_use()
    return weights if weights.exists() or len(weights.parts) > 1 else store.folder(str(weights))
