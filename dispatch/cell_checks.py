"""What is wrong with a map of grid cells: crossing outlines, overlaps, gaps and holes, each named with place and size.

A fault makes a cell unusable. A remark is something an operator should know: in an overlap the smaller cell answers,
in a gap nobody on the roster does and the command centre gets the incident.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from dispatch.cell_file import Fault
from models.geometry import Point
from models.places import GridCell

LEAST_M2 = 25.0
"""Smaller overlaps and gaps come from a shared border drawn twice: five metres by five, a handful of paces."""

METRES_A_DEGREE = 111_320.0
"""Of latitude; a sub-district is small enough for a flat map of it."""


class Kind(StrEnum):
    OVERLAP = "overlap"
    GAP = "gap"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Remark:
    """cells: whose it is, for a gap those around it; at: a point inside it; area_m2: how large it is."""

    kind: Kind
    cells: tuple[str, ...]
    area_m2: float
    at: Point

    def __str__(self) -> str:
        place = f"{self.area_m2:,.0f} m² at {self.at[0]:.6f}, {self.at[1]:.6f}"
        names = ", ".join(self.cells)
        match self.kind:
            case Kind.OVERLAP:
                return f"{names} overlap: {place}; the smaller cell gets what happens there"
            case Kind.GAP:
                return f"a gap between {names}: {place}; the cell above or the command centre gets what happens there"
            case Kind.OUTSIDE:
                return f"{self.cells[0]} reaches out of {self.cells[1]}: {place}"


@dataclass(frozen=True, slots=True)
class Findings:
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]


def check_cells(cells: Sequence[GridCell]) -> Findings:
    """Looks at all cells of the district together, those already known included. Pure."""
    shapes: dict[str, BaseGeometry] = {cell.cell_id: _shape(cell) for cell in cells}
    faults = [*_outlines(shapes), *_parents(cells)]
    if faults:
        return Findings(tuple(faults), ())
    level = _Level.of(cells)
    remarks: list[Remark] = []
    children: dict[str | None, list[str]] = defaultdict(list)
    for cell in cells:
        children[cell.parent_id].append(cell.cell_id)
    for parent, names in children.items():
        flat = {name: level.flat(shapes[name]) for name in names}
        whole = level.flat(shapes[parent]) if parent is not None else None
        remarks += [*_overlaps(flat, level), *_gaps(flat, whole, level)]
        if parent is not None and whole is not None:
            remarks += _outside(flat, (parent, whole), level)
    return Findings((), tuple(sorted(remarks, key=lambda one: -one.area_m2)))


@dataclass(frozen=True, slots=True)
class _Level:
    """A flat map in metres around one latitude, and the way back."""

    squeeze: float

    @classmethod
    def of(cls, cells: Sequence[GridCell]) -> _Level:
        latitude = cells[0].boundary.corners[0][1] if cells else 0.0
        return cls(max(math.cos(math.radians(latitude)), 0.01))

    def flat(self, shape: BaseGeometry) -> BaseGeometry:
        scale = np.array([METRES_A_DEGREE * self.squeeze, METRES_A_DEGREE])
        return shapely.transform(shape, lambda corners: corners * scale)

    def remark(self, kind: Kind, cells: Iterable[str], piece: BaseGeometry) -> Remark:
        at = piece.representative_point()
        place = (at.x / (METRES_A_DEGREE * self.squeeze), at.y / METRES_A_DEGREE)
        return Remark(kind, tuple(cells), float(piece.area), place)


def _shape(cell: GridCell) -> BaseGeometry:
    return shapely.Polygon(cell.boundary.corners, [hole.corners for hole in cell.holes])


def _outlines(shapes: Mapping[str, BaseGeometry]) -> list[Fault]:
    return [
        Fault(name, f"its outline is not valid: {shapely.is_valid_reason(shape)}", "draw it without crossing itself")
        for name, shape in shapes.items()
        if not shape.is_valid
    ]


def _parents(cells: Sequence[GridCell]) -> list[Fault]:
    parent: dict[str, str | None] = {cell.cell_id: cell.parent_id for cell in cells}
    faults = []
    for cell in cells:
        if cell.parent_id is not None and cell.parent_id not in parent:
            faults.append(Fault(cell.cell_id, f"its parent {cell.parent_id} is unknown", "add the parent to the file"))
        elif _in_a_loop(cell.cell_id, parent):
            faults.append(Fault(cell.cell_id, "it lies within itself by its parents", "correct the parents"))
    return faults


def _in_a_loop(name: str, parent: Mapping[str, str | None]) -> bool:
    seen: set[str] = set()
    above = parent.get(name)
    while above is not None and above not in seen:
        seen.add(above)
        above = parent.get(above)
    return name in seen


def _overlaps(flat: Mapping[str, BaseGeometry], level: _Level) -> list[Remark]:
    names = list(flat)
    tree = STRtree([flat[name] for name in names])
    remarks = []
    for one, name in enumerate(names):
        for other in sorted(tree.query(flat[name], predicate="intersects")):
            if other > one:
                shared = flat[name].intersection(flat[names[other]])
                remarks += [level.remark(Kind.OVERLAP, (name, names[other]), p) for p in _pieces(shared)]
    return remarks


def _gaps(flat: Mapping[str, BaseGeometry], whole: BaseGeometry | None, level: _Level) -> list[Remark]:
    """Of the parent what no part covers; without a parent what the cells enclose and none of them covers."""
    covered = shapely.union_all(list(flat.values()))
    around = whole if whole is not None else _filled(covered)
    return [
        level.remark(Kind.GAP, [name for name, shape in flat.items() if shape.distance(piece) < 1.0], piece)
        for piece in _pieces(around.difference(covered))
    ]


def _outside(flat: Mapping[str, BaseGeometry], parent: tuple[str, BaseGeometry], level: _Level) -> list[Remark]:
    return [
        level.remark(Kind.OUTSIDE, (name, parent[0]), piece)
        for name, shape in flat.items()
        for piece in _pieces(shape.difference(parent[1]))
    ]


def _filled(shape: BaseGeometry) -> BaseGeometry:
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(shape)])


def _pieces(shape: BaseGeometry) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(shape) if part.area >= LEAST_M2]
