"""The bounded queue between looking and inferring. When it is full, routine looks make room, promised ones last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from models.pictures import Look, LookReason


class LookQueue:
    """Used within one event loop; any number of readers, each look goes to one of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._looks: deque[Look] = deque()
        self._changed = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def full(self) -> bool:
        return len(self._looks) >= self._size

    def put(self, look: Look) -> None:
        """Never waits: when the queue is full the oldest routine look goes (else the oldest of all) and is counted."""
        if self.full:
            routine = (index for index, kept in enumerate(self._looks) if kept.reason is LookReason.ROUTINE)
            del self._looks[next(routine, 0)]
            self.dropped += 1
        self._looks.append(look)
        self._changed.set()

    def close(self) -> None:
        """Readers end once the looks in hand are read."""
        self._closed = True
        self._changed.set()

    async def read(self, *, on_read: asyncio.Event) -> AsyncIterator[Look]:
        """Looks in order of arrival; sets `on_read` whenever there is room again."""
        while True:
            if self._looks:
                look = self._looks.popleft()
                on_read.set()
                yield look
                continue
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()
