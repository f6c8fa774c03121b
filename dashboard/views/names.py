"""Who and where by id: what turns an incident's ids into words, and a camera's position into a right to see it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch import people, places
from dispatch.routing import cell_at
from dispatch.store.store import Store
from models.geometry import Point
from models.ids import CameraId, CellId, PersonId
from models.people import Actor, Person, Role
from models.places import Camera, GridCell

# Cells, cameras and people change a few times a day. Reading 1,438 cameras takes some 20 ms, so not on each request;
# five seconds are less than anyone needs to walk from the settings page to another.
_FRESH_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Names:
    """One reading of the directory. cell_of: the smallest cell around each camera, None outside all."""

    cameras: Mapping[CameraId, Camera]
    cells: Mapping[CellId, GridCell]
    people: Mapping[PersonId, Person]
    cell_of: Mapping[CameraId, CellId | None]

    def camera_name(self, camera_id: CameraId | None) -> str | None:
        camera = self.cameras.get(camera_id) if camera_id else None
        return camera.name if camera else None

    def cell_name(self, cell_id: CellId | None) -> str | None:
        cell = self.cells.get(cell_id) if cell_id else None
        return cell.name if cell else None

    def person_name(self, person_id: str) -> str:
        person = self.people.get(PersonId(person_id))
        return person.name if person else ""

    def actor_name(self, actor: Actor) -> str:
        if actor.role is Role.CAMERA:
            return self.camera_name(CameraId(actor.actor_id)) or ""
        return "" if actor.role is Role.SYSTEM else self.person_name(actor.actor_id)


class NameBook:
    """Keeps the last reading for a few seconds. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._names: Names | None = None
        self._read_at: datetime | None = None
        self._cells: tuple[GridCell, ...] = ()
        self._known: dict[Point, CellId | None] = {}

    def names(self) -> Names:
        now = self._store.clock.now()
        with self._lock:
            if self._names is None or self._read_at is None or not timedelta() <= now - self._read_at < _FRESH_FOR:
                self._names, self._read_at = self._read(), now
            return self._names

    def _read(self) -> Names:
        with self._store.reading() as session:
            cells = places.list_cells(session)
            cameras = places.list_cameras(session)
            staff = people.list_people(session)
        return Names(
            cameras={camera.camera_id: camera for camera in cameras},
            cells={cell.cell_id: cell for cell in cells},
            people={person.person_id: person for person in staff},
            cell_of=self._cells_of(cameras, tuple(cells)),
        )

    def _cells_of(self, cameras: list[Camera], cells: tuple[GridCell, ...]) -> dict[CameraId, CellId | None]:
        """Point in polygon once per place: 1,438 cameras in 60 cells would cost a third of a second each reading."""
        if cells != self._cells:
            self._cells, self._known = cells, {}
        found = {camera.position: self._cell_at(camera.position) for camera in cameras}
        self._known = found
        return {camera.camera_id: found[camera.position] for camera in cameras}

    def _cell_at(self, position: Point) -> CellId | None:
        if position in self._known:
            return self._known[position]
        cell = cell_at(position, self._cells)
        return cell.cell_id if cell else None
