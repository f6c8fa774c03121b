"""Grid cells from a GeoJSON file, as a city's survey office hands them over. Reads; decides nothing about the map."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import PayloadError
from models.geometry import Polygon
from models.ids import CellId
from models.places import GridCell

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes. A sub-district of a thousand micro-grids with a hundred corners each is 4 MB."""

MOST_CORNERS = 10_000
"""Of one ring; a cell drawn finer than that was exported by mistake."""

LONGEST = 120
"""Characters of an id, code or name."""

ID_KEYS = ("cell_id", "id", "网格编号", "编号")
CODE_KEYS = ("code", "网格代码", "代码")
NAME_KEYS = ("name", "网格名称", "名称")
PARENT_KEYS = ("parent_id", "parent", "上级网格", "上级")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that must be put right before the cell can be used. where: the feature, counted from 1."""

    where: str
    wrong: str
    fix: str


@dataclass(frozen=True, slots=True)
class CellFile:
    cells: tuple[GridCell, ...]
    faults: tuple[Fault, ...]
    features: int


def read_cell_file(path: Path) -> CellFile:
    """Raises PayloadError when it is no GeoJSON at all."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PayloadError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: export the grid cells only")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PayloadError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PayloadError(f"{path} is not UTF-8: GeoJSON always is; export it again") from error
    return parse_cells(text, where=str(path))


def parse_cells(text: str, *, where: str) -> CellFile:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise PayloadError(f"{where} is no JSON: {error}") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise PayloadError(f"{where} is no GeoJSON FeatureCollection: export the grid layer as one")
    if crs := _foreign_crs(document):
        raise PayloadError(f"{where} is in {crs}: GeoJSON is WGS 84 longitude and latitude; convert it first")
    cells: list[GridCell] = []
    faults: list[Fault] = []
    for number, feature in enumerate(features, 1):
        try:
            cells.append(_cell(feature))
        except _WrongError as error:
            faults.append(Fault(f"{number}", error.wrong, error.fix))
    faults += _twice(cells)
    return CellFile(tuple(cells), tuple(faults), len(features))


class _WrongError(Exception):
    def __init__(self, wrong: str, fix: str) -> None:
        super().__init__(wrong)
        self.wrong, self.fix = wrong, fix


def _cell(feature: Any) -> GridCell:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise _WrongError("no properties or no geometry", "export features with both")
    top = {"id": feature["id"]} if "id" in feature else {}
    cell_id = _text(properties | top, ID_KEYS) or _text(properties, CODE_KEYS)
    if not cell_id:
        raise _WrongError("no id", f"give the property {ID_KEYS[0]} (or {', '.join(ID_KEYS[1:])})")
    rings = [_ring(ring) for ring in _rings(geometry)]
    return GridCell(
        CellId(cell_id),
        _text(properties, CODE_KEYS) or cell_id,
        _text(properties, NAME_KEYS) or cell_id,
        rings[0],
        parent_id=CellId(parent) if (parent := _text(properties, PARENT_KEYS)) else None,
        holes=tuple(rings[1:]),
    )


def _text(properties: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = properties.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:LONGEST]
    return ""


def _rings(geometry: Mapping[str, Any]) -> list[Any]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "MultiPolygon" and isinstance(coordinates, list):
        if len(coordinates) != 1:
            raise _WrongError(f"{len(coordinates)} separate pieces", "make each piece a cell with the same parent")
        kind, coordinates = "Polygon", coordinates[0]
    if kind != "Polygon" or not isinstance(coordinates, list) or not coordinates:
        raise _WrongError(f"geometry is {kind}", "draw the cell as a Polygon")
    return coordinates


def _ring(ring: Any) -> Polygon:
    if not isinstance(ring, list) or not 4 <= len(ring) <= MOST_CORNERS or ring[0] != ring[-1]:
        raise _WrongError("a ring is not closed or has too few corners", "end it where it began, 3 corners or more")
    corners = tuple(_corner(corner) for corner in ring[:-1])
    try:
        return Polygon(corners)
    except ValueError as error:
        raise _WrongError(f"a ring cannot be used: {error}", "draw it again") from error


def _corner(corner: Any) -> tuple[float, float]:
    match corner:
        case [int() | float() as x, int() | float() as y, *_] if math.isfinite(x) and math.isfinite(y):
            if abs(x) <= 180 and abs(y) <= 90:
                return (float(x), float(y))
            raise _WrongError(f"({x}, {y}) is no longitude and latitude", "convert the file to WGS 84 degrees")
    raise _WrongError("a corner is not [longitude, latitude]", "export it again")


def _foreign_crs(document: Mapping[str, Any]) -> str:
    """Old GeoJSON may name its system; the two names of WGS 84 are the only ones this reads."""
    crs = document.get("crs")
    name = crs.get("properties", {}).get("name", "") if isinstance(crs, dict) else ""
    return "" if not name or str(name).endswith(("CRS84", ":4326")) else str(name)


def _twice(cells: list[GridCell]) -> list[Fault]:
    seen: set[str] = set()
    again = [cell.cell_id for cell in cells if cell.cell_id in seen or seen.add(cell.cell_id)]  # type: ignore[func-returns-value]
    return [Fault(cell_id, f"the id {cell_id} is there twice", "give each cell its own id") for cell_id in again]
