"""Trains trunk and tails together, COCO held by its teacher: seeded, checkpointed, stoppable, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detect.training.keep import Teacher, gap_loss, keep_loss
from detect.training.loss import StreetLoss, Targets
from detect.training.network import STEM_LAYERS, StreetNetwork
from detect.training.pictures import SampleSource

SIDES = (320, 352, 384, 416)  # around the shipped sizes: cameras differ in aspect, and so in the side used
CHECKPOINT_EVERY = 50  # steps: about a minute of work is lost with the power
EMA_DECAY = 0.998  # averages the last ~500 steps, a ninth of the default run
WARM_UP = 60  # steps; AdamW's moments are empty before
TAUGHT_EVERY = 2  # steps: asking the COCO teacher costs as much as the rest of a step
TRUNK_PACE, COCO_PACE = 0.3, 0.3  # of the rate: they start trained, and only move aside for what is new


@dataclass(frozen=True, slots=True)
class FitSettings:
    """steps x batch samples in all; the defaults are about eight epochs of the data folder."""

    steps: int = 4400
    batch: int = 8
    rate: float = 7e-4
    seed: int = 1
    threads: int = 2
    check_every: int = 400
    fill_gaps: bool = False  # classes a set does not mark: left out of the loss, or as the start network sees them


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress bar shows: `step` of `steps`, seconds left at the present pace, losses and best score."""

    phase: str
    step: int
    steps: int
    seconds_left: float
    note: str


Report = Callable[[Progress], None]
Judge = Callable[[StreetNetwork], float]


class Fit:
    """One training run in a folder; `run` goes on from the folder's checkpoint when there is one."""

    def __init__(self, network: StreetNetwork, source: SampleSource, folder: Path, settings: FitSettings) -> None:
        self.network, self.source, self.folder, self.settings = network, source, folder, settings
        self.teacher = Teacher(network)
        self.average: StreetNetwork = deepcopy(network)
        self.average.eval()
        self.loss = StreetLoss(network.street.class_count)
        self.optimiser = _optimiser(network)
        self.step, self.best = 0, -1.0
        self._losses: list[float] = []
        self._apart: list[float] = []

    @property
    def checkpoint(self) -> Path:
        return self.folder / "last.pt"

    @property
    def best_path(self) -> Path:
        return self.folder / "best.pt"

    def resume(self) -> bool:
        """Takes up the checkpoint of this folder; False when there is none."""
        if not self.checkpoint.is_file():
            return False
        kept = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.average.load_state_dict(kept["average"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.best = int(kept["step"]), float(kept["best"])
        return True

    def run(self, *, judge: Judge, report: Report, stop: Callable[[], bool]) -> bool:
        """Trains to the last step, or until `stop()`; False when stopped. The best by `judge` is in `best_path`."""
        torch.set_num_threads(self.settings.threads)
        started, first = time.monotonic(), self.step
        with ThreadPoolExecutor(1, thread_name_prefix="samples") as loader:
            waiting = loader.submit(self._batch, self.step)
            while self.step < self.settings.steps:
                batch, waiting = waiting.result(), self._next(loader)
                self._train_on(*batch)
                report(self._progress(started, first))
                self._keep(judge)
                if stop():
                    self.save()
                    return False
        return True

    def _next(self, loader: ThreadPoolExecutor) -> Future[tuple[Tensor, Targets, int]]:
        return loader.submit(self._batch, self.step + 1)

    def _batch(self, step: int) -> tuple[Tensor, Targets, int]:
        side = SIDES[int(np.random.default_rng([self.settings.seed, 7, step]).integers(len(SIDES)))]
        first = step * self.settings.batch
        drawn = [self.source.sample(first + offset, side=side) for offset in range(self.settings.batch)]
        samples = [sample for sample, _ in drawn]
        images = np.stack([sample.image[..., ::-1].transpose(2, 0, 1) for sample in samples])
        most = max(1, *(len(sample.boxes) for sample in samples))
        labels, boxes = torch.zeros(len(samples), most, 1), torch.zeros(len(samples), most, 4)
        for row, sample in enumerate(samples):
            labels[row, : len(sample.boxes), 0] = torch.from_numpy(sample.class_ids.astype(np.float32))
            boxes[row, : len(sample.boxes)] = torch.from_numpy(sample.boxes)
        counted = torch.from_numpy(np.stack([counts for _, counts in drawn]))
        return torch.from_numpy(images).float() / 255, Targets(labels, boxes, counted), side

    def _train_on(self, images: Tensor, targets: Targets, side: int) -> None:
        network = self.network.eval()  # norms of trunk and COCO tail stay as they were taken; the street's own move
        network.street.train()
        for group in self.optimiser.param_groups:
            group["lr"] = group["pace"] * rate_at(self.step, self.settings)
        with torch.no_grad():
            stem = network.trunk.stem(images)
        features = network.trunk.rest(stem)
        street = network.street(*features)
        loss, _ = self.loss(street, targets, side)
        self._losses = [*self._losses[-99:], float(loss.detach())]
        if self.step % TAUGHT_EVERY == 0:
            coco_told, street_told = self.teacher(stem)
            kept = keep_loss(network.coco(*features), coco_told)
            self._apart = [*self._apart[-49:], float(kept.detach())]
            if self.settings.fill_gaps:
                kept = kept + gap_loss(
                    street[1], street_told[1], counted=targets.counted, known=self.teacher.known_classes
                )
            loss = loss + TAUGHT_EVERY * kept
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        _blend(self.average, network, min(EMA_DECAY, (1 + self.step) / (10 + self.step)))

    def _keep(self, judge: Judge) -> None:
        last = self.step == self.settings.steps
        if last or self.step % self.settings.check_every == 0:
            score = judge(self.averaged())
            if score > self.best:
                self.best = score
                torch.save({"network": self.average.state_dict(), "step": self.step, "score": score}, self.best_path)
        if last or self.step % CHECKPOINT_EVERY == 0:
            self.save()

    def averaged(self) -> StreetNetwork:
        """The network as it would be shipped now: the average of the last steps."""
        return self.average

    def save(self) -> None:
        """Written beside and moved into place, so that a kill leaves the old checkpoint whole."""
        state = {
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(), "step": self.step, "best": self.best,
        }  # fmt: skip
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)

    def _progress(self, started: float, first: int) -> Progress:
        pace = (time.monotonic() - started) / max(self.step - first, 1)
        left = (self.settings.steps - self.step) * pace
        note = f"loss {np.mean(self._losses):.3f}"
        note += f", COCO apart {np.mean(self._apart):.3f}" if self._apart else ""
        note += f", best mAP50 {self.best:.3f}" if self.best >= 0 else ""
        return Progress("train", self.step, self.settings.steps, left, note)


def rate_at(step: int, settings: FitSettings) -> float:
    """Linear warm-up, then half a cosine down to 2 % of the rate."""
    if step < WARM_UP:
        return settings.rate * (step + 1) / WARM_UP
    share = (step - WARM_UP) / max(settings.steps - WARM_UP, 1)
    return settings.rate * (0.02 + 0.98 * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


def _optimiser(network: StreetNetwork) -> torch.optim.Optimizer:
    """AdamW; biases and norms are not decayed; each part moves at its own pace. The stem is in no group."""
    network.trunk.body[:STEM_LAYERS].requires_grad_(False)
    parts = (
        (network.trunk.trainable(), TRUNK_PACE),
        (list(network.coco.parameters()), COCO_PACE),
        (list(network.street.parameters()), 1.0),
    )
    groups: list[dict[str, Any]] = []
    for values, pace in parts:
        groups.append({"params": [value for value in values if value.ndim > 1], "pace": pace, "weight_decay": 5e-4})
        groups.append({"params": [value for value in values if value.ndim <= 1], "pace": pace, "weight_decay": 0.0})
    return torch.optim.AdamW(groups)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _blend(average: nn.Module, current: nn.Module, decay: float) -> None:
    fresh = current.state_dict()
    for name, value in average.state_dict().items():
        if value.dtype.is_floating_point:
            value.mul_(decay).add_(fresh[name], alpha=1 - decay)
        else:
            value.copy_(fresh[name])
