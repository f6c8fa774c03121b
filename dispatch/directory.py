"""Reading people and places for a decision."""

from __future__ import annotations

from dispatch.city_records import read_city
from dispatch.people import list_duties, list_people
from dispatch.places import list_camera_places, list_cells
from dispatch.routing import Directory
from dispatch.store.revision import directory_revision
from dispatch.store.store import StoreSession


def read_directory(session: StoreSession) -> Directory:
    """As it is in this transaction; read from the tables only when it has changed since it was read last."""
    known: Directory | None = session.info.get("directory")
    if known is None:
        known = session.info["directory"] = _present(session)
    return known


def _present(session: StoreSession) -> Directory:
    revision = directory_revision(session.line)
    kept = session.kept_directory.kept
    if kept is None or kept[0] != revision:
        kept = session.kept_directory.kept = revision, _read(session)
    return kept[1]


def _read(session: StoreSession) -> Directory:
    return Directory(
        cells=list_cells(session),
        people=list_people(session),
        duties=list_duties(session),
        cameras=list_camera_places(session),
        city=read_city(session),
    )
