"""One follower of the event log for all viewers, and one tick a second for cameras, counts and health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from dashboard.errors import ApiError
from dashboard.live.log import read_deltas
from dashboard.live.messages import CameraChanges, Cells, Delta, sse
from dashboard.live.snapshots import Snapshot, Snapshots
from dashboard.live.stream import MOST_WAITING, Stream
from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.schemas.live import LiveCounts, LiveEnd
from dashboard.sessions import find_viewer
from dashboard.views.cameras import state_out
from dashboard.views.names import NameBook
from models.ids import CameraId, IncidentId
from models.incidents import FINISHED
from models.places import CameraState

log = logging.getLogger(__name__)

# A district has some fifty posts and a few walls; a thousand connections is the measured aim, twice that a leak.
MOST_VIEWERS = 2000
# Tabs of one person; browsers themselves allow six connections to a server.
MOST_PER_SESSION = 12

# Cameras are looked at every ten seconds: nobody gains from hearing of them more than once a second.
TICK_S = 1.0
# Proxies cut silent connections after 30–60 s. An ended session is noticed at the same pace.
HEARTBEAT_S = 15.0
# The feed wakes us; only another process writing to the same database needs this look.
_LOOK_ANYWAY_S = 5.0

_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": still here\n\n"


class Hub:
    """The live feed. Its methods run on the event loop, but for `session_ended`."""

    def __init__(self, parts: Parts, book: NameBook, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._parts = parts
        self._book = book
        self._heartbeat_s = heartbeat_s
        self._snapshots = Snapshots(parts, book)
        # Two readers at a time: a hundred pages coming back at once must leave threads for the other routes.
        self._readers = CapacityLimiter(2)
        self._streams: set[Stream] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._seq = 0
        self._states: dict[CameraId, CameraState] = {}
        self._counts: dict[Cells, LiveCounts] = {}
        self.failures = 0

    @property
    def viewers(self) -> int:
        return len(self._streams)

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._seq = self._parts.feed.seq
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forever(self._follow, pause_s=0))
            group.create_task(self._forever(self._tick, pause_s=TICK_S))
            group.create_task(self._forever(self._check_sessions, pause_s=self._heartbeat_s))

    def stop(self) -> None:
        """Ends every stream; the server can then close within its grace."""
        self._stopped = True
        for stream in self._streams:
            stream.end("shutdown")

    def session_ended(self, token_hash: str) -> None:
        """From any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._sign_out, token_hash)

    def join(self, viewer: Viewer) -> Stream:
        """Raises ApiError 503 `too_many_viewers`. Whoever joins must `leave`."""
        same = sum(1 for stream in self._streams if stream.viewer.token_hash == viewer.token_hash)
        if len(self._streams) >= MOST_VIEWERS or same >= MOST_PER_SESSION:
            raise ApiError(503, "too_many_viewers", retry_after_s=10)
        stream = Stream(viewer)
        if self._stopped:
            stream.end("shutdown")
        if not self._streams:
            self._snapshots.count_told()  # nobody was told what happened while nobody looked
        self._streams.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)

    async def messages(self, stream: Stream, *, after: int | None) -> AsyncIterator[bytes]:
        """What the viewer gets, until the stream ends. after: the last event the viewer has."""
        yield _RETRY
        seq, shown = after or 0, set[IncidentId]()
        missed = await self._missed(stream.viewer, after)
        if missed is None:
            stream.stale = True
        for late in missed or ():
            seq = late.seq
            yield late.for_viewer(stream.viewer)
        while stream.ended is None:
            if stream.stale:
                stream.stale = False
                snapshot = await self._snapshot(stream.viewer)
                seq, shown = snapshot.seq, set(snapshot.shown)
                yield snapshot.message
            while delta := stream.take_delta():
                message = _shown_to(stream.viewer, delta, shown) if delta.seq > seq else None
                seq = max(seq, delta.seq)
                if message:
                    yield message
            for message in stream.take_rest():
                yield message
            if not await stream.wait(self._heartbeat_s):
                yield _HEARTBEAT
        yield sse("end", LiveEnd(reason=stream.ended))

    async def _missed(self, viewer: Viewer, after: int | None) -> list[Delta] | None:
        """None: take a snapshot. Who sees only some cells always does: what left them meanwhile is not in the log."""
        if after is None or viewer.cells is not None or not 0 <= self._parts.feed.seq - after <= MOST_WAITING:
            return None
        return await to_thread.run_sync(self._read, after, limiter=self._readers)

    async def _snapshot(self, viewer: Viewer) -> Snapshot:
        take = partial(self._snapshots.take, viewer, told=self._snapshots.told)
        return await to_thread.run_sync(take, limiter=self._readers)

    def _read(self, after: int) -> list[Delta]:
        return read_deltas(self._parts, self._book, after=after, limit=MOST_WAITING)

    async def _follow(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_ANYWAY_S):
                newest = await self._parts.feed.wait(self._seq)
        except TimeoutError:
            newest = self._seq
        if not self._streams:
            self._seq = newest
            return
        deltas = await to_thread.run_sync(self._read, self._seq)
        self._snapshots.count_told()
        for delta in deltas:
            for stream in self._streams:
                stream.offer(delta)
        self._seq = deltas[-1].seq if deltas else newest

    async def _tick(self) -> None:
        if not self._streams:
            return
        states = await to_thread.run_sync(self._parts.camera_states)
        self._snapshots.count_told()
        self._tell_changes({state.camera_id: state for state in states})
        scopes = {stream.viewer.cells for stream in self._streams}
        counts = {
            cells: await to_thread.run_sync(self._snapshots.counts, cells, states, limiter=self._readers)
            for cells in scopes
        }
        written = {cells: sse("counts", now) for cells, now in counts.items() if self._counts.get(cells) != now}
        self._counts = counts
        health = sse("health", self._snapshots.health(states))
        for stream in self._streams:
            stream.offer_newest("health", health)
            if stream.viewer.cells in written:
                stream.offer_newest("counts", written[stream.viewer.cells])

    def _tell_changes(self, states: dict[CameraId, CameraState]) -> None:
        changed = {camera: state_out(state) for camera, state in states.items() if self._states.get(camera) != state}
        self._states = states
        if changed:
            changes = CameraChanges(changed, self._book.names().cell_of)
            for stream in self._streams:
                stream.offer_cameras(changes)

    async def _check_sessions(self) -> None:
        """Outdated sessions end; changed rights take effect with a new snapshot."""
        hashes = {stream.viewer.token_hash for stream in self._streams}
        for token_hash in hashes:
            viewer = await to_thread.run_sync(find_viewer, self._parts, token_hash)
            if viewer is None:
                self._sign_out(token_hash)
            for stream in self._streams:
                if viewer and stream.viewer.token_hash == token_hash and stream.viewer != viewer:
                    stream.viewer = viewer
                    stream.make_stale()

    def _sign_out(self, token_hash: str) -> None:
        for stream in self._streams:
            if stream.viewer.token_hash == token_hash:
                stream.end("signed_out")

    async def _forever(self, work: Callable[[], Awaitable[None]], *, pause_s: float) -> None:
        while True:
            try:
                await work()
            except Exception:
                self.failures += 1
                log.exception("The live feed stumbled (%s); it goes on", work.__name__)
                await asyncio.sleep(1)
            await asyncio.sleep(pause_s)


def _shown_to(viewer: Viewer, delta: Delta, shown: set[IncidentId]) -> bytes | None:
    """The message, "gone" for an incident that has left the viewer's sight, None for what was never in it."""
    incident = delta.incident
    if viewer.sees(incident):
        if incident.state in FINISHED:
            shown.discard(incident.incident_id)
        else:
            shown.add(incident.incident_id)
        return delta.for_viewer(viewer)
    if incident.incident_id in shown:
        shown.discard(incident.incident_id)
        return delta.gone()
    return None


def hub_of(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub
