"""`gridwarden evaluate`: how well the shipped weights see, on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from detect.backends.opening import open_detector, thresholds_of
from detect.evaluation import EVALUATION_SCORE, Evaluation
from detect.evaluation import evaluate as evaluated
from detect.labels import read_dataset
from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from gridwarden.detectors import WeightsOption


def evaluate(
    dataset: Annotated[Path, typer.Argument(help="YOLO-layout folder with data.yaml, images/ and labels/.")],
    split: Annotated[str, typer.Option(help="Which split of the folder.")] = "val",
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the detector on labelled pictures: AP50, precision and recall per class that both know by name."""
    data = read_dataset(dataset, split=split)
    detector = open_detector(weights, least_score=EVALUATION_SCORE)
    with progress_bar() as bar:
        task = bar.add_task("pictures", total=len(data.pictures))
        result = evaluated(
            detector, data, threshold=thresholds_of(weights), step=lambda done, total: bar.update(task, completed=done)
        )
    for problem in result.problems:
        say(problem)
    if json:
        print_json(result.to_json())
    else:
        out.print(_table(result))


def _table(result: Evaluation) -> Table:
    title = f"mAP50 {figure(result.map50, digits=3)} on {result.images} pictures, {result.seconds:.0f} s"
    table = Table("class", "boxes", "AP50", "precision", "recall", "threshold", title=title)
    for name, row in result.classes.items():
        figures = (figure(value) for value in (row.ap50, row.precision, row.recall, row.threshold))
        table.add_row(name, str(row.boxes), *figures)
    return table
