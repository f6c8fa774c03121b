"""What goes to viewers, written once and shared by all who may see the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from dashboard.rights import Viewer
from dashboard.schemas.base import Out
from dashboard.schemas.cameras import CameraStateOut
from dashboard.schemas.incidents import EventOut
from dashboard.schemas.live import LiveCameras, LiveGone, LiveIncident
from dashboard.views.incidents import IncidentViews
from models.ids import CameraId, CellId
from models.incidents import Incident
from models.people import Role

Cells = frozenset[CellId] | None


def sse(event: str, data: Out, *, seq: int | None = None) -> bytes:
    """One Server-Sent Event. `id` is what the browser sends back as Last-Event-ID."""
    head = f"id: {seq}\nevent: {event}\n" if seq is not None else f"event: {event}\n"
    return f"{head}data: {data.model_dump_json()}\n\n".encode()


class Delta:
    """One event of the log with its incident, as each viewer may see it."""

    def __init__(self, event: EventOut, incident: Incident, views: IncidentViews) -> None:
        self.seq = event.seq
        self.incident = incident
        self._event = event
        self._views = views
        self._written: dict[tuple[Role, bool], bytes] = {}

    def for_viewer(self, viewer: Viewer) -> bytes:
        """Viewers of one role who do, or do not, have the incident in hand get the same bytes."""
        key = (viewer.person.role, viewer.owns(self.incident))
        if key not in self._written:
            shown = self._views.incident_for(self.incident, role=key[0], owns=key[1])
            message = LiveIncident(seq=self.seq, event=self._event, incident=shown)
            self._written[key] = sse("incident", message, seq=self.seq)
        return self._written[key]

    def gone(self) -> bytes:
        return sse("gone", LiveGone(seq=self.seq, incident_id=self.incident.incident_id), seq=self.seq)


class CameraChanges:
    """Cameras whose state has changed since the last second."""

    def __init__(self, states: Mapping[CameraId, CameraStateOut], cell_of: Mapping[CameraId, CellId | None]) -> None:
        self._states = states
        self._cell_of = cell_of
        self._written: dict[Cells, bytes | None] = {}

    def for_cells(self, cells: Cells) -> bytes | None:
        """None when nothing changed in these cells."""
        if cells not in self._written:
            seen = [s for i, s in self._states.items() if cells is None or self._cell_of.get(i) in cells]
            self._written[cells] = sse("cameras", LiveCameras(states=seen)) if seen else None
        return self._written[cells]

    def followed_by(self, later: Self) -> CameraChanges:
        """Both at once, the later state of each camera winning: at most one state a camera waits for a viewer."""
        return CameraChanges({**self._states, **later._states}, later._cell_of)
