"""Before and after on the same pictures, class by class; what got worse is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detect.backends.opening import open_detector
from detect.evaluation import EVALUATION_SCORE, Evaluation, Step, evaluate
from detect.labels import Dataset
from detect.weights import read_manifest

WORSE_BY = 0.02
"""AP50: two points are what another seed of the same training moves a class by."""


@dataclass(frozen=True, slots=True)
class ClassChange:
    """AP50 of one class; None where the weights don't know it, or nothing is marked."""

    name: str
    boxes: int
    before: float | None
    after: float | None

    @property
    def worse(self) -> bool:
        """By more than chance: a class that is not seen any more is."""
        return self.before is not None and self.before - (self.after or 0.0) > WORSE_BY


@dataclass(frozen=True, slots=True)
class Comparison:
    """where: the pictures both were judged on, in words."""

    where: str
    images: int
    classes: tuple[ClassChange, ...]
    before: float | None
    after: float | None

    @property
    def worse(self) -> tuple[str, ...]:
        return tuple(change.name for change in self.classes if change.worse)

    def to_json(self) -> dict[str, Any]:
        rows = {one.name: {"before": one.before, "after": one.after, "boxes": one.boxes} for one in self.classes}
        return {"where": self.where, "images": self.images, "map50": {"before": self.before, "after": self.after},
                "classes": rows, "worse": list(self.worse)}  # fmt: skip


def judged(weights: Path, data: Dataset, *, step: Step | None = None) -> Evaluation:
    """These weights as they run, on these pictures."""
    detector = open_detector(weights, least_score=EVALUATION_SCORE)
    try:
        return evaluate(detector, data, threshold=read_manifest(weights).threshold, step=step)
    finally:
        detector.close()


def compare(before: Evaluation, after: Evaluation, *, where: str) -> Comparison:
    """Of two judgements on the same pictures."""
    names = dict.fromkeys([*before.classes, *after.classes])
    changes = tuple(
        ClassChange(name, _boxes(name, before, after), _ap50(before, name), _ap50(after, name)) for name in names
    )
    return Comparison(where, after.images, tuple(one for one in changes if one.boxes), before.map50, after.map50)


def card_section(comparisons: Sequence[Comparison], *, before: str, pictures: int) -> str:
    """For the model card, in Markdown."""
    parts = [
        "## With a district's own pictures",
        f"{pictures} pictures of a district's own cameras were added to the training data. AP50 as int8, before "
        f"(the weights '{before}') and after, each on the same pictures, none of which was trained on.",
    ]
    for one in comparisons:
        rows = ["| class | boxes | before | after | change |", "|---|---|---|---|---|"]
        rows += [_row(change) for change in one.classes]
        rows.append(f"| **mean** | | {_figure(one.before)} | {_figure(one.after)} | |")
        parts += [f"{one.where} ({one.images} pictures):", "\n".join(rows)]
        if one.worse:
            parts.append(f"**Worse by more than {WORSE_BY * 100:.0f} points: {', '.join(one.worse)}.**")
    return "\n\n".join(parts) + "\n"


def _row(change: ClassChange) -> str:
    mark = "**" if change.worse else ""
    moved = "–" if change.before is None or change.after is None else f"{change.after - change.before:+.3f}"
    return (
        f"| {change.name} | {change.boxes} | {_figure(change.before)} | {_figure(change.after)} | {mark}{moved}{mark} |"
    )


def _boxes(name: str, *evaluations: Evaluation) -> int:
    return max(one.classes[name].boxes for one in evaluations if name in one.classes)


def _ap50(evaluation: Evaluation, name: str) -> float | None:
    result = evaluation.classes.get(name)
    return result.ap50 if result else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
