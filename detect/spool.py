"""What was decided and is not yet committed by dispatch, on disk: a node may be offline for days, or be killed.

Camera memories lie in the same file, written in the same transaction as the observations they led to: after a crash
a find is neither lost nor told twice. SQLite with a write-ahead log and full synchronisation: when `put` returns, the
power may fail.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import DataFolderError
from models.ids import CameraId

MAX_MESSAGES = 100_000
"""About 100 MB. At 1,438 cameras and one find per camera and hour that is three days without dispatch; then the node
stops looking (`full`) rather than forget what it has seen."""

_SCHEMA = """
create table if not exists message (
  seq integer primary key autoincrement, key text not null unique, body text not null
);
create table if not exists memory (camera text primary key, state text not null);
"""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message waiting for dispatch. `seq`: the order in which it was decided."""

    seq: int
    key: str
    body: str


class Spool:
    """One file per node. Thread-safe; `on_put` is called (from any thread) after messages came in."""

    def __init__(self, path: Path, *, limit: int = MAX_MESSAGES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.executescript(_SCHEMA)
            self._count = int(self._database.execute("select count(*) from message").fetchone()[0])
        except (OSError, sqlite3.Error) as trouble:
            raise DataFolderError(
                f"The spool {path} cannot be used ({trouble}); free space, correct its rights, or move it away."
            ) from None

    def on_put(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def put(self, messages: Sequence[Mapping[str, Any]], *, memories: Mapping[CameraId, str] | None = None) -> None:
        """Messages (each with its "key") and camera memories, all or none, on disk when it returns.

        A key that is already there is left as it is. Raises DataFolderError when the disk refuses.
        """
        rows = [(str(message["key"]), json.dumps(message, ensure_ascii=False)) for message in messages]
        with self._lock:
            try:
                self._database.execute("begin immediate")
                self._database.executemany("insert or ignore into message (key, body) values (?, ?)", rows)
                self._database.executemany("insert or replace into memory values (?, ?)", (memories or {}).items())
                self._database.execute("commit")
            except sqlite3.Error as trouble:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise DataFolderError(f"The spool cannot be written ({trouble}); free space on its disk.") from None
            self._count = int(self._database.execute("select count(*) from message").fetchone()[0])
        if rows:
            for listener in self._listeners:
                listener()

    def oldest(self, limit: int) -> list[Spooled]:
        """The first messages not yet committed, in the order they were decided."""
        with (
            self._lock,
            closing(
                self._database.execute("select seq, key, body from message order by seq limit ?", (limit,))
            ) as rows,
        ):
            return [Spooled(*row) for row in rows]

    def committed(self, keys: Iterable[str]) -> None:
        """Dispatch has them for good: only now are they forgotten. Unknown keys are ignored."""
        with self._lock:
            self._database.execute("begin immediate")
            self._database.executemany("delete from message where key = ?", [(key,) for key in keys])
            self._database.execute("commit")
            self._count = int(self._database.execute("select count(*) from message").fetchone()[0])

    def holds(self, key: str) -> bool:
        with self._lock:
            return self._database.execute("select 1 from message where key = ?", (key,)).fetchone() is not None

    def memories(self) -> dict[CameraId, str]:
        with self._lock, closing(self._database.execute("select camera, state from memory")) as rows:
            return {CameraId(camera): state for camera, state in rows}

    @property
    def full(self) -> bool:
        """No more is to be decided until dispatch has committed some."""
        return self._count >= self._limit

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        with self._lock:
            self._database.close()
