"""Tells waiting readers that a newer event has been committed, whichever thread committed it."""

from __future__ import annotations

import asyncio
import threading


class Feed:
    """The newest committed `seq`, and a way to sleep until there is a newer one.

    A waiter holds no queue: it is woken once and reads the log from where it stood, so a slow
    reader costs nothing and misses nothing.
    """

    def __init__(self, seq: int = 0) -> None:
        self._seq = seq
        self._lock = threading.Lock()
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = set()

    @property
    def seq(self) -> int:
        """The newest seq this process has committed or found at start."""
        return self._seq

    def committed(self, seq: int) -> None:
        """Called after a commit, from any thread."""
        with self._lock:
            if seq <= self._seq:
                return
            self._seq = seq
            waiters, self._waiters = self._waiters, set()
        for loop, future in waiters:
            _wake(loop, future)

    async def wait(self, after_seq: int) -> int:
        """Returns the newest seq as soon as it is greater than `after_seq`."""
        while True:
            loop = asyncio.get_running_loop()
            waiter = (loop, loop.create_future())
            with self._lock:
                if self._seq > after_seq:
                    return self._seq
                self._waiters.add(waiter)
            try:
                await waiter[1]
            finally:
                with self._lock:
                    self._waiters.discard(waiter)


def _wake(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
    def settle() -> None:
        if not future.done():
            future.set_result(None)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # that reader's loop has been closed: nobody is waiting there any more
