"""`gridwarden detect`: what the detector sees in pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from detect.backends.opening import open_detector
from detect.drawing import drawn
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.detectors import WeightsOption
from ingest.decode import decode_picture, encode_jpeg
from models.errors import GridwardenError, SettingsError, SourceError
from models.pictures import Detection, Detections, Image

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def detect(
    pictures: Annotated[list[Path], typer.Argument(metavar="IMAGE…|DIR", help="Picture files, or folders of them.")],
    save: Annotated[Path | None, typer.Option(help="Write pictures with boxes into this folder.")] = None,
    least_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Instead of the thresholds the weights came with.")
    ] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """Show what is seen in pictures. A picture that cannot be read is named and the rest goes on; exit code 1 then."""
    files = list(_files(pictures))
    if save is not None:
        _make(save)
    detector = open_detector(weights, least_score=least_score)
    unreadable = 0
    for file in files:
        try:
            image = decode_picture(_read(file), what=str(file))
        except SourceError as error:
            say(f"gridwarden: {error}")
            unreadable += 1
            continue
        seen = detector.detect([image])[0]
        _tell(file, seen, json=json)
        if save is not None:
            _save(save / f"{file.stem}.jpg", image, seen)
    if unreadable:
        raise GridwardenError(f"{unreadable} of {len(files)} pictures could not be read; they are named above.")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise SettingsError(f"{path} does not exist.")
        if path.is_file():
            yield path
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        if not inside:
            raise SettingsError(f"{path} holds no pictures ({', '.join(sorted(PICTURES))}).")
        yield from inside


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror}.", reason="missing") from error


def _tell(file: Path, seen: Detections, *, json: bool) -> None:
    if json:
        print_json({"image": str(file), "detections": [_row(one) for one in seen]})
        return
    words = ", ".join(f"{one.name} {one.score:.2f}" for one in seen) or "nothing"
    out.print(f"{file}: {words}", markup=False)


def _row(one: Detection) -> dict[str, Any]:
    return {"class": one.name, "box": [round(value, 4) for value in one.box.xyxy], "confidence": round(one.score, 4)}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be made: {error.strerror}. Choose another folder with --save.") from error


def _save(path: Path, image: Image, seen: Detections) -> None:
    path.write_bytes(encode_jpeg(drawn(image, seen)))
