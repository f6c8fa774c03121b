"""How often somebody may try: a count per key in a sliding window, bounded in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

# 4,096 keys of a few timestamps are under a megabyte; the least recently tried is forgotten first.
_MAX_KEYS = 4096


class Throttle:
    """At most `limit` tries a `window` for each key. Thread-safe: sign-ins run in worker threads."""

    def __init__(self, *, limit: int, window: timedelta) -> None:
        self._limit = limit
        self._window = window
        self._tries: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, now: datetime) -> timedelta | None:
        """Counts a try and returns None, or, when they are used up, how long to wait.

        Counted before the try is made, so that a hundred at once are not all the first.
        """
        with self._lock:
            tries = self._recent(key, now)
            if len(tries) >= self._limit:
                return tries[0] + self._window - now
            tries.append(now)
            self._tries[key] = tries
            self._tries.move_to_end(key)
            while len(self._tries) > _MAX_KEYS:
                self._tries.popitem(last=False)
            return None

    def refund(self, key: str) -> None:
        """The try was no failure: it does not count."""
        with self._lock:
            tries = self._tries.get(key)
            if tries:
                tries.pop()

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        tries = self._tries.get(key, deque())
        while tries and tries[0] + self._window <= now:
            tries.popleft()
        return tries
