"""What the loaded weights see of the taxonomy, with the figures their manifest carries."""

from __future__ import annotations

from detect.coverage import ClassMeasure, CoverageRow, coverage
from detect.weights import Manifest
from models.taxonomy import Taxonomy


def measured_coverage(taxonomy: Taxonomy, manifest: Manifest) -> list[CoverageRow]:
    """A row per subcategory; a class without figures in the manifest is shown as not measured."""
    classes = manifest.metrics.get("classes", {})
    where = manifest.metrics.get("measured_on", "the validation pictures")
    measured = {
        name: ClassMeasure(row["precision"], row["recall"], f"{row['boxes']} boxes in {where}")
        for name, row in classes.items()
        if row.get("precision") is not None and row.get("recall") is not None
    }
    return coverage(taxonomy, manifest.names, measured)
