"""`gridwarden bench rtsp`: one keyframe of an RTSP camera, by our own client and by FFmpeg."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gridwarden.console import JsonOption, out, print_json, progress_bar, say


def rtsp(
    film: Annotated[Path | None, typer.Option(exists=True, help="What the camera shows; noise without.")] = None,
    looks: Annotated[int, typer.Option(min=6, max=10_000, help="Of each client and encoding.")] = 60,
    cameras: Annotated[int, typer.Option(min=1, max=500, help="Kept open at once.")] = 8,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long they are kept open.")] = 16,
    json: JsonOption = False,
) -> None:
    """CPU of a keyframe from a served RTSP camera: opened and closed for it, or kept open; our client and PyAV."""
    from gridwarden.bench.rtsp import Wanted, measure

    with progress_bar() as bar:
        task = bar.add_task("steps", total=None)
        figures = measure(
            Wanted(film, looks, cameras, seconds),
            tick=lambda done, whole: bar.update(task, completed=done, total=whole),
        )
    if json:
        print_json(figures)
        return
    table = Table("figure", *figures["encodings"], title=f"640 × 360, {figures['camera']['frames_per_s']} frames/s")
    rows = [list(encoding.items()) for encoding in figures["encodings"].values()]
    for group, names in rows[0] if rows else []:
        for name in names:
            values = (str(encoding[group][name]) for encoding in figures["encodings"].values())
            table.add_row(f"{group} {name}".replace("_", " "), *values)
    out.print(table)
    for sentence in figures["not_measured"]:
        say(sentence)
