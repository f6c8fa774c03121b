"""Threads for pixels and for waiting: a small pool whose threads never keep the process from ending.

`concurrent.futures` joins its threads at exit, and a thread inside FFmpeg's connect cannot be interrupted: with it a
camera that swallows packets would hold Ctrl-C for the whole deadline. These threads are daemons and are left behind.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from models.errors import SourceError
from models.places import Trouble

T = TypeVar("T")
Job = Callable[[], None]

IDLE_S = 30.0
"""A thread with nothing to do for this long ends: a fleet that came back from an outage gives its threads back."""


class Threads:
    """At most `count` daemon threads, started when needed, ended when idle."""

    def __init__(self, count: int, *, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0
        self._unfinished = 0
        self._closed = False

    async def run(self, work: Callable[[], T], *, deadline_s: float, what: str) -> T:
        """Runs `work` in a thread. Raises SourceError (timeout) naming `what` when it takes longer; the thread then
        finishes what it is in and throws the result away, so `work` must close what it opens.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(lambda: _carry_out(work, future=future, loop=loop))
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            raise SourceError(f"{what} gave no picture within {deadline_s:g} s.", reason=Trouble.TIMEOUT) from None

    def close(self) -> None:
        """Ends idle threads at once and busy ones when their work ends; waits for none."""
        with self._lock:
            self._closed = True
            for _ in range(self._alive):
                self._jobs.put(None)

    @property
    def alive(self) -> int:
        return self._alive

    def _submit(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the {self._name} threads are closed")
            self._jobs.put(job)
            self._unfinished += 1
            if self._alive < min(self._count, self._unfinished):
                self._alive += 1
                threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            finally:
                with self._lock:
                    self._unfinished -= 1

    def _next(self) -> Job | None:
        """The next job, or None when this thread should end; then it is no longer counted as alive."""
        try:
            job = self._jobs.get(timeout=IDLE_S)
        except queue.Empty:
            job = None
        if job is None:
            with self._lock:
                # A job may have come between the timeout and this lock, counted on this thread.
                job = None if self._jobs.empty() else self._jobs.get_nowait()
                if job is None:
                    self._alive -= 1
        return job


def _carry_out(work: Callable[[], T], *, future: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
    if future.cancelled():
        return
    result: Any = None
    error: BaseException | None = None
    try:
        result = work()
    except BaseException as raised:  # noqa: BLE001 - handed to whoever awaits, which is where it is judged
        error = raised
    try:
        loop.call_soon_threadsafe(_settle, future, result, error)
    except RuntimeError:
        return  # The event loop has ended: nobody is left to hear of it.


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
