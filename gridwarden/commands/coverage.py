"""`gridwarden coverage`: for each of the 56 subcategories, whether weights serve its recipe, and what was measured."""

from __future__ import annotations

from rich.table import Table

from detect.coverage import CoverageRow
from detect.weights import read_manifest, shipped_weights
from gridwarden.console import JsonOption, figure, out, print_json
from gridwarden.measured_coverage import measured_coverage
from models.taxonomy import SeenBy, load_taxonomy


def coverage(json: JsonOption = False) -> None:
    """Show what the system can see: per subcategory camera or people, and how well the detection was measured."""
    rows = measured_coverage(load_taxonomy(), read_manifest(shipped_weights()))
    if json:
        for row in rows:
            print_json(row.as_json())
        return
    out.print(_table(rows))


def _table(rows: list[CoverageRow]) -> Table:
    by_camera = sum(row.seen_by is SeenBy.CAMERA for row in rows)
    measured = sum(row.precision is not None for row in rows)
    title = (
        f"{by_camera} of {len(rows)} subcategories have a recipe the shipped weights can serve; {measured} of these "
        "have measured figures. Figures are of the detection per picture, not of the rule."
    )
    table = Table("code", "中文", "English", "seen by", "precision", "recall", "evidence", title=title)
    for row in rows:
        figures = figure(row.precision), figure(row.recall)
        table.add_row(row.code, row.zh, row.en, row.seen_by, *figures, row.evidence.en)
    return table
