"""Reading people and places for a decision."""

from __future__ import annotations

from sqlalchemy.orm import Session

from dispatch.people import list_duties, list_people
from dispatch.places import list_cells
from dispatch.routing import Directory
from dispatch.store.directory import PersonRow
from models.ids import PersonId


def read_directory(session: Session) -> Directory:
    """Read once per transaction: opening an incident asks for the cell and for the line of duty."""
    known: Directory | None = session.info.get("directory")
    if known is None:
        known = Directory(cells=list_cells(session), people=list_people(session), duties=list_duties(session))
        session.info["directory"] = known
    return known


def has_person(session: Session, person_id: PersonId) -> bool:
    return session.get(PersonRow, person_id) is not None
