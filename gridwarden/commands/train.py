"""`gridwarden train`: from a data folder to shipped weights and their card."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from models.errors import SettingsError

if TYPE_CHECKING:
    from detect.evaluation import Evaluation
    from detect.labels import Dataset
    from detect.training.additions import Additions
    from detect.training.build import Trained
    from detect.training.comparison import Comparison
    from detect.training.fit import Progress

MOST_TOLD = 20
"""Problems of added pictures that are written out; a folder of thousands may have one in every file."""


def train(
    data: Annotated[
        Path, typer.Option(help="Folder with classes.txt, sets.tsv, images, labels, splits, weights.")
    ] = Path("../shared/data"),
    out_folder: Annotated[Path, typer.Option("--out", help="The weights folder to write.")] = Path("var/weights"),
    work: Annotated[Path, typer.Option(help="Where checkpoints are kept.")] = Path("var/train"),
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", help="Train on these pictures too: an export of your street, or any YOLO folder."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --work.")] = False,
    json: JsonOption = False,
) -> None:
    """Train, quantise to int8, judge and write weights with their card. Ctrl-C keeps a checkpoint for --resume.
    With --add, what changed against the shipped weights is shown class by class and written into the card."""
    try:
        from detect.training.build import train as trained
    except ImportError as error:
        raise SettingsError(
            f"Training needs the extra 'train' ({error.name} is missing): .venv/bin/pip install --editable '.[train]'"
        ) from error
    additions = _added(data, add, work) if add else None
    before = _judged_before(data, add) if add else []
    stopping = _stop_on_ctrl_c()
    with progress_bar() as bar:
        task = bar.add_task("training", total=None)

        def show(step: Progress) -> None:
            bar.update(task, description=f"{step.phase} {step.note}", completed=step.step, total=step.steps)

        result = trained(
            additions.folder if additions else data,
            out_folder,
            work=work,
            resume=resume,
            report=show,
            stop=lambda: bool(stopping),
        )
    if result is None:
        again = "".join(f" --add {folder}" for folder in add or [])
        say(
            f"Stopped; the checkpoint is in {work}. Go on with: "
            f"gridwarden train --data {data} --work {work}{again} --resume"
        )
        return
    comparisons = _compared(before, result)
    if additions:
        _into_card(result, comparisons, additions)
    _tell(result, comparisons, json=json)


def _added(data: Path, add: list[Path], work: Path) -> Additions:
    from detect.training.additions import overlay

    additions = overlay(data, add, work / "data-with-additions")
    for problem in additions.problems[:MOST_TOLD]:
        say(problem)
    if len(additions.problems) > MOST_TOLD:
        say(f"… and {len(additions.problems) - MOST_TOLD} more like these")
    say(f"{additions.pictures} pictures are added to the training data.")
    return additions


def _judged_before(data: Path, add: list[Path]) -> list[tuple[str, Dataset, Evaluation]]:
    """The shipped weights on val and on the street's own val, before anything is written over them."""
    from detect.labels import read_dataset
    from detect.training.additions import street_val
    from detect.training.comparison import judged
    from detect.weights import shipped_weights

    sets = [("Validation pictures", read_dataset(data, split="val"))]
    sets += [(f"The street's own validation pictures in {folder.name}", val) for folder, val in street_val(add)]
    found = []
    with progress_bar() as bar:
        for where, pictures in sets:
            task = bar.add_task("shipped weights", total=len(pictures.pictures))
            step = lambda done, _, task=task: bar.update(task, completed=done)  # noqa: E731
            found.append((where, pictures, judged(shipped_weights(), pictures, step=step)))
    return found


def _compared(before: list[tuple[str, Dataset, Evaluation]], result: Trained) -> list[Comparison]:
    from detect.training.comparison import compare, judged

    return [compare(first, judged(result.folder, pictures), where=where) for where, pictures, first in before]


def _into_card(result: Trained, comparisons: list[Comparison], additions: Additions) -> None:
    from detect.training.comparison import card_section
    from detect.weights import SHIPPED

    card = result.folder / "CARD.md"
    section = card_section(comparisons, before=SHIPPED, pictures=additions.pictures)
    card.write_text(f"{card.read_text(encoding='utf-8').rstrip()}\n\n{section}", encoding="utf-8")


def _stop_on_ctrl_c() -> list[int]:
    """Filled at the first Ctrl-C; a second one ends the process at once."""
    stopping: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    return stopping


def _tell(result: Trained, comparisons: list[Comparison], *, json: bool) -> None:
    if json:
        compared = {"compared": [one.to_json() for one in comparisons]} if comparisons else {}
        print_json({"folder": str(result.folder), **result.figures.to_json(), **compared})
        return
    for comparison in comparisons:
        out.print(_table(comparison))
        if comparison.worse:
            out.print(f"[bold red]Worse than the shipped weights: {', '.join(comparison.worse)}[/]")
    out.print(
        f"{result.folder}: mAP50 {figure(result.figures.map50, digits=3)} as int8, "
        f"{figure(result.float_figures.map50, digits=3)} as float. The card is {result.folder / 'CARD.md'}."
    )


def _table(comparison: Comparison) -> Table:
    title = (
        f"{comparison.where}: mAP50 {figure(comparison.before, digits=3)} → {figure(comparison.after, digits=3)} "
        f"on {comparison.images} pictures"
    )
    table = Table("class", "boxes", "shipped AP50", "new AP50", title=title)
    for change in comparison.classes:
        style = "red" if change.worse else None
        before, after = figure(change.before, digits=3), figure(change.after, digits=3)
        table.add_row(change.name, str(change.boxes), before, after, style=style)
    return table
