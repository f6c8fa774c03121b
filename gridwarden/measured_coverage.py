"""What weights see of the taxonomy, with the figures that lie beside them: of the rules, and of the detection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from detect.coverage import ClassMeasure, CoverageRow, coverage
from detect.coverage_figures import read_figures
from detect.weights import MANIFEST, Manifest, read_manifest
from models.taxonomy import Taxonomy
from models.text import Text


def measured_coverage(taxonomy: Taxonomy, manifest: Manifest) -> list[CoverageRow]:
    """A row per subcategory; what was not measured with just these weights is shown as not measured."""
    metrics = manifest.metrics
    en = str(metrics.get("measured_on", "the validation pictures"))
    where = Text(str(metrics.get("measured_on_zh", "验证图片")), en)
    measured = {
        name: ClassMeasure(row["precision"], row["recall"], _boxes(row["boxes"], where))
        for name, row in metrics.get("classes", {}).items()
        if row.get("precision") is not None and row.get("recall") is not None
    }
    return coverage(taxonomy, manifest.names, measured, rules=read_figures(manifest))


def coverage_of(taxonomy: Taxonomy, weights: Path, names: tuple[str, ...]) -> list[CoverageRow]:
    """Of whatever a detector was opened from: other people's models bring class names and no figures."""
    if (weights / MANIFEST).is_file():
        return measured_coverage(taxonomy, read_manifest(weights))
    return coverage(taxonomy, names)


def held_where_wanting(taxonomy: Taxonomy, rows: Iterable[CoverageRow]) -> Taxonomy:
    """The taxonomy to watch by: what was measured and found wanting is shown to an operator, and nobody is sent."""
    return taxonomy.assisting(row.code for row in rows if row.assist_only)


def _boxes(count: int, where: Text) -> Text:
    return Text(f"{where.zh}中的 {count} 个框", f"{count} boxes in {where.en}")
