"""Measured figures of the rules, kept as data beside the weights they were measured with.

`coverage.json` names the weights by the hash of their files: with other weights in the folder the figures are not
theirs and are not shown.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detect.coverage import RuleMeasure
from detect.weights import Manifest, read_manifest

log = logging.getLogger(__name__)

FILE = "coverage.json"


def figures_path(weights: Path) -> Path:
    return weights / FILE


def weights_key(weights: Path) -> str:
    """The weights by the hashes of their files, and their thresholds: both decide what is found."""
    return _key(read_manifest(weights))


def read_figures(manifest: Manifest) -> dict[str, RuleMeasure]:
    """By subcategory; empty when nothing was measured with just these weights."""
    path = figures_path(manifest.folder)
    if not path.is_file():
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["weights"] != _key(manifest):
            log.warning("%s belongs to other weights and is not used: run `gridwarden bench scenes --keep`", path)
            return {}
        return {code: _measure(row) for code, row in raw["subcategories"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as trouble:
        log.warning("%s is damaged (%s), not used: run `gridwarden bench scenes --keep`", path, trouble)
        return {}


def _measure(row: Mapping[str, Any]) -> RuleMeasure:
    expected = {str(kind): int(count["right"]) + int(count["missed"]) for kind, count in row["on"].items()}
    return RuleMeasure(row["precision"], row["recall"], {kind: n for kind, n in expected.items() if n})


def _key(manifest: Manifest) -> str:
    parts = [f"{name} {digest}" for name, digest in sorted(manifest.files.items())]
    parts += [f"{name} {score:g}" for name, score in sorted(manifest.thresholds.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
