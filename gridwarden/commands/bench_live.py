"""`gridwarden bench live`: how soon a change is on every open page."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from gridwarden.console import JsonOption, out, print_json, say


def live(
    viewers: Annotated[int, typer.Option(min=1, max=2000, help="Pages open at once.")] = 200,
    changes: Annotated[int, typer.Option(min=1, max=5000, help="Incidents opened while they look.")] = 100,
    per_second: Annotated[float, typer.Option(min=0.1, max=200, help="How many of them a second.")] = 5,
    cameras: Annotated[int, typer.Option(min=1, max=20_000, help="Cameras of the district.")] = 1438,
    incidents: Annotated[int, typer.Option(min=0, max=5000, help="Incidents open from the start.")] = 500,
    json: JsonOption = False,
) -> None:
    """Change in the record → every open page, over real connections to a server of its own process."""
    from gridwarden.bench.live import LiveSettings, measure

    settings = LiveSettings(viewers, changes=changes, per_s=per_second, cameras=cameras, incidents=incidents)
    figures = measure(settings, say=say)
    if json:
        print_json(figures)
        return
    table = Table("figure", "value", title=f"live feed, {viewers} viewers")
    for name, value in figures.items():
        table.add_row(name, str(value))
    out.print(table)
