"""What cameras went through, kept on disk: operator events, and how each camera was when last asked.

A file of its own beside the node's spool, so that `gridwarden cameras` can read it while the box runs. It is no
record of the district's work: losing it loses history, nothing else, so it is not flushed at every write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.health_events import HealthEvent, happenings
from models.errors import DataFolderError
from models.ids import CameraId
from models.places import CameraCondition, CameraState, Flaw, Trouble

KEPT = timedelta(days=90)
MOST_EVENTS = 200_000
"""A quarter is what a maintenance contract is judged by; 1,438 cameras that fail daily write 130,000 in it."""

_TABLES = """
CREATE TABLE IF NOT EXISTS event (
  event_id INTEGER PRIMARY KEY, camera_id TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
  message TEXT NOT NULL, began_at TEXT NOT NULL, ended_at TEXT);
CREATE INDEX IF NOT EXISTS event_open ON event (ended_at) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS present (place INTEGER PRIMARY KEY, written_at TEXT NOT NULL, states TEXT NOT NULL);
"""
_NEWEST_FIRST = "SELECT camera_id, kind, reason, message, began_at, ended_at FROM event ORDER BY event_id DESC LIMIT ?"
_OPEN = "SELECT camera_id, kind, reason, message, began_at, ended_at FROM event WHERE ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Journal:
    """states: as they were at `written_at`, which is None when no box has written yet; events: the newest first."""

    states: dict[CameraId, CameraState]
    written_at: datetime | None
    events: list[HealthEvent]


class HealthJournal:
    """Written by the one box that holds the data folder; used from one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises DataFolderError when the file cannot be used."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
            events = [_event(row) for row in self._connection.execute(_OPEN)]
        except (sqlite3.Error, OSError) as error:
            raise DataFolderError(f"The health journal {path} cannot be used: {error}.") from None
        self._open = {(event.camera_id, event.kind): event for event in events}

    def note(self, states: Sequence[CameraState], now: datetime) -> list[HealthEvent]:
        """Writes how the cameras are and returns what has begun or ended. Raises DataFolderError, to be tried again."""
        found = happenings(self._open, states, now)
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute("BEGIN")
                for event in found:
                    _write(cursor, event)
                kept = json.dumps([_state_json(state) for state in states], ensure_ascii=False)
                cursor.execute("INSERT OR REPLACE INTO present VALUES (1, ?, ?)", (now.isoformat(), kept))
                cursor.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise DataFolderError(f"The health journal {self._path} cannot be written: {error}.") from None
        for event in found:
            if event.ended_at is None:
                self._open[event.camera_id, event.kind] = event
            else:
                self._open.pop((event.camera_id, event.kind), None)
        return found

    def tidy(self, now: datetime) -> None:
        """Forgets what is over for longer than `KEPT`, and the oldest beyond `MOST_EVENTS`."""
        self._connection.execute("DELETE FROM event WHERE ended_at < ?", ((now - KEPT).isoformat(),))
        self._connection.execute(
            "DELETE FROM event WHERE ended_at IS NOT NULL AND event_id <= (SELECT max(event_id) FROM event) - ?",
            (MOST_EVENTS,),
        )

    def close(self) -> None:
        self._connection.close()


def read_journal(path: Path, *, events: int = 0) -> Journal:
    """Also while the box writes. An empty one when there is no file yet."""
    if not path.exists():
        return Journal({}, None, [])
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            present = connection.execute("SELECT written_at, states FROM present").fetchone()
            rows = connection.execute(_NEWEST_FIRST, (events,)).fetchall() if events else []
    except sqlite3.Error as error:
        raise DataFolderError(f"The health journal {path} cannot be read: {error}.") from None
    if present is None:
        return Journal({}, None, [_event(row) for row in rows])
    states = [_state(given) for given in json.loads(present[1])]
    return Journal(
        {state.camera_id: state for state in states},
        datetime.fromisoformat(present[0]),
        [_event(row) for row in rows],
    )


def _write(cursor: sqlite3.Cursor, event: HealthEvent) -> None:
    if event.ended_at is None:
        cursor.execute(
            "INSERT INTO event (camera_id, kind, reason, message, began_at) VALUES (?, ?, ?, ?, ?)",
            (event.camera_id, event.kind, event.reason, event.message, event.began_at.isoformat()),
        )
    else:
        cursor.execute(
            "UPDATE event SET ended_at = ? WHERE camera_id = ? AND kind = ? AND ended_at IS NULL",
            (event.ended_at.isoformat(), event.camera_id, event.kind),
        )


def _event(row: tuple[Any, ...]) -> HealthEvent:
    camera_id, kind, reason, message, began_at, ended_at = row
    ended = None if ended_at is None else datetime.fromisoformat(ended_at)
    return HealthEvent(CameraId(camera_id), kind, reason, message, datetime.fromisoformat(began_at), ended)


def _state_json(state: CameraState) -> dict[str, Any]:
    return {
        "camera_id": state.camera_id,
        "condition": state.condition.value,
        "since": state.since.isoformat(),
        "last_look_at": state.last_look_at and state.last_look_at.isoformat(),
        "trouble": state.trouble and state.trouble.value,
        "message": state.message,
        "looks": state.looks,
        "inferred": state.inferred,
        "failures": state.failures,
        "flaws": [flaw.value for flaw in state.flaws],
    }


def _state(given: dict[str, Any]) -> CameraState:
    last = given["last_look_at"]
    return CameraState(
        camera_id=CameraId(given["camera_id"]),
        condition=CameraCondition(given["condition"]),
        since=datetime.fromisoformat(given["since"]),
        last_look_at=None if last is None else datetime.fromisoformat(last),
        trouble=None if given["trouble"] is None else Trouble(given["trouble"]),
        message=given["message"],
        looks=given["looks"],
        inferred=given["inferred"],
        failures=given["failures"],
        flaws=tuple(Flaw(flaw) for flaw in given["flaws"]),
    )
