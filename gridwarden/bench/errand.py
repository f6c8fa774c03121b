"""What the benchmark's own processes are told when they start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.ids import CameraId


@dataclass(frozen=True, slots=True)
class Errand:
    """cameras: of the whole district, from which the timetable follows; addresses: those to be watched."""

    addresses: Mapping[CameraId, str]
    cameras: int
    seconds: float
    interval_s: float
    weights: Path | None
    cache: Path
