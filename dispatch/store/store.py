"""Opening the database, and the two ways to use it: a write transaction and a read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import ORMExecuteState, Session

from dispatch.feed import Feed
from dispatch.practice import Practice
from dispatch.store.migrate import migrate
from dispatch.store.pending import Pending
from dispatch.store.revision import KeptDirectory
from dispatch.store.tables import EventRow
from models.clock import Clock
from models.errors import DataFolderError, SettingsError
from models.incidents import Incident
from models.taxonomy import load_taxonomy

BUSY_TIMEOUT_MS = 10_000
"""A writer waits this long for another; a transaction takes milliseconds, so ten seconds means something is stuck."""

WRITERS_LOCK = 0x67_77_31
"""PostgreSQL advisory lock that lets one writer in at a time, as SQLite does: `seq` is then read without gaps."""


class StoreSession(Session):
    """A session for one transaction, which knows how the city works (`practice`).

    incidents: those it has read, as its own events have left them; newest_seq, newest_number: the last given out, 0
    before the first; written: what waits to be written out, see `dispatch.store.pending`.
    """

    def __init__(self, engine: Engine, *, practice: Practice, kept_directory: KeptDirectory) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.practice = practice
        self.kept_directory = kept_directory
        self.incidents: dict[str, Incident] = {}
        self.newest_seq = 0
        self.newest_number = 0
        self.pending = Pending()

    @property
    def core(self) -> Connection:
        """This transaction's connection, for what every message does: a third of the ORM's CPU.

        Whoever reads through it finds what has been written before.
        """
        self.pending.write_out(self.line)
        return self.line

    @cached_property
    def line(self) -> Connection:
        """The connection as it is, for what takes what is still pending into account by itself."""
        return self.connection()


@event.listens_for(StoreSession, "do_orm_execute")
def _write_before_reading(state: ORMExecuteState) -> None:
    session = state.session
    assert isinstance(session, StoreSession)
    session.pending.write_out(session.line)


@event.listens_for(StoreSession, "before_commit")
def _write_before_commit(session: StoreSession) -> None:
    session.pending.write_out(session.line)


class Store:
    """The record. Thread-safe; every use takes its own session."""

    def __init__(self, engine: Engine, *, clock: Clock, practice: Practice) -> None:
        self.clock = clock
        self.practice = practice
        self.feed = Feed()
        self._kept_directory = KeptDirectory()
        self._reading = engine
        self._writing = engine.execution_options(gridwarden_write=True)

    @classmethod
    def open(cls, url: str, *, clock: Clock, practice: Practice | None = None) -> Store:
        """Opens (SQLite: makes) the database and brings it to the present form.

        Raises SettingsError for an unusable URL, DataFolderError when the database cannot be opened.
        """
        engine = _engine(url)
        store = cls(engine, clock=clock, practice=practice or Practice(load_taxonomy()))
        try:
            with store._writing.begin() as connection:
                migrate(connection)
            with store.reading() as session:
                store.feed.committed(session.scalar(select(func.max(EventRow.seq))) or 0)
        except DBAPIError as error:
            engine.dispose()
            raise DataFolderError(f"The database {_shown(url)} cannot be opened: {error.orig}") from error
        except DataFolderError:
            engine.dispose()
            raise
        return store

    @contextmanager
    def transaction(self) -> Iterator[StoreSession]:
        """A write: commits on leaving, rolls back on an error, then wakes the feed."""
        with self._session(self._writing) as session, session.begin():
            yield session
        if session.newest_seq:
            self.feed.committed(session.newest_seq)

    @contextmanager
    def reading(self) -> Iterator[StoreSession]:
        """A consistent view of one moment; nothing written in it is kept."""
        with self._session(self._reading) as session:
            yield session

    def close(self) -> None:
        self._reading.dispose()

    def _session(self, engine: Engine) -> StoreSession:
        return StoreSession(engine, practice=self.practice, kept_directory=self._kept_directory)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        engine = create_engine(parsed, json_serializer=_json, connect_args={"timeout": 10} if sqlite else {})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SettingsError(
            f"The database address {_shown(url)} cannot be used ({error}): "
            "give sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/name."
        ) from error
    if sqlite:
        _make_folder(parsed.database)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _make_folder(database: str | None) -> None:
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderError(f"The folder of {database} cannot be made: {error.strerror}") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL lets readers and the writer work at once; FULL makes a commit survive a power cut."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: upgrading a read later could fail when another has written in between."""
    writes = connection.get_execution_options().get("gridwarden_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("gridwarden_write"):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS_LOCK})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shown(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "given"
