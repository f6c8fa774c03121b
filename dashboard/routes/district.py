"""What the sub-district is made of: words for problems, cells, departments, people."""

from __future__ import annotations

from fastapi import APIRouter

from dashboard.schemas.base import TextOut
from dashboard.schemas.district import CategoryOut, CellOut, DepartmentOut, DistrictOut, PersonOut, SubcategoryOut
from dashboard.sessions import Anyone, OpenParts
from dispatch import people, places
from models.people import Person, Role
from models.places import GridCell
from models.taxonomy import Subcategory

router = APIRouter(tags=["district"])


@router.get("/api/taxonomy")
def get_taxonomy(parts: OpenParts, _: Anyone) -> list[CategoryOut]:
    """All categories with their subcategories, in the city's order."""
    subcategories = parts.taxonomy.subcategories.values()
    return [
        CategoryOut(
            code=category.code,
            zh=category.zh,
            en=category.en,
            subcategories=[_subcategory(item) for item in subcategories if item.category == category.code],
        )
        for category in parts.taxonomy.categories.values()
    ]


@router.get("/api/district")
def get_district(parts: OpenParts, viewer: Anyone) -> DistrictOut:
    """Cells are public to everyone signed in; people only to those who assign or assess."""
    with parts.store.reading() as session:
        cells = places.list_cells(session)
        departments = people.list_departments(session)
        staff = [] if viewer.person.role is Role.WORKER else people.list_people(session)
    return DistrictOut(
        name=TextOut(zh=parts.district_name.zh, en=parts.district_name.en),
        cells=[_cell(cell) for cell in cells],
        departments=[DepartmentOut(department_id=item.department_id, zh=item.zh, en=item.en) for item in departments],
        people=[_person(person) for person in staff],
    )


def _subcategory(item: Subcategory) -> SubcategoryOut:
    return SubcategoryOut(
        code=item.code,
        zh=item.zh,
        en=item.en,
        national_code=item.national_code,
        limit=str(item.limit),
        department=item.department,
        seen_by=item.seen_by,
    )


def _cell(cell: GridCell) -> CellOut:
    return CellOut(cell_id=cell.cell_id, code=cell.code, name=cell.name, boundary=list(cell.boundary.corners))


def _person(person: Person) -> PersonOut:
    return PersonOut(
        person_id=person.person_id,
        name=person.name,
        role=person.role,
        department=person.department_id,
        cells=list(person.cells),
    )
