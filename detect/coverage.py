"""What the loaded weights really see of the taxonomy: the honest `seen_by`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.ids import SubcategoryCode
from models.taxonomy import STATIC_CHANGE, Recipe, SeenBy, Subcategory, Taxonomy


@dataclass(frozen=True, slots=True)
class ClassMeasure:
    """How well weights see one class, and on what that was measured ("val, 123 boxes")."""

    precision: float
    recall: float
    measured_on: str


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One subcategory. precision, recall: of the detection its recipe stands on; None where nothing was measured."""

    code: SubcategoryCode
    zh: str
    en: str
    seen_by: SeenBy
    precision: float | None
    recall: float | None
    evidence: str

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "zh": self.zh, "en": self.en, "seen_by": self.seen_by.value,
            "precision": self.precision, "recall": self.recall, "evidence": self.evidence,
        }  # fmt: skip


def coverage(
    taxonomy: Taxonomy, names: tuple[str, ...], measured: Mapping[str, ClassMeasure] | None = None
) -> list[CoverageRow]:
    """A row per subcategory for weights with these class names.

    A subcategory is "camera" only when its recipe's classes are among the names, and its figures are those of the
    worst measured of its classes: a recipe is no better than what it stands on.
    """
    return [_row(item, frozenset(names), measured or {}) for item in taxonomy.subcategories.values()]


def _row(item: Subcategory, names: frozenset[str], measured: Mapping[str, ClassMeasure]) -> CoverageRow:
    recipe = item.recipe
    if recipe is None or item.seen_by is not SeenBy.CAMERA:
        return CoverageRow(item.code, item.zh, item.en, SeenBy.PEOPLE, None, None, "reported by people")
    if not recipe.visible_to(names):
        missing = ", ".join(sorted(set(recipe.classes) - names))
        return CoverageRow(
            item.code, item.zh, item.en, SeenBy.PEOPLE, None, None,
            f"reported by people until weights know one of: {missing}",
        )  # fmt: skip
    used = sorted((set(recipe.classes) | set(recipe.with_classes)) & (names | {STATIC_CHANGE}))
    known = [(name, measured[name]) for name in used if name in measured]
    worst = min(known, key=lambda pair: pair[1].precision + pair[1].recall, default=None)
    if worst is None:
        evidence = f"not measured; sees {', '.join(used)}{_zones(recipe)}"
        return CoverageRow(item.code, item.zh, item.en, SeenBy.CAMERA, None, None, evidence)
    name, measure = worst
    return CoverageRow(
        item.code, item.zh, item.en, SeenBy.CAMERA, measure.precision, measure.recall,
        f"class {name} per picture, {measure.measured_on}; the rule itself is not measured{_zones(recipe)}",
    )  # fmt: skip


def _zones(recipe: Recipe) -> str:
    return f"; needs a zone: {' or '.join(recipe.zones)}" if recipe.zones else ""
