"""From a path to a running detector: a folder with a manifest, other people's graph, or a file for ultralytics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from detect.backends.class_map import class_map_beside, read_class_map
from detect.backends.foreign import GRAPHS, foreign_manifest
from detect.backends.openvino import DEFAULT_STREAMS, OpenVinoDetector
from detect.backends.ultralytics import ENDINGS as ULTRALYTICS_ENDINGS
from detect.backends.ultralytics import UltralyticsDetector
from detect.backends.vocabulary import vocabulary
from detect.detector import Detector
from detect.weights import DEFAULT_THRESHOLD, MANIFEST, Manifest, read_manifest, shipped_weights, verified_manifest
from models.errors import WeightsError
from models.taxonomy import load_taxonomy


def open_detector(
    weights: Path | None = None,
    *,
    least_score: float | None = None,
    streams: int = DEFAULT_STREAMS,
    cache: Path | None = None,
    class_map: Path | None = None,
) -> Detector:
    """The detector of these weights, warm; the shipped ones when none are named.

    least_score: pass on everything from this score on, instead of the weights' own thresholds.
    cache: folder for compiled networks (OpenVINO only). class_map: instead of a `classes.toml` beside the model.
    Raises WeightsError when the weights are missing, altered or of no known kind.
    """
    path = weights or shipped_weights()
    if path.suffix.lower() in ULTRALYTICS_ENDINGS:
        words = vocabulary(load_taxonomy())
        return UltralyticsDetector(path, least_score=least_score, class_map=class_map, words=words)
    manifest = described(path, class_map=class_map)
    if manifest.backend == "ultralytics":
        return UltralyticsDetector(manifest, least_score=least_score)
    return OpenVinoDetector(manifest, least_score=least_score, streams=streams, cache=cache)


def described(path: Path, *, class_map: Path | None = None) -> Manifest:
    """What weights are, their files held against their sha256 where there is a manifest.

    A file for ultralytics is loaded to know it. Raises WeightsError when the weights are of no known kind.
    """
    if path.suffix.lower() in ULTRALYTICS_ENDINGS:
        return UltralyticsDetector(path, class_map=class_map, words=vocabulary(load_taxonomy())).manifest
    if (path / MANIFEST).is_file():
        return verified_manifest(path)
    if path.is_file() and path.suffix.lower() not in GRAPHS:
        known = ", ".join(sorted(GRAPHS | ULTRALYTICS_ENDINGS))
        raise WeightsError(f"{path}: neither a weights folder nor one of {known}")
    return foreign_manifest(path, class_map=class_map)


def thresholds_of(weights: Path | None = None, *, class_map: Path | None = None) -> Callable[[str], float]:
    """Class name -> the score from which its finds count."""
    path = weights or shipped_weights()
    if (path / MANIFEST).is_file():
        return read_manifest(path).threshold
    if path.suffix.lower() in ULTRALYTICS_ENDINGS:  # loading it once more only for this would cost seconds
        where = class_map or class_map_beside(path)
        table = read_class_map(where).thresholds if where else {}
        return lambda name: table.get(name, DEFAULT_THRESHOLD)
    return foreign_manifest(path, class_map=class_map).threshold
