"""How strong a find must be to begin something: what the weights' manifest says of each class."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from detect.detector import Detector
from detect.memory import START_SCORE, Threshold
from detect.weights import Manifest


@runtime_checkable
class Described(Protocol):
    """A detector that knows what its weights are."""

    @property
    def manifest(self) -> Manifest: ...


def threshold_of(detector: Detector) -> Threshold:
    """For `Observer`, whose detector may pass on weaker finds to hold what is known."""
    return detector.manifest.threshold if isinstance(detector, Described) else lambda _: START_SCORE
