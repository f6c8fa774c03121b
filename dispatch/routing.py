"""To whom: the cell under the place, then its roster, its leader, the command centre. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from dispatch.roster import on_duty
from models.geometry import Point
from models.ids import CameraId, CellId, DepartmentId, NodeId, PersonId
from models.people import Duty, Person, Role
from models.places import GridCell

CENTRE = (Role.OPERATOR, Role.ADMINISTRATOR)
"""Who takes what nobody else has: the monitoring room, then whoever runs the installation."""


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """What deciding needs to know of a camera: not its address, which may hold a password."""

    camera_id: CameraId
    name: str
    position: Point
    node_id: NodeId


@dataclass(frozen=True)
class Directory:
    """The people and places routing chooses among, the same throughout one decision."""

    cells: Sequence[GridCell]
    people: Sequence[Person]
    duties: Sequence[Duty]
    cameras: Sequence[CameraPlace] = ()

    @cached_property
    def cell_by_id(self) -> Mapping[str, GridCell]:
        return {cell.cell_id: cell for cell in self.cells}

    @cached_property
    def person_by_id(self) -> Mapping[str, Person]:
        return {person.person_id: person for person in self.people}

    @cached_property
    def camera_by_id(self) -> Mapping[str, CameraPlace]:
        return {camera.camera_id: camera for camera in self.cameras}


def cell_at(position: Point, cells: Iterable[GridCell]) -> GridCell | None:
    """The smallest cell around the place, so that a micro-grid wins over the cell it lies in."""
    around = [cell for cell in cells if cell.boundary.contains(position)]
    return min(around, key=lambda cell: (_area(cell), cell.cell_id), default=None)


def line_of_duty(
    directory: Directory, *, cell_id: CellId | None, department_id: DepartmentId, at: datetime
) -> list[PersonId]:
    """Everybody who may be asked, in order; those of the command centre come last."""
    asked: dict[PersonId, None] = {}
    if cell_id is not None:
        for _, person_id in on_duty(directory.duties, cell_id=cell_id, department_id=department_id, at=at):
            asked.setdefault(person_id)
        for person in directory.people:
            if person.role is Role.LEADER and cell_id in person.cells:
                asked.setdefault(person.person_id)
    for person_id in centre(directory):
        asked.setdefault(person_id)
    return list(asked)


def centre(directory: Directory) -> list[PersonId]:
    """The command centre's people, in order; the leaders of all cells where there is no command centre."""
    ranked = [person.person_id for role in CENTRE for person in directory.people if person.role is role]
    return ranked or [person.person_id for person in directory.people if person.role is Role.LEADER]


def choose(line: Sequence[PersonId], *, passed: Container[PersonId]) -> PersonId | None:
    """The first in line who has not been passed over; None when all have."""
    return next((person for person in line if person not in passed), None)


def _area(cell: GridCell) -> float:
    """Shoelace formula, in square degrees: only compared, never shown."""
    corners = cell.boundary.corners
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
