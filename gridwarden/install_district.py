"""Puts a district file into the record: departments, cells, people, roster, cameras."""

from __future__ import annotations

from dispatch.people import put_department, put_person, put_roster
from dispatch.places import list_cameras, put_camera, put_cell, remove_camera
from dispatch.store.store import Store
from gridwarden.district import District
from models.taxonomy import Taxonomy


def install_district(store: Store, district: District, taxonomy: Taxonomy) -> None:
    """All of it or, on an error, none; installing the same twice changes nothing. Incidents are left alone."""
    with store.transaction() as session:
        for department in taxonomy.departments.values():
            put_department(session, department)
        for cell in district.cells:
            put_cell(session, cell)
        for person in district.people:
            put_person(session, person)
        put_roster(session, district.duties)
        wanted = {camera.camera_id for camera in district.cameras}
        for camera in list_cameras(session):
            if camera.camera_id not in wanted:
                remove_camera(session, camera.camera_id)
        for camera in district.cameras:
            put_camera(session, camera)
