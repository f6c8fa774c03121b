"""A video file played like a live camera: in real time, again and again."""

from __future__ import annotations

import threading
from pathlib import Path

from ingest.means import Means
from ingest.source import Shot
from ingest.sources.film import Film
from models.clock import Clock
from models.errors import SourceError
from models.pictures import Image

DECODING_S = 1.5
"""At most spent on decoding towards the asked moment, then the nearest picture reached is given: a 4K film with rare
keyframes must not hold the threads that all other cameras' pictures wait for."""


class VideoSource:
    """`Source` for a video file: a look gives the picture shown at that moment of the clock.

    start_s: where in the film the first look is.
    """

    def __init__(self, path: Path, *, clock: Clock, means: Means, start_s: float = 0.0) -> None:
        self._path = path
        self._clock = clock
        self._means = means
        self._start_s = start_s
        self._opened_at = clock.now()
        self._film: Film | None = None
        self._lock = threading.Lock()
        self._closed = False

    async def look(self, *, deadline_s: float) -> Shot:
        now = self._clock.now()
        played_s = self._start_s + max((now - self._opened_at).total_seconds(), 0.0)
        image = await self._means.decoding.run(
            lambda: self._picture(played_s, budget_s=min(deadline_s / 2, DECODING_S)),
            deadline_s=deadline_s,
            what=str(self._path),
        )
        return Shot(image, now)

    async def close(self) -> None:
        self._closed = True
        # A thread still decoding holds the lock and closes the film itself when it is done.
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _picture(self, played_s: float, *, budget_s: float) -> Image:
        with self._lock:
            try:
                self._film = self._film or Film(self._path)
                return self._film.picture_at(played_s % self._film.duration_s, budget_s=budget_s)
            except SourceError:
                self._let_go()
                raise
            finally:
                if self._closed:
                    self._let_go()

    def _let_go(self) -> None:
        if self._film is not None:
            self._film.close()
            self._film = None
