"""`gridwarden train`: from a data folder to shipped weights and their card."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from models.errors import SettingsError

if TYPE_CHECKING:
    from detect.training.build import Trained
    from detect.training.fit import Progress


def train(
    data: Annotated[Path, typer.Option(help="Folder with classes.txt, sets.tsv, images, labels, splits, weights.")],
    out_folder: Annotated[Path, typer.Option("--out", help="The weights folder to write.")] = Path("var/weights"),
    work: Annotated[Path, typer.Option(help="Where checkpoints are kept.")] = Path("var/train"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --work.")] = False,
    json: JsonOption = False,
) -> None:
    """Train, quantise to int8, judge and write weights with their card. Ctrl-C keeps a checkpoint for --resume."""
    try:
        from detect.training.build import train as trained
    except ImportError as error:
        raise SettingsError(
            f"Training needs the extra 'train' ({error.name} is missing): .venv/bin/pip install --editable '.[train]'"
        ) from error
    stopping = _stop_on_ctrl_c()
    with progress_bar() as bar:
        task = bar.add_task("training", total=None)

        def show(step: Progress) -> None:
            bar.update(task, description=f"{step.phase} {step.note}", completed=step.step, total=step.steps)

        result = trained(data, out_folder, work=work, resume=resume, report=show, stop=lambda: bool(stopping))
    if result is None:
        say(f"Stopped; the checkpoint is in {work}. Go on with: gridwarden train --data {data} --work {work} --resume")
        return
    _tell(result, json=json)


def _stop_on_ctrl_c() -> list[int]:
    """Filled at the first Ctrl-C; a second one ends the process at once."""
    stopping: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    return stopping


def _tell(result: Trained, *, json: bool) -> None:
    if json:
        print_json({"folder": str(result.folder), **result.figures.to_json()})
        return
    out.print(
        f"{result.folder}: mAP50 {figure(result.figures.map50, digits=3)} as int8, "
        f"{figure(result.float_figures.map50, digits=3)} as float. The card is {result.folder / 'CARD.md'}."
    )
