"""`gridwarden bench …`: what the product costs and how quick it is, everything real."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gridwarden.console import JsonOption, out, print_json, progress_bar, say

app = typer.Typer(help="Measure: real cameras, detector, broker, record and clients.", no_args_is_help=True)


@app.callback()
def _bench() -> None:
    """Keeps `loop` a command of its own while it is the only one."""


@app.command("loop")
def loop(
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="How long to measure.")] = 60,
    footage: Annotated[Path, typer.Option(help="Where fetched footage is kept between runs.")] = Path("var/footage"),
    json: JsonOption = False,
) -> None:
    """Picture → incident → task at a subscribed worker's client, on the demonstration district."""
    from gridwarden.bench.loop import measure

    with progress_bar() as bar:
        task = bar.add_task("seconds", total=int(seconds))
        figures = asyncio.run(
            measure(seconds, footage, say=say, tick=lambda passed: bar.update(task, completed=int(passed)))
        )
    if json:
        print_json(figures.to_json())
        return
    table = Table("figure", "value", title=f"the whole loop, {seconds:g} s")
    for name, value in figures.to_json().items():
        table.add_row(name, str(value))
    out.print(table)
