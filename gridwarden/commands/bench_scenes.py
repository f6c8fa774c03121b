"""`gridwarden bench scenes`: how well what the product tells fits what happened, measured on composed scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from detect.weights import shipped_weights
from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from gridwarden.detectors import WeightsOption
from models.taxonomy import load_taxonomy

DATA = Path("../shared/data")


def scenes(
    data: Annotated[Path, typer.Option(help="Labelled pictures and clips of fixed cameras.")] = DATA,
    work: Annotated[Path, typer.Option(help="Where cut-outs and detections are kept.")] = Path("var/scenes"),
    quick: Annotated[bool, typer.Option("--quick", help="A few scenes, under a minute: does it all work?")] = False,
    number: Annotated[int, typer.Option("--scenes", min=1, max=100, help="Scenes of each plot.")] = 3,
    quiet_hours: Annotated[float, typer.Option(min=0, max=240, help="Simulated hours of each quiet clip.")] = 6,
    only: Annotated[list[str] | None, typer.Option(help="Only the plot of this subcategory; may be repeated.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Write the figures beside the weights, for `coverage`.")] = False,
    remarks: Annotated[bool, typer.Option(help="Say what was missed and what was false, on stderr.")] = False,
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """Precision and recall of observations per subcategory: real objects composed into real clips at known times,
    held-out pictures played as cameras; and false observations per camera-day on quiet clips."""
    from gridwarden.bench.scenes import QUICK, Extent, measure, write_figures

    if keep and (quick or only):
        raise typer.BadParameter("--keep wants the whole measurement, not --quick or --only")
    folder = weights or shipped_weights()
    extent = QUICK if quick else Extent(number, 1, quiet_hours, frozenset(only or ()))
    with progress_bar() as bar:
        task = bar.add_task("scenes", total=None)
        outcome = measure(
            folder, data, work, load_taxonomy(), extent,
            tick=lambda done, whole: bar.update(task, completed=done, total=whole),
        )  # fmt: skip
    figures = outcome.to_json(folder)
    for sentence in outcome.verdict.remarks if remarks else ():
        say(sentence)
    if keep:
        say(f"written: {write_figures(figures, folder)}")
    if json:
        print_json(figures)
    else:
        out.print(_table(figures))


def _table(figures: dict[str, Any]) -> Table:
    quiet = figures["quiet"]
    per_day = figure(quiet["false_per_camera_day"])
    title = (
        f"{figures['composed_scenes']} composed scenes, {figures['pictures']} held-out pictures; "
        f"false per camera-day on quiet clips: {per_day} ({quiet['false']} in {quiet['camera_days']} simulated days)"
    )
    table = Table("code", "precision", "recall", "n", "composed (right/false/missed)", "pictures", title=title)
    for code, row in figures["subcategories"].items():
        kinds = [_counts(row["on"].get(kind)) for kind in ("composed", "picture")]
        table.add_row(code, figure(row["precision"]), figure(row["recall"]), str(row["n"]), *kinds)
    return table


def _counts(row: dict[str, int] | None) -> str:
    return f"{row['right']}/{row['false']}/{row['missed']}" if row else ""
