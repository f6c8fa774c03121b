"""`gridwarden bench detect`: what a look costs the detector, and how much of that is the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from detect.weights import shipped_weights
from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from gridwarden.detectors import WeightsOption

DATA = Path("../shared/data")


def detect(
    data: Annotated[Path, typer.Option(help="Labelled pictures; one of noise is used where there are none.")] = DATA,
    floating: Annotated[Path | None, typer.Option("--float", help="Folder of the same network, not quantised.")] = None,
    peer: Annotated[Path | None, typer.Option(help="A .pt for ultralytics to run on the same pictures.")] = None,
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Also mAP50 and recall at each size; minutes.")] = False,
    seconds: Annotated[float, typer.Option(min=0.05, max=600, help="How long to measure each figure.")] = 3,
    size: Annotated[list[int] | None, typer.Option(min=32, max=1280, help="Only these sizes; repeatable.")] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """Pictures a second and CPU a picture, at several sizes, one and two threads, against the bare network's limit."""
    from gridwarden.bench.detect import SIDES, Wanted, measure

    wanted = Wanted(
        weights or shipped_weights(), data, floating=floating, peer=peer, seconds=seconds, accuracy=accuracy,
        sides=tuple(size) if size else SIDES,
    )  # fmt: skip
    with progress_bar() as bar:
        task = bar.add_task("sizes", total=None)
        figures = measure(wanted, tick=lambda done, whole: bar.update(task, completed=done, total=whole))
    if json:
        print_json(figures)
        return
    out.print(_table(figures))
    for sentence in figures["not_measured"]:
        say(sentence)


def _table(figures: dict[str, Any]) -> Table:
    title = f"{figures['weights']['name']}, {figures['pictures']} pictures ({figures['pictures_from']})"
    heads = ("network", "size", "threads", "pictures/s", "CPU-ms", "limit/s", "share", "mAP50", "recall")
    table = Table(*heads, title=title)
    for row in figures["figures"]:
        limit = row.get("limit", {}).get("pictures_per_s")
        measured = (row["pictures_per_s"], row["cpu_ms_per_picture"], limit)
        rated = (row.get("share_of_limit"), row.get("map50"), row.get("recall"))
        table.add_row(
            row["network"], row["size"], str(row["threads"]), *(figure(value, digits=1) for value in measured),
            *(figure(value, digits=3) for value in rated),
        )  # fmt: skip
    return table
