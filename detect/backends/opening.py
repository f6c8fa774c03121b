"""From a path to a running detector: a folder with a manifest, or a file for ultralytics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from detect.backends.openvino import DEFAULT_STREAMS, OpenVinoDetector
from detect.detector import Detector
from detect.weights import DEFAULT_THRESHOLD, read_manifest, shipped_weights
from models.errors import WeightsError

ULTRALYTICS_ENDINGS = frozenset({".pt", ".engine", ".onnx"})


def open_detector(
    weights: Path | None = None,
    *,
    least_score: float | None = None,
    streams: int = DEFAULT_STREAMS,
    cache: Path | None = None,
) -> Detector:
    """The detector of these weights, warm; the shipped ones when none are named.

    least_score: pass on everything from this score on, instead of the weights' own thresholds.
    cache: folder for compiled networks (OpenVINO only).
    Raises WeightsError when the weights are missing, altered or of no known kind.
    """
    path = weights or shipped_weights()
    if path.suffix.lower() in ULTRALYTICS_ENDINGS:
        from detect.backends.ultralytics import UltralyticsDetector

        return UltralyticsDetector(path, least_score=least_score)
    if path.is_file():
        raise WeightsError(f"{path}: neither a weights folder nor one of {', '.join(sorted(ULTRALYTICS_ENDINGS))}")
    return OpenVinoDetector(path, least_score=least_score, streams=streams, cache=cache)


def thresholds_of(weights: Path | None = None) -> Callable[[str], float]:
    """Class name -> the score from which its finds count."""
    path = weights or shipped_weights()
    return read_manifest(path).threshold if path.is_dir() else lambda _: DEFAULT_THRESHOLD
