"""The whole page at one moment: open incidents, cameras, today's counts, the system's own health."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.live.messages import Cells, sse
from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.schemas.live import LiveCounts, LiveHealth, LiveSnapshot
from dashboard.search import Search, find
from dashboard.views.cameras import camera_out
from dashboard.views.incidents import IncidentViews
from dashboard.views.names import NameBook
from dispatch import indicators, queries
from dispatch.deadlines import LOCAL
from dispatch.indicators import Funnel
from models.ids import IncidentId
from models.incidents import FINISHED, IncidentState
from models.places import CameraCondition, CameraState

# A page with more open incidents than this is not read by anyone; each is about 1 kB.
MOST_OPEN = 500

# Funnels kept: one per group of cells somebody is watching; more groups than this start over.
_MOST_SCOPES = 256

_OPEN = frozenset(IncidentState) - FINISHED


@dataclass(frozen=True, slots=True)
class Snapshot:
    """shown: the incidents in it, so that one that leaves the viewer's sight can be taken off the page."""

    seq: int
    message: bytes
    shown: frozenset[IncidentId]


class Snapshots:
    """Reads snapshots, counts and health. Blocking: called in threads."""

    def __init__(self, parts: Parts, book: NameBook) -> None:
        self._parts = parts
        self._book = book
        self._funnels: dict[Cells, tuple[int, datetime, Funnel]] = {}

    def take(self, viewer: Viewer) -> Snapshot:
        """`seq` and incidents are read in one transaction: the deltas go on exactly there."""
        names = self._book.names()
        views = IncidentViews(names, self._parts.taxonomy, self._parts.clock.now())
        with self._parts.store.reading() as session:
            seq = queries.last_seq(session)
            found = find(session, Search(_OPEN), viewer=viewer, before=None, limit=MOST_OPEN)
        states = {state.camera_id: state for state in self._parts.camera_states()}
        body = LiveSnapshot(
            seq=seq,
            incidents=[views.incident(incident, viewer=viewer) for incident in found.incidents],
            cameras=[
                camera_out(camera, names=names, state=states.get(camera_id))
                for camera_id, camera in names.cameras.items()
                if viewer.sees_cell(names.cell_of[camera_id])
            ],
            counts=self.counts(viewer.cells, states.values()),
            health=self.health(states.values()),
            more=found.next_before is not None,
        )
        shown = frozenset(incident.incident_id for incident in found.incidents)
        return Snapshot(seq, sse("snapshot", body, seq=seq), shown)

    def counts(self, cells: Cells, states: Collection[CameraState]) -> LiveCounts:
        """Today in one line, for these cells."""
        cell_of = self._book.names().cell_of
        seen = [state for state in states if cells is None or cell_of.get(state.camera_id) in cells]
        today = self._today(cells)
        return LiveCounts(
            looks=sum(state.looks for state in seen),
            inferred=sum(state.inferred for state in seen),
            opened=today.opened,
            received=today.received,
            resolved=today.resolved,
            verified=today.verified,
            false_alarms=today.rejected,
        )

    def health(self, states: Collection[CameraState]) -> LiveHealth:
        counters = {name: float(value) for name, value in self._parts.counters().items()}
        conditions = [state.condition for state in states]
        return LiveHealth(
            behind_s=counters.get("behind_s", 0.0),
            broker=bool(counters.get("broker", 1)),
            spool=int(counters.get("spool", 0)),
            cameras=len(conditions),
            offline=conditions.count(CameraCondition.OFFLINE),
            counters=counters,
        )

    def _today(self, cells: Cells) -> Funnel:
        """Counted again only when the log has grown or a day has begun."""
        now = self._parts.clock.now()
        midnight = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        seq = self._parts.feed.seq
        kept = self._funnels.get(cells)
        if kept and kept[:2] == (seq, midnight):
            return kept[2]
        with self._parts.store.reading() as session:
            # Tomorrow's midnight: an incident opened this very moment is today's, too.
            today = indicators.funnel(session, since=midnight, until=midnight + timedelta(days=1), cells=cells)
        if len(self._funnels) >= _MOST_SCOPES:
            self._funnels.clear()
        self._funnels[cells] = (seq, midnight, today)
        return today
