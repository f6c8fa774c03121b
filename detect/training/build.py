"""The front door of training: one call from a data folder to shipped weights, in steps that can be taken up again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from detect.backends.openvino import OpenVinoDetector
from detect.evaluation import EVALUATION_SCORE, Evaluation, evaluate
from detect.labels import Dataset, read_dataset
from detect.training import measure
from detect.training.blend import best_blend, state_of
from detect.training.card import CardFacts, write_card
from detect.training.export import (
    SHAPES,
    calibration_inputs,
    draft_manifest,
    float_graph,
    quantised_graph,
    save_weights,
)
from detect.training.fit import Fit, FitSettings, Progress, Report
from detect.training.network import StreetNetwork, build
from detect.training.pictures import SampleSource
from detect.weights import Manifest
from models.errors import DatasetError

COCO_START, STREET_START = Path("weights/yolo11n-coco.pt"), Path("weights/street-first.pt")
# F1 alone would take finds from .2 on. A street cabinet with torn posters, seen all day, scores .25 to .41 as an
# overflowing bin, and standing still it passes every test of dwelling: from .4 on most such things are gone. Fire and
# smoke may come earlier, since quick re-looks confirm them. Above the greatest, a class would be silent on streets
# that differ from val.
LEAST_THRESHOLD, GREATEST_THRESHOLD = 0.4, 0.6
CONFIRMED_THRESHOLDS = {"fire": (0.3, 0.45), "smoke": (0.3, 0.45)}  # least, greatest
START_SHAPE = (640, 640)  # the size the COCO start network was trained at


@dataclass(frozen=True, slots=True)
class Trained:
    """What a finished run leaves: a weights folder, and its figures as the runtime sees them."""

    folder: Path
    manifest: Manifest
    figures: Evaluation
    float_figures: Evaluation


def train(
    data: Path,
    out: Path,
    *,
    work: Path,
    resume: bool = False,
    name: str = "street",
    settings: FitSettings | None = None,
    report: Report = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Trained | None:
    """Trains, quantises, judges, and writes weights, manifest and card into `out`; None when `stop()` ended it early.

    data: the folder with classes.txt, sets.tsv, splits, images, labels, clips and weights; work: checkpoints.
    resume: go on from the checkpoint in `work`; without it a checkpoint there is refused, not overwritten.
    Raises DatasetError and WeightsError for data and start weights that cannot be used.
    """
    source = SampleSource(data)
    network = build(data / COCO_START, data / STREET_START, source.names)
    work.mkdir(parents=True, exist_ok=True)
    fit = Fit(network, source, work, settings or FitSettings())
    if not resume and fit.checkpoint.exists():
        raise DatasetError(f"{fit.checkpoint}: a run was begun here; resume it, or name another work folder")
    start = state_of(network)
    if resume:
        fit.resume()
    val = read_dataset(data, split="val")
    if not fit.run(judge=lambda current: _score(current, val, source.names), report=report, stop=stop):
        return None
    network.load_state_dict(torch.load(fit.best_path, weights_only=True)["network"])
    report(Progress("blend", 0, 1, 120.0, ""))
    share, _ = best_blend(network, start, known=network.known_classes, judge=lambda one: _score(one, val, source.names))
    training = training_note(fit.settings, share=share, per_epoch=source.per_epoch)
    return ship(network, data, out, name=name, classes=source.names, training=training, report=report)


def ship(
    network: StreetNetwork,
    data: Path,
    out: Path,
    *,
    name: str,
    classes: tuple[str, ...],
    training: str,
    report: Report,
) -> Trained:
    """Float network -> int8 weights folder, judged as it will run, with thresholds, manifest and card."""
    val, clips = read_dataset(data, split="val"), measure.clips_in(data)
    with tempfile.TemporaryDirectory(prefix="gridwarden-train-") as folder:
        report(Progress("evaluate float", 0, 4, 240.0, ""))
        draft = save_weights(float_graph(network), Path(folder), draft_manifest(classes))
        float_figures = _evaluated(draft, val)
        report(Progress("quantise", 1, 4, 180.0, f"float mAP50 {float_figures.map50 or 0:.3f}"))
        graph = quantised_graph(float_graph(network), calibration_inputs(data))
        small = save_weights(graph, out, draft_manifest(classes, name=name))
        report(Progress("evaluate int8", 2, 4, 90.0, ""))
        manifest = replace(small, thresholds=_thresholds(_evaluated(small, val)))
        figures = _evaluated(save_weights(graph, out, manifest), val)
        report(Progress("measure", 3, 4, 40.0, f"int8 mAP50 {figures.map50 or 0:.3f}"))
        start = _start_detector(build(data / COCO_START, data / STREET_START, classes), Path(folder) / "start")
        facts = replace(_facts(start, manifest, figures, float_figures, clips), training=training)
    finished = replace(manifest, provenance=facts.provenance, data=facts.data, metrics=facts.metrics())
    save_weights(graph, out, finished)
    write_card(out / "CARD.md", finished, facts)
    report(Progress("done", 4, 4, 0.0, f"int8 mAP50 {figures.map50 or 0:.3f}"))
    return Trained(out, finished, figures, float_figures)


def training_note(settings: FitSettings, *, share: float, per_epoch: int) -> str:
    """For the card: how much training this was."""
    samples = settings.steps * settings.batch
    epochs = samples / per_epoch
    return (
        f"The network saw {samples:,} augmented samples ({epochs:.1f} epochs: {settings.steps} steps "
        f"of {settings.batch}, AdamW from {settings.rate:g}, cosine), each street class counted only where its set "
        f"speaks about it, the COCO tail taught by the start network; what is shipped is {share:.0%} of that and the "
        f"rest its start (WiSE-FT)."
    )


def _score(network: StreetNetwork, val: Dataset, classes: tuple[str, ...]) -> float:
    """mAP50 of the float network through the runtime path."""
    with tempfile.TemporaryDirectory(prefix="gridwarden-train-") as folder:
        manifest = save_weights(float_graph(network), Path(folder), draft_manifest(classes))
        return _evaluated(manifest, val).map50 or 0.0


def _evaluated(manifest: Manifest, val: Dataset) -> Evaluation:
    detector = OpenVinoDetector(manifest.folder, least_score=EVALUATION_SCORE)
    try:
        return evaluate(detector, val, threshold=manifest.threshold)
    finally:
        detector.close()


def _thresholds(figures: Evaluation) -> dict[str, float]:
    """Per class, where F1 is greatest on val, within what can be trusted elsewhere."""
    return {
        name: round(min(max(result.best_threshold, _bounds(name)[0]), _bounds(name)[1]), 2)
        for name, result in figures.classes.items()
    }


def _bounds(name: str) -> tuple[float, float]:
    return CONFIRMED_THRESHOLDS.get(name, (LEAST_THRESHOLD, GREATEST_THRESHOLD))


def _facts(
    start: OpenVinoDetector, manifest: Manifest, figures: Evaluation, float_figures: Evaluation, clips: list[Path]
) -> CardFacts:
    shipped = OpenVinoDetector(manifest.folder)
    frank = OpenVinoDetector(manifest.folder, least_score=measure.SHIPPED_SCORE)
    files = sum((manifest.folder / file).stat().st_size for file in manifest.files)
    return CardFacts(
        figures=figures,
        float_figures=float_figures,
        agreement=measure.agreement(start, frank, clips),
        false_alarms=measure.false_alarms(shipped, clips),
        fire=measure.fire_share(shipped, clips),
        milliseconds={f"{shape[1]}x{shape[0]}": measure.milliseconds(manifest, shape=shape) for shape in SHAPES},
        megabytes=files / 1e6,
    )


def _start_detector(start: StreetNetwork, folder: Path) -> OpenVinoDetector:
    """The float network that training began with, at 640 x 640: what is to be kept of COCO."""
    classes = tuple(f"street {row}" for row in range(start.street.class_count))
    draft = replace(draft_manifest(classes), shapes=(START_SHAPE,))
    return OpenVinoDetector(save_weights(float_graph(start), folder, draft).folder, least_score=measure.SHIPPED_SCORE)
