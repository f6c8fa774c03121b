"""Which weights a data folder runs in the shadow: one small file, written by a command, read by the running box."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detect.promotion import SHELF, write_json
from models.errors import DataFolderError
from models.wire import moment

log = logging.getLogger(__name__)

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """weights: their folder on the shelf; since: when it was asked for; by: by whom, in their words."""

    weights: Path
    since: str
    by: str

    def journal(self, folder: Path) -> Path:
        """Where what this shadow was seen to do is kept; starting the same weights again goes on there."""
        return folder / self.weights.name


def read_plan(folder: Path) -> ShadowPlan | None:
    """None when nothing is to run, or the file is damaged: a shadow is no reason to stop anything."""
    try:
        raw = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        return ShadowPlan(folder.parent / SHELF / Path(raw["weights"]).name, str(raw["since"]), str(raw["by"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as trouble:
        log.warning("%s is damaged (%s): no shadow runs", folder / PLAN, trouble)
        return None


def write_plan(folder: Path, weights: Path, *, by: str, at: datetime) -> ShadowPlan:
    """A running box follows within seconds. Raises DataFolderError."""
    plan = ShadowPlan(weights, moment(at), by)
    write_json(folder / PLAN, {"weights": weights.name, "since": plan.since, "by": by})
    return plan


def clear_plan(folder: Path) -> None:
    """Raises DataFolderError when the file cannot be removed."""
    try:
        (folder / PLAN).unlink(missing_ok=True)
    except OSError as trouble:
        raise DataFolderError(f"{folder / PLAN} cannot be removed ({trouble.strerror}).") from None
