"""`gridwarden bench …`: what the product costs and how quick it is, everything real."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gridwarden.commands.bench_detect import detect
from gridwarden.commands.bench_live import live
from gridwarden.commands.bench_rtsp import rtsp
from gridwarden.commands.bench_scenes import scenes
from gridwarden.console import JsonOption, out, print_json, progress_bar, say
from gridwarden.detectors import WeightsOption
from models.errors import SettingsError

app = typer.Typer(help="Measure: real cameras, detector, broker, record and clients.", no_args_is_help=True)


app.command("scenes")(scenes)
app.command("detect")(detect)
app.command("live")(live)
app.command("rtsp")(rtsp)


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


@app.command("looks")
def looks(
    cameras: Annotated[int, typer.Option(min=1, max=20_000, help="Served cameras to watch.")] = 1438,
    seconds: Annotated[float, typer.Option(min=10, max=3600, help="How long to measure.")] = 120,
    interval: Annotated[float, typer.Option(min=1, max=3600, help="Each camera's longest time between looks.")] = 10,
    baseline: Annotated[
        int | None, typer.Option(min=0, help="Cameras of the dense pipeline; 0 leaves it out. As many as fit.")
    ] = None,
    referee: Annotated[bool, typer.Option(help="Infer every served picture, to know what could be found.")] = True,
    footage: Annotated[Path, typer.Option(help="Where fetched footage is kept between runs.")] = Path("var/footage"),
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """A whole sub-district of served cameras: how often each is looked at, what is found, and what it costs."""
    from gridwarden.bench.looks import LooksSettings, measure

    settings = LooksSettings(
        cameras=cameras, seconds=seconds, interval_s=interval, footage=footage, weights=weights,
        dense_cameras=baseline, with_referee=referee,
    )  # fmt: skip
    with progress_bar() as bar:
        task = bar.add_task("seconds", total=int(seconds))
        figures = measure(settings, say=say, tick=lambda passed: bar.update(task, completed=int(passed))).to_json()
    if json:
        print_json(figures)
        return
    table = Table("figure", "value", title=f"{cameras} cameras, {seconds:g} s")
    for name, value in figures.items():
        for row, entry in value.items() if isinstance(value, dict) else [("", value)]:
            table.add_row(f"{name} {row}".strip(), str(entry))
    out.print(table)


@app.command("dispatch")
def dispatch(
    broker: Annotated[str, typer.Option(help="embedded or mosquitto.")] = "embedded",
    database: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Finds a second in the even part.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Length of the even part.")] = 30,
    backlog: Annotated[int, typer.Option(min=0, max=500_000, help="Finds told at once afterwards.")] = 5000,
    json: JsonOption = False,
) -> None:
    """Find → incident → task at a subscribed worker's client, every part a process of its own."""
    from gridwarden.bench.dispatch import Wanted, measure

    if broker not in ("embedded", "mosquitto") or database not in ("sqlite", "postgresql"):
        raise SettingsError("--broker is embedded or mosquitto, --database is sqlite or postgresql.")
    wanted = Wanted(broker, database, rate=rate, seconds=seconds, backlog=backlog)
    figures = asyncio.run(measure(wanted, say=say)).to_json()
    if json:
        print_json(figures)
        return
    table = Table("figure", "value", title=f"dispatch, {broker} and {database}")
    for name, value in figures.items():
        table.add_row(name, str(value))
    out.print(table)
