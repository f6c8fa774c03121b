"""`gridwarden bench scenes`: precision and recall of what the product tells, subcategory by subcategory.

Three kinds of evidence, all through gate, shipped detector and rules (`playing`): composed scenes (`plots`), held-out
pictures played as cameras (`stills`), and quiet clips for false observations per camera-day (`quiet`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detect.backends.openvino import OpenVinoDetector
from detect.coverage_figures import figures_path, weights_key
from detect.memory import KEEP_SCORE
from gridwarden.bench.cutting import read_cuts
from gridwarden.bench.judging import Count, Verdict, announcements
from gridwarden.bench.playing import Remembering, Told, play
from gridwarden.bench.plots import PLOTS, composed
from gridwarden.bench.quiet import quiet_days, quiet_jpeg
from gridwarden.bench.staging import Scene, read_places
from gridwarden.bench.stills import stills
from models.errors import SettingsError
from models.taxonomy import Taxonomy

TABLES = Path(__file__).resolve().parents[2] / "benchmarks" / "scenes"
"""Part of the repository, not of the installed package: measuring needs the data folder beside it too."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured. scenes: of each plot; share: every n-th held-out picture; quiet_h: hours of each clip."""

    scenes: int = 3
    share: int = 1
    quiet_h: float = 6.0
    only: frozenset[str] = frozenset()


QUICK = Extent(scenes=1, share=12, quiet_h=0.25, only=frozenset({"B3", "C4", "F1", "F5", "I3", "J4"}))
"""Under a minute: whether everything still works, not how well."""


@dataclass(slots=True)
class Outcome:
    """verdict: composed scenes and pictures; quiet: what was told where nothing is wrong; days: watched so."""

    verdict: Verdict
    quiet: dict[str, list[Told]] = field(default_factory=dict)
    days: float = 0.0
    scenes: int = 0
    pictures: int = 0

    def to_json(self, weights: Path) -> dict[str, Any]:
        codes = sorted(self.verdict.counts)
        told = {name: [_line(item) for item in items] for name, items in self.quiet.items()}
        number = sum(len(items) for items in told.values())
        return {
            "weights": weights_key(weights),
            "measured_at": datetime.now(UTC).strftime("%Y-%m-%d"),
            "composed_scenes": self.scenes,
            "pictures": self.pictures,
            "subcategories": {code: _figures(self.verdict.counts[code]) for code in codes},
            "quiet": {
                "camera_days": round(self.days, 3),
                "false": number,
                "false_per_camera_day": round(number / self.days, 2) if self.days else None,
                "told": {name: items[:20] for name, items in told.items() if items},
            },
        }


def measure(
    weights: Path,
    data: Path,
    work: Path,
    taxonomy: Taxonomy,
    extent: Extent,
    *,
    seed: int = 1,
    tick: Callable[[int, int], None],
) -> Outcome:
    """Plays everything. work: where cut-outs and detections are kept between runs. Raises SettingsError without data.

    tick: scenes played, and of how many.
    """  # fmt: skip
    if not (data / "splits" / "val.txt").is_file():
        raise SettingsError(f"{data}: no labelled pictures and clips here; give the data folder with --data")
    cuts = read_cuts(TABLES / "cuts.toml", data, cache=work / "cuts")
    places = read_places(TABLES / "places.toml", data)
    plots = [plot for plot in PLOTS if not extent.only or plot.code in extent.only]
    films = composed(plots, places, cuts, taxonomy, scenes=extent.scenes, seed=seed)
    pictures = list(stills(data, taxonomy, share=extent.share))
    days = quiet_days(places, hours=extent.quiet_h, seed=seed) if extent.quiet_h else []
    detector = OpenVinoDetector(weights, least_score=KEEP_SCORE, cache=work / "compiled")
    remembering = Remembering(detector, work / f"seen-{weights_key(weights)[:16]}-{KEEP_SCORE:g}.jsonl")
    outcome = Outcome(Verdict(), scenes=len(films), pictures=len(pictures), days=len(days) * extent.quiet_h / 24)
    whole = [*films, *pictures, *days]
    for number, scene in enumerate(whole, start=1):
        _take(scene, outcome, remembering, taxonomy)
        scene.kept.clear()
        tick(number, len(whole))
    detector.close()
    return outcome


def _take(scene: Scene, outcome: Outcome, remembering: Remembering, taxonomy: Taxonomy) -> None:
    if scene.name.startswith("quiet-"):
        outcome.quiet[scene.name] = announcements(play(scene, remembering, taxonomy, picture=quiet_jpeg))
    else:
        outcome.verdict.take(scene, play(scene, remembering, taxonomy))


def write_figures(figures: dict[str, Any], weights: Path) -> Path:
    """Beside the weights they belong to."""
    path = figures_path(weights)
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _figures(counts: dict[str, Count]) -> dict[str, Any]:
    whole = Count()
    for count in counts.values():
        whole.right, whole.false, whole.missed = (
            whole.right + count.right, whole.false + count.false, whole.missed + count.missed,
        )  # fmt: skip
    return {
        "precision": _rounded(whole.precision), "recall": _rounded(whole.recall), "n": whole.right + whole.missed,
        "on": {kind: count.to_json() for kind, count in sorted(counts.items())},
    }  # fmt: skip


def _line(item: Told) -> str:
    return f"{item.code} at {item.t:.0f} s: {item.why}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
