"""What waits for one viewer: bounded, whatever the viewer's network does."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal

from dashboard.live.messages import CameraChanges, Delta
from dashboard.rights import Viewer

# 200 events are a busy minute of a whole district; who is further behind is better off with a snapshot.
MOST_WAITING = 200

End = Literal["signed_out", "shutdown"]


class Stream:
    """One viewer's connection. Used on the event loop only.

    Three kinds wait: deltas in order (more than MOST_WAITING: `stale`, a snapshot instead), camera states merged
    into one message, and counts and health, of which only the newest matters.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.stale = False
        self.ended: End | None = None
        self.cut = 0
        self._deltas: deque[Delta] = deque()
        self._cameras: CameraChanges | None = None
        self._newest: dict[str, bytes] = {}
        self._ready = asyncio.Event()

    def offer(self, delta: Delta) -> None:
        self._deltas.append(delta)
        if len(self._deltas) > MOST_WAITING:
            self.make_stale()
        self._ready.set()

    def offer_cameras(self, changes: CameraChanges) -> None:
        self._cameras = self._cameras.followed_by(changes) if self._cameras else changes
        self._ready.set()

    def offer_newest(self, kind: str, message: bytes) -> None:
        """Replaces what waits of the same kind."""
        self._newest[kind] = message
        self._ready.set()

    def make_stale(self) -> None:
        """Forgets what waits: a snapshot will say it all."""
        self.stale = True
        self.cut += 1
        self._deltas.clear()
        self._cameras = None
        self._newest.clear()
        self._ready.set()

    def end(self, reason: End) -> None:
        self.ended = self.ended or reason
        self._ready.set()

    def take_delta(self) -> Delta | None:
        return self._deltas.popleft() if self._deltas and not self.stale else None

    def take_rest(self) -> list[bytes]:
        """Camera changes in the viewer's cells, then counts and health."""
        changes, self._cameras = self._cameras, None
        cameras = changes.for_cells(self.viewer.cells) if changes else None
        rest = [cameras] if cameras else []
        rest += self._newest.values()
        self._newest.clear()
        return rest

    async def wait(self, timeout_s: float) -> bool:
        """True when there is something to send, False after a quiet time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            return False
        self._ready.clear()
        return True
