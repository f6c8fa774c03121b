"""Camera lists as districts have them: CSV from a spreadsheet or JSON, Chinese or English headings.

Good rows become cameras, each bad one is told with its row, field, what is wrong and how to put it right; a list of
a thousand cameras with three typing errors is 997 cameras and three sentences.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.camera_row import Fault, RowError, camera_of, known_field
from models.errors import SettingsError
from models.ids import NodeId
from models.places import Camera

MOST_BYTES = 8 * 1024 * 1024
"""20,000 rows of 400 letters; a larger file is a recording or a whole city's export."""

MOST_ROWS = 20_000
"""A hundred times a large recorder fleet; more is split by sub-district anyway."""

MOST_FAULTS = 1000
"""Told one by one; a file whose every row is wrong has one mistake, not twenty thousand."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One good row. given: the camera's fields the row spoke of; the others keep what they had."""

    row: int
    camera: Camera
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class CameraList:
    """rows: those that hold anything. The first row of a CSV file is its headings, so cameras begin at row 2."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    rows: int
    ignored: tuple[str, ...]
    """Headings no field of a camera answers to."""


def read_camera_list(path: Path, *, node_id: NodeId) -> CameraList:
    """Raises SettingsError when the file as a whole cannot be used."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"The camera list {path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise SettingsError(f"The camera list {path} is larger than {MOST_BYTES // 2**20} MiB; split it.")
    return parse_camera_list(data, where=str(path), node_id=node_id)


def parse_camera_list(data: bytes, *, where: str, node_id: NodeId) -> CameraList:
    """As `read_camera_list`, from bytes; `where` names them in errors."""
    text = _decoded(data, where=where)
    rows = _json_rows(text, where=where) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, where=where)
    return _judged(rows, where=where, node_id=node_id)


Row = tuple[int, Mapping[str, Any]]
"""Its number as a person counts it, and its values by heading."""


def _judged(rows: Iterator[Row], *, where: str, node_id: NodeId) -> CameraList:
    entries: list[Entry] = []
    faults: list[Fault] = []
    first_row: dict[str, int] = {}
    ignored: dict[str, None] = {}
    count = 0
    for number, values in rows:
        count += 1
        if count > MOST_ROWS:
            raise SettingsError(f"{where} has more than {MOST_ROWS} cameras; split it.")
        ignored.update((heading, None) for heading in values if known_field(heading) is None)
        try:
            camera, given = camera_of(values, node_id=node_id)
            _check_new(camera, first_row)
        except RowError as error:
            faults += [Fault(number, field, wrong, fix) for field, wrong, fix in error.faults]
            continue
        first_row[camera.camera_id] = number
        entries.append(Entry(number, camera, given))
    return CameraList(tuple(entries), tuple(faults[:MOST_FAULTS]), count, tuple(ignored))


def _check_new(camera: Camera, first_row: Mapping[str, int]) -> None:
    earlier = first_row.get(camera.camera_id)
    if earlier is not None:
        raise RowError([("id", f"{camera.camera_id} is used in row {earlier} already", "give each camera its own id")])


def _decoded(data: bytes, *, where: str) -> str:
    """UTF-8 with or without a mark, else GB18030, as Chinese spreadsheets save."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strictly(data, "utf-16", where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _strictly(data, "gb18030", where=where)
    if "\0" in text:
        raise SettingsError(f"{where} is no text; save the list as CSV (UTF-8 or GB18030) or JSON.")
    return text


def _strictly(data: bytes, encoding: str, *, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{where} is neither UTF-8 nor {encoding.upper()} text (byte {error.start}); "
            "save the list as CSV in UTF-8. An .xlsx file is no CSV."
        ) from None


def _csv_rows(text: str, *, where: str) -> Iterator[Row]:
    head = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t|", key=head.count), strict=True)
    headings: list[str] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if not headings:
                headings = _headings(cells, where=where)
                continue
            yield number, dict(zip(headings, cells, strict=False))
    except csv.Error as error:
        raise SettingsError(f"{where}, line {reader.line_num}: {error}; is a quotation mark left open?") from None
    if not headings:
        raise SettingsError(f"{where} is empty.")


def _headings(cells: list[str], *, where: str) -> list[str]:
    headings = [cell.strip() for cell in cells]
    found = [field for field in map(known_field, headings) if field]
    missing = {"id", "source"} - set(found)
    if missing:
        raise SettingsError(
            f"{where} has no column for {' and '.join(sorted(missing))}. The first row must name the columns, at "
            "least: id (编号), source (地址), longitude (经度), latitude (纬度)."
        )
    twice = sorted({field for field in found if found.count(field) > 1})
    if twice:
        raise SettingsError(f"{where} has two columns for {', '.join(twice)}; leave one of them.")
    return headings


def _json_rows(text: str, *, where: str) -> Iterator[Row]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{where} is not JSON: {error}.") from None
    cameras = value.get("cameras") if isinstance(value, dict) else value
    if not isinstance(cameras, list):
        raise SettingsError(f'{where}: expected a list of cameras, or {{"cameras": [...]}}.')
    for number, camera in enumerate(cameras, start=1):
        yield number, camera if isinstance(camera, dict) else {}
