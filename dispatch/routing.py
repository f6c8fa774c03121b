"""To whom: the cell under the place, then its roster, its leader, the command centre. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from dispatch.city import CityRules
from dispatch.roster import on_duty
from dispatch.sightlines import CameraPlace, neighbours
from models.geometry import Point
from models.ids import CameraId, CellId, DepartmentId, PersonId
from models.people import Duty, Person, Post, Role
from models.places import GridCell

CENTRE = (Role.OPERATOR, Role.ADMINISTRATOR)
"""Who takes what nobody else has: the monitoring room, then whoever runs the installation."""


@dataclass(frozen=True)
class Directory:
    """The people and places routing chooses among, the same throughout one decision."""

    cells: Sequence[GridCell]
    people: Sequence[Person]
    duties: Sequence[Duty]
    cameras: Sequence[CameraPlace] = ()
    city: CityRules = field(default_factory=CityRules)

    @cached_property
    def cell_by_id(self) -> Mapping[str, GridCell]:
        return {cell.cell_id: cell for cell in self.cells}

    @cached_property
    def person_by_id(self) -> Mapping[str, Person]:
        return {person.person_id: person for person in self.people}

    @cached_property
    def camera_by_id(self) -> Mapping[str, CameraPlace]:
        return {camera.camera_id: camera for camera in self.cameras}

    @cached_property
    def neighbours(self) -> Mapping[str, tuple[CameraId, ...]]:
        """Cameras whose pictures may show the same ground, by camera; each its own neighbour."""
        return neighbours(self.cameras)

    def chain(self, cell_id: CellId | None) -> list[CellId]:
        """The cell, the one it is a part of, and so on up; a loop in the data ends it."""
        chain: list[CellId] = []
        while cell_id is not None and cell_id in self.cell_by_id and cell_id not in chain:
            chain.append(cell_id)
            cell_id = self.cell_by_id[cell_id].parent_id
        return chain


def cell_at(position: Point, cells: Iterable[GridCell]) -> GridCell | None:
    """The smallest cell around the place, so that a micro-grid wins over the cell it lies in."""
    around = [cell for cell in cells if cell.contains(position)]
    return min(around, key=lambda cell: (_area(cell), cell.cell_id), default=None)


def line_of_duty(
    directory: Directory, *, cell_id: CellId | None, department_id: DepartmentId, at: datetime
) -> list[PersonId]:
    """Everybody who may be asked, in order: the cell's roster and leader, those of the cells it is a part of, and
    last the command centre. Whoever is away is left out; who stands in for them is asked in their place."""
    asked: dict[PersonId, None] = {}
    for cell in directory.chain(cell_id):
        for _, person_id in on_duty(directory.duties, cell_id=cell, department_id=department_id, at=at):
            asked.setdefault(person_id)
        for person in directory.people:
            if person.role is Role.LEADER and cell in person.cells:
                asked.setdefault(person.person_id)
    for person_id in centre(directory):
        asked.setdefault(person_id)
    return present(directory, asked, at=at)


def leaders(directory: Directory, *, cell_id: CellId | None, at: datetime) -> list[PersonId]:
    """The line of those who answer for the work of others: leaders of the cell, of those above, the command centre."""
    chain = directory.chain(cell_id)
    above = [p.person_id for cell in chain for p in directory.people if p.role is Role.LEADER and cell in p.cells]
    posted = [d.person_id for cell in chain for d in directory.duties if d.cell_id == cell and d.post is Post.LEADER]
    return present(directory, dict.fromkeys([*posted, *above, *centre(directory)]), at=at)


def department_line(
    directory: Directory, *, cell_id: CellId | None, department_id: DepartmentId, at: datetime
) -> list[PersonId]:
    """A further department's own queue: its people on duty there, then any of its people who may go there."""
    chain = directory.chain(cell_id)
    members = [p for p in directory.people if p.department_id == department_id and p.role in (Role.WORKER, Role.LEADER)]
    ids = {person.person_id for person in members}
    asked: dict[PersonId, None] = {}
    for cell in chain:
        for _, person_id in on_duty(directory.duties, cell_id=cell, department_id=department_id, at=at):
            if person_id in ids:
                asked.setdefault(person_id)
    for person in members:
        if not person.cells or set(person.cells) & set(chain):
            asked.setdefault(person.person_id)
    return present(
        directory, [*asked, *(person.person_id for person in members if person.person_id not in asked)], at=at
    )


def present(directory: Directory, people: Iterable[PersonId], *, at: datetime) -> list[PersonId]:
    """Those who are there, each once; a substitute who is away too is left out."""
    found: dict[PersonId, None] = {}
    for person_id in people:
        leave = directory.city.away(person_id, at)
        asked = person_id if leave is None else leave.substitute_id
        if asked is not None and (leave is None or directory.city.away(asked, at) is None):
            found.setdefault(asked)
    return list(found)


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
