"""The whole page at one moment: open incidents, cameras, today's counts, the system's own health."""

from __future__ import annotations

import threading
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
from models.ids import IncidentId, PersonId
from models.incidents import FINISHED, Incident, IncidentState
from models.people import Role
from models.places import CameraCondition, CameraState

# A page with more open incidents than this is not read by anyone; each is about 1 kB.
MOST_OPEN = 500

# Funnels kept: one per group of cells somebody is watching; more groups than this start over.
_MOST_SCOPES = 256

# Whole snapshots kept, 1 MB each: pages of the same sight come back together after a restart.
_MOST_SHARED = 8

_OPEN = frozenset(IncidentState) - FINISHED


@dataclass(frozen=True, slots=True)
class Snapshot:
    """shown: the incidents in it, so that one that leaves the viewer's sight can be taken off the page."""

    seq: int
    message: bytes
    shown: frozenset[IncidentId]


@dataclass(frozen=True, slots=True)
class _Shared:
    """A snapshot for everybody of one role and sight, but for `concerned`: they may take other steps in it.

    told: what the hub had told its viewers when it was begun; who has been told more needs a newer one.
    """

    told: int
    snapshot: Snapshot
    concerned: frozenset[PersonId]


class Snapshots:
    """Reads snapshots, counts and health. Blocking: called in threads."""

    def __init__(self, parts: Parts, book: NameBook) -> None:
        self._parts = parts
        self._book = book
        self._funnels: dict[Cells, tuple[int, datetime, Funnel]] = {}
        self._shared: dict[tuple[Role, Cells], _Shared] = {}
        self._told = 0
        self._one_at_a_time = threading.Lock()

    @property
    def told(self) -> int:
        """How much the hub has told; to be read before `take`, at the moment from which the viewer hears of changes."""
        return self._told

    def count_told(self) -> None:
        """The hub told its viewers something: a snapshot begun before it must not be given to whoever joins after."""
        self._told += 1

    def take(self, viewer: Viewer, *, told: int) -> Snapshot:
        """The present, or what another viewer of the same sight was given who came no earlier than `told`."""
        key = viewer.person.role, viewer.cells
        with self._one_at_a_time:
            kept = self._shared.get(key)
            if kept and kept.told >= told and viewer.person.person_id not in kept.concerned:
                return kept.snapshot
            begun = self._told
            snapshot, incidents = self._read(viewer)
            concerned = frozenset(person for incident in incidents for person in _concerned(incident))
            # a worker sees incidents of their own anywhere: nobody else sees just that
            if viewer.person.role is not Role.WORKER and viewer.person.person_id not in concerned:
                if len(self._shared) >= _MOST_SHARED:
                    self._shared.clear()
                self._shared[key] = _Shared(begun, snapshot, concerned)
            return snapshot

    def _read(self, viewer: Viewer) -> tuple[Snapshot, Collection[Incident]]:
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
        return Snapshot(seq, sse("snapshot", body, seq=seq), shown), found.incidents

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


def _concerned(incident: Incident) -> list[PersonId]:
    """Who may take other steps than their role: the owner, and whoever was called in."""
    called = [part.person_id for part in incident.open_parts if part.person_id]
    return called if incident.assignment is None else [incident.assignment.person_id, *called]
