"""What the loaded weights see of the taxonomy, with the figures their manifest carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from detect.coverage import ClassMeasure, CoverageRow, coverage
from detect.weights import Manifest
from models.taxonomy import Taxonomy
from models.text import Text

_PICTURES = re.compile(r"\d+(?= val pictures)")


def measured_coverage(taxonomy: Taxonomy, manifest: Manifest) -> list[CoverageRow]:
    """A row per subcategory; a class without figures in the manifest is shown as not measured."""
    classes = manifest.metrics.get("classes", {})
    where = _measured_on(manifest.metrics)
    measured = {
        name: ClassMeasure(row["precision"], row["recall"], _boxes(row["boxes"], where))
        for name, row in classes.items()
        if row.get("precision") is not None and row.get("recall") is not None
    }
    return coverage(taxonomy, manifest.names, measured)


def _boxes(count: int, where: Text) -> Text:
    return Text(f"{where.zh}中的 {count} 个框", f"{count} boxes in {where.en}")


def _measured_on(metrics: Mapping[str, Any]) -> Text:
    """Manifests written before `measured_on_zh` say in English how many pictures there were: that much is kept."""
    en = str(metrics.get("measured_on", "the validation pictures"))
    pictures = _PICTURES.match(en)
    plain = f"验证集 {pictures[0]} 张图片" if pictures else "验证图片"
    return Text(str(metrics.get("measured_on_zh", plain)), en)
