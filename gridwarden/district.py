"""A district file: cells, people, duty roster and cameras of one sub-district, as an operator writes it in TOML.

Outside text enters here, so pydantic reads it; what leaves is `models`. docs/district-file.md teaches the format.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import SettingsError
from models.geometry import Polygon
from models.ids import CameraId, CellId, DepartmentId, NodeId, PersonId, SubcategoryCode
from models.people import Duty, Person, Post, Role
from models.places import Camera, GridCell, Zone, ZoneKind
from models.recipe_figures import read_figures
from models.taxonomy import Taxonomy
from models.text import Text

NODE = NodeId("box")
"""The watch node of a box that does everything itself."""

MOST_BYTES = 32 * 1024 * 1024
"""A district of 1,438 cameras with ten zones each is about 3 MB."""

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


@dataclass(frozen=True, slots=True)
class District:
    """Everything a sub-district is made of. `usernames`: who signs in under which name."""

    name: Text
    cells: tuple[GridCell, ...]
    people: tuple[Person, ...]
    duties: tuple[Duty, ...]
    cameras: tuple[Camera, ...]
    usernames: dict[PersonId, str]


def read_district(path: Path, *, taxonomy: Taxonomy, node_id: NodeId) -> District:
    """Raises SettingsError naming the file, every wrong place in it, and what would be right."""
    return parse_district(_read(path), where=str(path), taxonomy=taxonomy, node_id=node_id)


def parse_district(text: str, *, where: str, taxonomy: Taxonomy, node_id: NodeId) -> District:
    """As `read_district`, from text; `where` names it in errors."""
    try:
        form = _District.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where} is not TOML: {error}") from error
    except ValidationError as error:
        raise SettingsError(_explain(where, error)) from error
    if problems := list(_contradictions(form, taxonomy)):
        raise SettingsError(f"{where}:\n" + "\n".join(f"  {problem}" for problem in problems))
    return form.district_of(node_id)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Names(_Form):
    zh: Name
    en: Name


class _Cell(_Form):
    id: Identifier
    code: Name
    name: Name
    boundary: Annotated[list[tuple[Longitude, Latitude]], Field(min_length=3, max_length=5000)]

    def cell(self) -> GridCell:
        return GridCell(CellId(self.id), self.code, self.name, Polygon(tuple(self.boundary)))


class _Person(_Form):
    id: Identifier
    name: Name
    username: Identifier
    role: Role
    department: Identifier
    cells: list[Identifier] = []

    def person(self) -> Person:
        cells = tuple(CellId(cell) for cell in self.cells)
        return Person(PersonId(self.id), self.name, self.role, DepartmentId(self.department), cells)


class _Duty(_Form):
    cell: Identifier
    person: Identifier
    post: Post
    department: Identifier | None = None
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = [0, 1, 2, 3, 4, 5, 6]
    starts: time = time(0)
    ends: time = time(0)

    def duty(self) -> Duty:
        return Duty(
            cell_id=CellId(self.cell),
            person_id=PersonId(self.person),
            post=self.post,
            department_id=None if self.department is None else DepartmentId(self.department),
            weekdays=tuple(self.weekdays),
            starts=self.starts,
            ends=self.ends,
        )


class _Zone(_Form):
    name: Name
    kind: ZoneKind
    polygon: Annotated[list[tuple[Fraction, Fraction]], Field(min_length=3, max_length=200)]

    def zone(self) -> Zone:
        return Zone(self.name, self.kind, Polygon(tuple(self.polygon)))


class _Camera(_Form):
    id: Identifier
    name: Name
    source: Annotated[str, Field(min_length=1, max_length=2000)]
    position: tuple[Longitude, Latitude]
    bearing_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    max_interval_s: Annotated[float, Field(ge=0.2, le=3600)] = 10.0
    continuous: bool = False
    zone: list[_Zone] = []
    overrides: dict[str, dict[str, Any]] = {}

    def camera(self, node_id: NodeId) -> Camera:
        return Camera(
            camera_id=CameraId(self.id),
            name=self.name,
            source=self.source,
            position=self.position,
            node_id=node_id,
            zones=tuple(zone.zone() for zone in self.zone),
            bearing_deg=self.bearing_deg,
            max_interval_s=self.max_interval_s,
            continuous=self.continuous,
            overrides={SubcategoryCode(code): read_figures(values) for code, values in self.overrides.items()},
        )


class _District(_Form):
    district: _Names
    cell: Annotated[list[_Cell], Field(min_length=1)]
    person: list[_Person] = []
    duty: list[_Duty] = []
    camera: list[_Camera] = []

    def district_of(self, node_id: NodeId) -> District:
        return District(
            name=Text(self.district.zh, self.district.en),
            cells=tuple(cell.cell() for cell in self.cell),
            people=tuple(person.person() for person in self.person),
            duties=tuple(duty.duty() for duty in self.duty),
            cameras=tuple(camera.camera(node_id) for camera in self.camera),
            usernames={PersonId(person.id): person.username for person in self.person},
        )


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{path} is larger than {MOST_BYTES // 2**20} MiB; is it a district file?")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"The district file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The district file {path} is not UTF-8 text (byte {error.start}).") from error


def _explain(where: str, error: ValidationError) -> str:
    lines = [f"  {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return f"{where} has {len(lines)} wrong place{'s' if len(lines) > 1 else ''}:\n" + "\n".join(lines)


def _contradictions(form: _District, taxonomy: Taxonomy) -> Iterable[str]:
    """What is well-formed but cannot be: ids used twice, names of things that are not there."""
    cells = {cell.id for cell in form.cell}
    people = {person.id for person in form.person}
    departments = set(taxonomy.departments)
    yield from _twice("cell", [cell.id for cell in form.cell])
    yield from _twice("person", [person.id for person in form.person])
    yield from _twice("username", [person.username for person in form.person])
    yield from _twice("camera", [camera.id for camera in form.camera])
    for person in form.person:
        yield from _unknown(f"person {person.id}: department", [person.department], departments)
        yield from _unknown(f"person {person.id}: cell", person.cells, cells)
    for duty in form.duty:
        yield from _unknown("duty: cell", [duty.cell], cells)
        yield from _unknown("duty: person", [duty.person], people)
        yield from _unknown("duty: department", [duty.department] if duty.department else [], departments)
    for camera in form.camera:
        yield from _wrong_overrides(camera, taxonomy)


def _twice(what: str, ids: list[str]) -> Iterable[str]:
    return (
        f"{what} {name} is there {times} times; it must be unique" for name, times in Counter(ids).items() if times > 1
    )


def _unknown(what: str, names: Iterable[str], known: set[str] | set[DepartmentId]) -> Iterable[str]:
    choices = ", ".join(sorted(known)[:20])
    return (f"{what} {name} does not exist; there are: {choices}" for name in names if name not in known)


def _wrong_overrides(camera: _Camera, taxonomy: Taxonomy) -> Iterable[str]:
    for code, values in camera.overrides.items():
        subcategory = taxonomy.subcategories.get(SubcategoryCode(code))
        if subcategory is None or subcategory.recipe is None:
            yield f"camera {camera.id}: overrides.{code}: no subcategory with a recipe has this code"
            continue
        try:
            subcategory.recipe.overridden(read_figures(values))
        except ValueError as error:
            yield f"camera {camera.id}: overrides.{code}: {error}"
