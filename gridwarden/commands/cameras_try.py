"""`gridwarden cameras test`: try one camera, and say what was tried and what answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from gridwarden.commands.camera_data import DATA, DataOption, camera_book
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.district import NODE
from ingest.addresses import without_secret
from ingest.decode import encode_jpeg
from ingest.trial import Trial, try_camera
from models.clock import SystemClock
from models.errors import GridwardenError, NotFoundError
from models.ids import CameraId
from models.places import Camera

NOWHERE = (0.0, 0.0)
"""A camera that is only tried is on no map."""

WORDS = {
    "address": "address 地址",
    "name": "name 域名",
    "connect": "connect 连接",
    "picture": "picture 取图",
    "again": "again 再取",
}


def try_one(
    camera: Annotated[str, typer.Argument(metavar="ID|ADDRESS", help="A camera of this box, or any address.")],
    picture: Annotated[Path | None, typer.Option(help="Write what it shows, a JPEG, unmasked.")] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Longest time for each step.")] = 8.0,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Try a camera: address, name, connection, picture, and what a later look costs."""
    tried = _camera(camera, data)
    trial = asyncio.run(try_camera(tried, clock=SystemClock(), allow_private=True, deadline_s=seconds))
    if json:
        print_json(_line(camera, tried, trial))
    else:
        for step in trial.steps:
            mark = "✓" if step.worked else "✗"
            out.print(f"{mark} {WORDS[step.name]:<12} {step.seconds:6.3f} s  {step.said}", markup=False)
    if picture is not None and trial.image is not None:
        picture.write_bytes(encode_jpeg(trial.image))
        say(f"written to {picture}")
    if not trial.worked:
        raise GridwardenError(trial.steps[-1].said)


def _camera(given: str, data: Path) -> Camera:
    """A known id wins over a file of that name."""
    if "://" not in given and (data / "gridwarden.sqlite").exists():
        with camera_book(data) as book:
            try:
                return book.get(given).camera
            except NotFoundError:
                if not Path(given).exists():
                    raise
    return Camera(CameraId("tried"), without_secret(given), given, NOWHERE, NODE)


def _line(given: str, camera: Camera, trial: Trial) -> dict[str, Any]:
    height, width = trial.image.shape[:2] if trial.image is not None else (None, None)
    return {
        "camera": without_secret(given),
        "address": without_secret(camera.source),
        "worked": trial.worked,
        "trouble": trial.trouble.value if trial.trouble else None,
        "width": width,
        "height": height,
        "steps": [
            {"step": step.name, "worked": step.worked, "seconds": round(step.seconds, 4), "said": step.said}
            for step in trial.steps
        ],
    }
