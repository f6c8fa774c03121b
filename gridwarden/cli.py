"""The command line: one Typer application, one file per command in `gridwarden.commands`."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from gridwarden.commands import (
    backup,
    bench,
    broker,
    cameras,
    cells,
    coverage,
    detect,
    evaluate,
    learn,
    ledger,
    shadow,
    train,
    up,
    verify_log,
    watch,
    weights,
)

app = typer.Typer(
    name="gridwarden",
    help="One screen, one network for a city sub-district: cameras find street problems, workers handle them, "
    "the camera checks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("watch")(watch.watch)
app.command("detect")(detect.detect)
app.command("evaluate")(evaluate.evaluate)
app.command("coverage")(coverage.coverage)
app.command("train")(train.train)
app.command("verify-log")(verify_log.verify_log)
app.command("ledger")(ledger.ledger)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(bench.app, name="bench")
app.add_typer(weights.app, name="weights")
app.add_typer(learn.app, name="learn")
app.add_typer(shadow.app, name="shadow")
app.add_typer(cameras.app, name="cameras")
app.add_typer(cells.app, name="cells")
app.add_typer(broker.app, name="broker")


@app.callback()
def _settings(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    for chatty in ("amqtt", "transitions", "httpx"):
        logging.getLogger(chatty).setLevel(logging.INFO if verbose else logging.ERROR)
