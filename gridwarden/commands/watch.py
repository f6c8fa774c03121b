"""`gridwarden watch`: look at cameras and print what would be reported; nothing is stored or sent."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from detect.backends.opening import open_detector
from detect.detector import Detector
from detect.memory import KEEP_SCORE
from detect.observer import Observer
from detect.thresholds import threshold_of
from gridwarden.box import until_stopped
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.detectors import WeightsOption, chosen_weights
from gridwarden.district import NODE
from gridwarden.own_camera import own_camera
from ingest.fleet import Fleet
from models.clock import SystemClock
from models.observations import Observation
from models.places import Camera, CameraCondition
from models.taxonomy import Taxonomy, load_taxonomy
from models.wire import moment

NOWHERE = (0.0, 0.0)
"""These cameras are on no map."""


def watch(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE…", help="Videos, folders, rtsp:// or http:// URLs.")],
    seconds: Annotated[float | None, typer.Option(min=1, help="Stop after this long.")] = None,
    weights: WeightsOption = None,
    data: Annotated[Path, typer.Option(help="Whose weights in use to take, as `up` does.")] = Path("var/gridwarden"),
    json: JsonOption = False,
) -> None:
    """Look at cameras and print a line per observation. The whole picture counts as footway, no-parking and
    gathering zone, and limits are seconds instead of minutes; draw zones in a district file for real work."""
    cameras = [own_camera(number, source, position=NOWHERE) for number, source in enumerate(sources, start=1)]
    detector = open_detector(chosen_weights(weights, data=data), least_score=KEEP_SCORE)
    asyncio.run(_watch(cameras, detector, load_taxonomy(), seconds=seconds, json=json))


async def _watch(
    cameras: list[Camera], detector: Detector, taxonomy: Taxonomy, *, seconds: float | None, json: bool
) -> None:
    fleet = Fleet(clock=SystemClock(), allow_private=True)
    fleet.set_cameras(cameras)
    observer = Observer(node_id=NODE, taxonomy=taxonomy, names=detector.names, threshold=threshold_of(detector))
    observer.set_cameras(cameras)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            parts = [
                group.create_task(fleet.run()),
                group.create_task(_observe(fleet, detector, observer, taxonomy, json=json)),
                group.create_task(_tell_trouble(fleet)),
            ]
            await until_stopped()
            for part in parts:
                part.cancel()


async def _observe(fleet: Fleet, detector: Detector, observer: Observer, taxonomy: Taxonomy, *, json: bool) -> None:
    async for look in fleet.looks():
        (seen,) = await asyncio.to_thread(detector.detect, [look.image])
        for observation in observer.see(look, seen):
            if json:
                print_json(_line(observation))
            else:
                subcategory = taxonomy.subcategories[observation.subcategory]
                when = f"{observation.captured_at.astimezone():%H:%M:%S}"
                out.print(
                    f"{when} {observation.camera_id} {observation.subcategory} {subcategory.zh} · {subcategory.en}: "
                    f"{observation.why.zh} / {observation.why.en}",
                    markup=False,
                )


async def _tell_trouble(fleet: Fleet) -> None:
    """Says once per outage why a camera gives no pictures; the others go on."""
    told: set[str] = set()
    while True:
        await asyncio.sleep(0.5)
        for state in fleet.states():
            offline = state.condition is CameraCondition.OFFLINE
            if offline and state.camera_id not in told:
                say(f"{state.camera_id}: {state.message}")
                told.add(state.camera_id)
            elif not offline:
                told.discard(state.camera_id)


def _line(observation: Observation) -> dict[str, Any]:
    return {
        "camera": observation.camera_id,
        "subcategory": observation.subcategory,
        "captured_at": moment(observation.captured_at),
        "box": [round(value, 4) for value in observation.box.xyxy],
        "confidence": round(observation.confidence, 4),
        "why": {"zh": observation.why.zh, "en": observation.why.en},
        "key": observation.key,
    }
