"""`gridwarden evaluate`: how well the shipped weights see, on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from detect.backends.opening import open_detector, thresholds_of
from detect.evaluation import EVALUATION_SCORE, Evaluation, common_classes
from detect.evaluation import evaluate as evaluated
from detect.labels import read_dataset
from detect.sheet import check_sheet_path, worst, write_sheet
from gridwarden.console import JsonOption, figure, out, print_json, progress_bar, say
from gridwarden.detectors import WeightsOption
from models.taxonomy import load_taxonomy

SheetOption = Annotated[
    Path | None, typer.Option(help="Also write the worst misses and false finds of each class as a picture (.jpg).")
]


def evaluate(
    dataset: Annotated[Path, typer.Argument(help="YOLO-layout folder with data.yaml, images/ and labels/.")],
    split: Annotated[str, typer.Option(help="Which split of the folder.")] = "val",
    weights: WeightsOption = None,
    sheet: SheetOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the detector on labelled pictures: AP50, precision and recall per class that both know by name."""
    if sheet:
        check_sheet_path(sheet)
    data = read_dataset(dataset, split=split)
    detector = open_detector(weights, least_score=EVALUATION_SCORE)
    with progress_bar() as bar:
        task = bar.add_task("pictures", total=len(data.pictures))
        result = evaluated(
            detector, data, threshold=thresholds_of(weights), step=lambda done, total: bar.update(task, completed=done)
        )
    for problem in result.problems:
        say(problem)
    if sheet:
        say(f"{sheet}: the worst of {_draw(sheet, detector.names, data.names, result)} classes")
    if json:
        print_json(result.to_json())
    else:
        out.print(_table(result))


def _draw(path: Path, ours: tuple[str, ...], theirs: tuple[str, ...], result: Evaluation) -> int:
    """Writes the sheet; how many classes are on it."""
    classes = [
        worst(result.judged, row, name=name, threshold=one.threshold)
        for row, (name, one) in enumerate(result.classes.items())
    ]
    taxonomy = load_taxonomy()
    nouns = {theirs[number]: taxonomy.noun(ours[our]) for number, our in common_classes(theirs, ours).items()}
    return write_sheet(path, classes, nouns)


def _table(result: Evaluation) -> Table:
    title = f"mAP50 {figure(result.map50, digits=3)} on {result.images} pictures, {result.seconds:.0f} s"
    table = Table("class", "boxes", "AP50", "precision", "recall", "threshold", title=title)
    for name, row in result.classes.items():
        figures = (figure(value) for value in (row.ap50, row.precision, row.recall, row.threshold))
        table.add_row(name, str(row.boxes), *figures)
    return table
