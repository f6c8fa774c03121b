"""The pipeline people use today, on the same cameras: every stream open and decoded, five frames a second inferred.

Also the referee: what the detector and the rules make of every single picture the cameras can show, which is what a
dense pipeline without limits would find.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from detect.detector import Detector
from detect.observer import Observer
from detect.thresholds import threshold_of
from gridwarden.bench.errand import Errand
from gridwarden.bench.finds import Told
from gridwarden.bench.served.script import Served, timetable, watched
from gridwarden.bench.served.views import Pictures, Views
from gridwarden.detectors import warm_detector
from models.ids import CameraId, NodeId
from models.observations import Observation
from models.pictures import Detections, Image, Look
from models.taxonomy import load_taxonomy

log = logging.getLogger(__name__)

NODE = NodeId("dense")

FPS = 5.0
"""Frames inferred a second and stream: the usual setting of dense pipelines."""

STEP_S = 2.0
"""The referee's looks: closer together finds nothing more, because a served scene has a picture a second."""


@dataclass(slots=True)
class DenseFigures:
    """frames: inferred; decoded: decoded; cpu_s: of the process alone."""

    cameras: int
    seconds: float
    decoded: int
    frames: int
    cpu_s: float
    told: list[Told]


@dataclass(slots=True)
class _Newest:
    image: Image | None = None
    decoded: int = 0


def start(errand: Errand) -> tuple[Any, Connection]:
    """The process and its pipe: it says whether every stream gave a frame, is told when the timetable began, and
    answers with `DenseFigures`. The errand's addresses are all RTSP.
    """
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(theirs, errand), name="dense", daemon=True)
    process.start()
    theirs.close()
    return process, mine


def referee(
    count: int, seconds: float, *, footage: Path, detector: Detector, tick: Callable[[int], None]
) -> list[Told]:
    """Every camera with a change over the whole timetable, each picture inferred once. Only snapshot cameras."""
    views = Views(footage)
    some = [served for served in timetable(count, seconds) if served.change is not None and not served.rtsp]
    tellings: list[Told] = []
    for number, served in enumerate(some):
        tick(number)
        tellings += _judged(served, views.pictures(served), seconds=seconds, detector=detector)
    return tellings


def _judged(served: Served, pictures: Pictures, *, seconds: float, detector: Detector) -> list[Told]:
    observer = _observer([served], {served.camera_id: ""}, detector, seconds)
    seen: dict[bytes, tuple[Image, Detections]] = {}
    began = datetime(2026, 1, 1, 4, tzinfo=UTC)
    tellings: list[Told] = []
    for number in range(-8, int(seconds / STEP_S)):
        at_s = number * STEP_S
        shown = pictures.after if served.change is not None and at_s >= served.change.at_s else pictures.before
        data = shown[number % len(shown)]
        if data not in seen:
            image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
            seen[data] = (image, detector.detect([image])[0])
        image, detections = seen[data]
        look = Look(served.camera_id, image, began + timedelta(seconds=at_s), number + 9)
        tellings += [_told(found, began) for found in observer.see(look, detections)]
    return tellings


def _run(pipe: Connection, errand: Errand) -> None:
    detector = warm_detector(errand.weights, cache=errand.cache)
    addresses, seconds = errand.addresses, errand.seconds
    some = [served for served in timetable(errand.cameras, seconds) if served.camera_id in addresses]
    observer = _observer(some, addresses, detector, seconds)
    newest = {camera_id: _Newest() for camera_id in addresses}
    for camera_id, address in addresses.items():
        threading.Thread(target=_read, args=(address, newest[camera_id]), daemon=True).start()
    deadline = time.monotonic() + 30
    while any(one.image is None for one in newest.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    pipe.send(all(one.image is not None for one in newest.values()))
    epoch = pipe.recv()
    pipe.send(_watch(newest, observer, detector, epoch=epoch, seconds=seconds))


def _watch(
    newest: Mapping[CameraId, _Newest], observer: Observer, detector: Detector, *, epoch: float, seconds: float
) -> DenseFigures:
    began, tellings, frames = datetime.fromtimestamp(epoch, UTC), [], 0
    cpu_s, decoded = time.process_time(), sum(one.decoded for one in newest.values())
    due = time.time()
    while time.time() < epoch + seconds:
        batch = [(camera_id, one.image) for camera_id, one in newest.items() if one.image is not None]
        at = datetime.now(UTC)
        for (camera_id, image), found in zip(batch, detector.detect([image for _, image in batch]), strict=True):
            frames += 1
            tellings += [_told(one, began) for one in observer.see(Look(camera_id, image, at, frames), found)]
        due = max(due + 1 / FPS, time.time() - 1)
        time.sleep(max(due - time.time(), 0))
    return DenseFigures(
        cameras=len(newest),
        seconds=seconds,
        decoded=sum(one.decoded for one in newest.values()) - decoded,
        frames=frames,
        cpu_s=time.process_time() - cpu_s,
        told=tellings,
    )


def _read(address: str, newest: _Newest) -> None:
    """Decodes every frame, as a pipeline does that wants any of them."""
    try:
        with av.open(address, options={"rtsp_transport": "tcp"}, timeout=(15, 15)) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for frame in container.decode(video=0):
                newest.image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                newest.decoded += 1
    except (av.FFmpegError, OSError) as error:
        log.warning("a dense stream ended: %s", type(error).__name__)


def _observer(
    some: Sequence[Served], addresses: Mapping[CameraId, str], detector: Detector, seconds: float
) -> Observer:
    observer = Observer(node_id=NODE, taxonomy=load_taxonomy(), names=detector.names, threshold=threshold_of(detector))
    observer.set_cameras(
        [watched(one, addresses[one.camera_id], interval_s=10, seconds=seconds, node_id=NODE) for one in some]
    )
    return observer


def _told(observation: Observation, began: datetime) -> Told:
    return Told(
        observation.camera_id,
        observation.subcategory,
        observation.box,
        (observation.first_seen_at - began).total_seconds(),
    )
