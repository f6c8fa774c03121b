"""A whole sub-district on one small box, measured: served cameras, the product's own path, and the dense pipeline."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gridwarden.bench import dense, watcher
from gridwarden.bench.dense import DenseFigures
from gridwarden.bench.errand import Errand
from gridwarden.bench.finds import Recall, recall
from gridwarden.bench.served.script import Served, changed, timetable
from gridwarden.bench.served.server import ServedDistrict
from gridwarden.bench.watcher import WatchedFigures
from gridwarden.demo.footage import Say, fetch
from gridwarden.detectors import warm_detector
from models.ids import CameraId

DENSE_PER_CORE = 4
"""Streams the dense pipeline can hold on a core: 5 inferences a second of 30 ms and 10 frames decoded."""

LEAD_S = 1.0
"""The timetable begins this long after everybody was told."""


@dataclass(frozen=True, slots=True)
class LooksSettings:
    """dense_cameras: how many the baseline takes, 0 leaves it out; with_referee: every served picture is inferred."""

    cameras: int
    seconds: float
    interval_s: float
    footage: Path
    weights: Path | None = None
    dense_cameras: int | None = None
    with_referee: bool = True


@dataclass(frozen=True, slots=True)
class LooksFigures:
    """All that was measured; `to_json` is what is printed."""

    settings: LooksSettings
    district: list[Served]
    watched: WatchedFigures
    serving_cpu_s: float
    dense: DenseFigures | None
    dense_ids: list[CameraId]
    referee: Recall | None

    def to_json(self) -> dict[str, Any]:
        watched, changes = self.watched, changed(self.district)
        found = recall(watched.told, changes)
        looks = sum(len(times) for times in watched.looked_at.values())
        hours = len(self.district) * watched.seconds / 3600
        gaps = intervals(watched.looked_at, [served.camera_id for served in self.district], watched.seconds)
        per_look, quiet = self._costs(looks)
        inferred = sum(watched.inferred.values())
        figures: dict[str, Any] = {
            "cameras": len(self.district),
            "seconds": watched.seconds,
            "looks": looks,
            "looks_per_s": round(looks / watched.seconds, 1),
            "interval_s": {
                "p50": round(float(np.percentile(gaps, 50)), 2),
                "p95": round(float(np.percentile(gaps, 95)), 2),
                "max": round(max(gaps), 2),
            },
            "starved": sum(not times for times in watched.looked_at.values())
            + len(self.district) - len(watched.looked_at),
            "start_to_all_looked_at_s": watched.start_s and round(watched.start_s, 1),
            "cpu_s_per_look": round(watched.cpu_s / max(looks, 1), 5),
            "cpu_s_per_camera_hour": round(watched.cpu_s / hours, 2),
            "cpu_cores": round(watched.cpu_s / watched.seconds, 3),
            "cpu_s_per_look_without_inference": round(per_look, 5),
            "cpu_s_per_inference": round(watched.inference_s, 4),
            "one_more_quiet_camera": round(quiet / (watched.cpu_s / hours), 3) if watched.cpu_s else None,
            "inferred": inferred,
            "gated_share": round(1 - inferred / max(looks, 1), 4),
            "rss_mb": round(watched.rss_mb),
            "counters": {name: value for name, value in sorted(watched.counters.items()) if value},
            "scripted": len(found.scripted),
            "recall": _rounded(found.share),
            "missed": len(found.scripted) - len(found.found),
            "unscripted": found.unscripted,
            "serving_cpu_cores": round(self.serving_cpu_s / watched.seconds, 3),
            "machine_load": round(os.getloadavg()[0], 2),
        }  # fmt: skip
        if self.referee is not None:
            figures["every_picture"] = self._beside_referee(found, self.referee)
        if self.dense is not None:
            figures["baseline"] = self._baseline(self.dense, found, figures["cpu_s_per_camera_hour"])
        return figures

    def _costs(self, looks: int) -> tuple[float, float]:
        """CPU-seconds of a look without inference, and of one more quiet camera for an hour."""
        watched = self.watched
        spent = watched.cpu_s - sum(watched.inferred.values()) * watched.inference_s
        per_look = max(spent, 0.0) / max(looks, 1)
        quiet = [served.camera_id for served in self.district if not served.busy and served.change is None]
        if not quiet:
            return per_look, 0.0
        hours = len(quiet) * watched.seconds / 3600
        asked = sum(len(watched.looked_at.get(camera_id, ())) for camera_id in quiet)
        inferred = sum(watched.inferred.get(camera_id, 0) for camera_id in quiet)
        return per_look, (asked * per_look + inferred * watched.inference_s) / hours

    def _beside_referee(self, found: Recall, referee: Recall) -> dict[str, Any]:
        """The snapshot cameras only, which the referee judged picture by picture."""
        same = found.among(referee.scripted)
        both = same.found & referee.found
        return {
            "scripted": len(referee.scripted),
            "recall": _rounded(referee.share),
            "looks_recall": _rounded(same.share),
            "of_those_found": _rounded(len(both) / len(referee.found) if referee.found else None),
            "unscripted": referee.unscripted,
        }

    def _baseline(self, figures: DenseFigures, found: Recall, own_cost: float) -> dict[str, Any]:
        hours = figures.cameras * figures.seconds / 3600
        changes = {camera: change for camera, change in changed(self.district).items() if camera in self.dense_ids}
        seen = recall(figures.told, changes)
        cost = figures.cpu_s / hours
        return {
            "pipeline": "every stream open and decoded (PyAV), 5 frames/s through the product's own OpenVINO detector",
            "cameras": figures.cameras,
            "frames_per_s": round(figures.frames / figures.seconds / figures.cameras, 2),
            "decoded_per_s": round(figures.decoded / figures.seconds / figures.cameras, 2),
            "cpu_s_per_look": round(figures.cpu_s / max(figures.frames, 1), 5),
            "cpu_s_per_camera_hour": round(cost, 1),
            "times_cheaper": round(cost / own_cost, 1) if own_cost else None,
            "recall": _rounded(seen.share),
            "looks_recall": _rounded(found.among(changes).share),
            "unscripted": seen.unscripted,
        }


def intervals(looked_at: Mapping[CameraId, list[float]], cameras: list[CameraId], seconds: float) -> list[float]:
    """Times between looks of one camera, the wait before its first and after its last counted as well when longer than
    what is usual, so that a camera that is no longer looked at cannot hide.

    >>> intervals({"a": [2.0, 10.0], "b": []}, ["a", "b"], 20.0)
    [8.0, 10.0, 20.0]
    """
    gaps: list[float] = []
    for camera in cameras:
        times = sorted(looked_at.get(camera, []))
        if not times:
            gaps.append(seconds)
            continue
        between = [later - earlier for earlier, later in itertools.pairwise(times)]
        gaps += between
        gaps += [gap for gap in (times[0], seconds - times[-1]) if gap > max(between, default=0.0)]
    return gaps


def measure(settings: LooksSettings, *, say: Say, tick: Callable[[float], None]) -> LooksFigures:
    """Some minutes: painting and serving the cameras, watching them, the baseline, the referee."""
    fetch(settings.footage, say=say)
    cache = settings.footage.parent / "compiled"
    warm_detector(settings.weights, cache=cache).close()
    district = timetable(settings.cameras, settings.seconds)
    say(f"painting and serving {settings.cameras} cameras")
    with ServedDistrict(settings.cameras, settings.seconds, footage=settings.footage) as served:
        served.wait_ready()
        say("watching them: first looks")
        watched, serving_cpu_s = _watched(served, settings, cache, say=say, tick=tick)
        dense_ids = _dense_ids(district, settings)
        figures = _dense(served, dense_ids, settings, cache, say=say) if dense_ids else None
    return LooksFigures(
        settings=settings,
        district=district,
        watched=watched,
        serving_cpu_s=serving_cpu_s,
        dense=figures,
        dense_ids=dense_ids,
        referee=_referee(district, settings, cache, say=say) if settings.with_referee else None,
    )


def _watched(
    served: ServedDistrict, settings: LooksSettings, cache: Path, *, say: Say, tick: Callable[[float], None]
) -> tuple[WatchedFigures, float]:
    process, pipe = watcher.start(_errand(settings, served.addresses, cache))
    try:
        start_s = pipe.recv()
        say("not every camera was reached" if start_s is None else f"all looked at after {start_s:.1f} s; measuring")
        epoch, cpu_s = time.time() + LEAD_S, served.cpu_s()
        served.begin(epoch)
        pipe.send(epoch)
        while not pipe.poll(1):
            tick(min(max(time.time() - epoch, 0.0), settings.seconds))
        figures: WatchedFigures = pipe.recv()
        return figures, served.cpu_s() - cpu_s
    finally:
        _end(process)


def _dense_ids(district: list[Served], settings: LooksSettings) -> list[CameraId]:
    wanted = settings.dense_cameras
    if wanted is None:
        wanted = DENSE_PER_CORE * (os.cpu_count() or 1)
    return [served.camera_id for served in district if served.rtsp][:wanted]


def _dense(
    served: ServedDistrict, ids: list[CameraId], settings: LooksSettings, cache: Path, *, say: Say
) -> DenseFigures:
    say(f"the dense pipeline on {len(ids)} of them")
    served.begin(float("inf"))
    own = {camera_id: served.addresses[camera_id] for camera_id in ids}
    process, pipe = dense.start(_errand(settings, own, cache))
    try:
        if not pipe.recv():
            say("some of its streams gave no frame")
        epoch = time.time() + LEAD_S
        served.begin(epoch)
        pipe.send(epoch)
        figures: DenseFigures = pipe.recv()
        return figures
    finally:
        _end(process)


def _referee(district: list[Served], settings: LooksSettings, cache: Path, *, say: Say) -> Recall:
    say("the referee: every picture of every changed camera through the detector")
    detector = warm_detector(settings.weights, cache=cache)
    try:
        tellings = dense.referee(
            settings.cameras, settings.seconds, footage=settings.footage, detector=detector, tick=lambda _: None
        )
    finally:
        detector.close()
    snapshots = {served.camera_id: served.change for served in district if served.change and not served.rtsp}
    return recall(tellings, snapshots)


def _errand(settings: LooksSettings, addresses: Mapping[CameraId, str], cache: Path) -> Errand:
    return Errand(
        addresses=dict(addresses),
        cameras=settings.cameras,
        seconds=settings.seconds,
        interval_s=settings.interval_s,
        weights=settings.weights,
        cache=cache,
    )


def _end(process: Any) -> None:
    process.join(timeout=10)
    if process.is_alive():
        process.kill()
        process.join()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
