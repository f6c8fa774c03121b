"""Words and places of a district: taxonomy, cells, departments, people."""

from __future__ import annotations

from dashboard.schemas.base import Out, Position, TextOut
from models.people import Role
from models.taxonomy import SeenBy


class SubcategoryOut(Out):
    code: str
    zh: str
    en: str
    national_code: str | None
    limit: str
    department: str
    seen_by: SeenBy


class CategoryOut(Out):
    code: str
    zh: str
    en: str
    subcategories: list[SubcategoryOut]


class CellOut(Out):
    """boundary: the outer ring, (longitude, latitude) corners, first not repeated at the end."""

    cell_id: str
    code: str
    name: str
    boundary: list[Position]


class DepartmentOut(Out):
    department_id: str
    zh: str
    en: str


class PersonOut(Out):
    person_id: str
    name: str
    role: Role
    department: str
    cells: list[str]


class DistrictOut(Out):
    """people: empty for workers."""

    name: TextOut
    cells: list[CellOut]
    departments: list[DepartmentOut]
    people: list[PersonOut]
