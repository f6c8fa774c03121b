"""`gridwarden coverage`: for each of the 56 subcategories, whether weights serve its recipe, and what was measured."""

from __future__ import annotations

from rich.table import Table

from detect.coverage import CoverageRow
from detect.weights import read_manifest, shipped_weights
from gridwarden.console import JsonOption, figure, out, print_json
from gridwarden.detectors import WeightsOption
from gridwarden.measured_coverage import measured_coverage
from models.taxonomy import SeenBy, load_taxonomy


def coverage(weights: WeightsOption = None, json: JsonOption = False) -> None:
    """Show what the system can see: per subcategory camera, assist only (a person looks before anybody is sent) or
    people, with precision, recall, and what they were measured on."""
    rows = measured_coverage(load_taxonomy(), read_manifest(weights or shipped_weights()))
    if json:
        for row in rows:
            print_json(row.as_json())
        return
    out.print(_table(rows))


def _table(rows: list[CoverageRow]) -> Table:
    by_camera = [row for row in rows if row.seen_by is SeenBy.CAMERA]
    measured = sum(row.precision is not None and row.recall is not None for row in by_camera)
    trusted = sum(row.trusted for row in by_camera)
    held = sum(row.assist_only for row in by_camera)
    title = (
        f"{len(by_camera)} of {len(rows)} subcategories have a recipe these weights can serve; {measured} of them have "
        f"both figures; {trusted} are measured as good enough to send somebody at once, {held} wait for an operator."
    )
    table = Table("code", "中文", "English", "seen by", "precision", "recall", "evidence", title=title)
    for row in rows:
        figures = figure(row.precision), figure(row.recall)
        seen_by = "assist only" if row.assist_only else row.seen_by.value
        table.add_row(row.code, row.zh, row.en, seen_by, *figures, row.evidence.en)
    return table
