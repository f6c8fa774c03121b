"""Words people look for, found by the database: where a list of 50,000 incidents is searched, none is read in vain."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select

from dispatch.rows import INCIDENT
from dispatch.store.directory import CameraRow, CellRow, PersonRow
from models.taxonomy import Taxonomy


def mentions(words: Collection[str], taxonomy: Taxonomy) -> ColumnElement[bool]:
    """Every word occurs in the reason, the subcategory, or the name of the camera, cell or person; in any case."""
    return and_(True, *(_mentions(word, taxonomy) for word in words))


def _mentions(word: str, taxonomy: Taxonomy) -> ColumnElement[bool]:
    known = taxonomy.subcategories.values()
    kinds = [kind.code for kind in known if word.casefold() in f"{kind.zh} {kind.en}".casefold()]
    cameras = select(CameraRow.camera_id).where(CameraRow.name.icontains(word, autoescape=True))
    cells = select(CellRow.cell_id).where(CellRow.name.icontains(word, autoescape=True))
    people = select(PersonRow.person_id).where(PersonRow.name.icontains(word, autoescape=True))
    return or_(
        INCIDENT.c.why_zh.icontains(word, autoescape=True),
        INCIDENT.c.why_en.icontains(word, autoescape=True),
        # An old code that has left the taxonomy is still found by itself.
        INCIDENT.c.subcategory.icontains(word, autoescape=True),
        INCIDENT.c.subcategory.in_(kinds),
        INCIDENT.c.camera_id.in_(cameras),
        INCIDENT.c.cell_id.in_(cells),
        INCIDENT.c.assignee_id.in_(people),
    )
