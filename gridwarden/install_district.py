"""Puts a district file into the record: departments, cells, people, roster, cameras."""

from __future__ import annotations

from dispatch.people import put_department, put_person, put_roster
from dispatch.places import put_cell
from dispatch.store.store import Store
from gridwarden.camera_book import CameraBook
from gridwarden.district import District
from models.taxonomy import Taxonomy


def install_district(store: Store, district: District, taxonomy: Taxonomy, cameras: CameraBook) -> None:
    """All of it or, on an error, none; installing the same twice changes nothing.

    Incidents are left alone, and so are cameras added by hand.
    """
    with store.transaction() as session:
        for department in taxonomy.departments.values():
            put_department(session, department)
        for cell in district.cells:
            put_cell(session, cell)
        for person in district.people:
            put_person(session, person)
        put_roster(session, district.duties)
        cameras.follow_file(session, district.cameras)
