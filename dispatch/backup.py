"""A copy of the record taken while it is in use, and put back: SQLite by its own backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from models.errors import DataFolderError, SettingsError

PAGES_A_STEP = 2000
"""8 MB at a time: the dispatcher writes between the steps."""


def backup(url: str, copy: Path) -> None:
    """Writes a consistent copy, whole or not at all. Raises DataFolderError, SettingsError for a missing pg_dump."""
    waiting = copy.with_name(copy.name + ".new")
    parsed = make_url(url)
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(Path(parsed.database or ""), waiting)
        else:
            _run("pg_dump", parsed, "--format=custom", f"--file={waiting}", f"--dbname={parsed.database}")
        waiting.replace(copy)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(f"The backup {copy} cannot be written: {error}") from error
    finally:
        waiting.unlink(missing_ok=True)


def restore(copy: Path, url: str) -> None:
    """Puts a copy in the record's place; nobody may be using the record. Raises DataFolderError, SettingsError."""
    if not copy.is_file():
        raise SettingsError(f"There is no backup {copy}. Name the file that `gridwarden backup` wrote.")
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        _run(
            "pg_restore", parsed, "--clean", "--if-exists", "--single-transaction", "--no-owner",
            f"--dbname={parsed.database}", str(copy),
        )  # fmt: skip
        return
    record = Path(parsed.database or "")
    waiting = record.with_name(record.name + ".new")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        _copy_sqlite(copy, waiting)
        for left_over in ("-wal", "-shm"):  # of the record that is replaced: they would be applied to the new one
            record.with_name(record.name + left_over).unlink(missing_ok=True)
        waiting.replace(record)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError(f"The backup {copy} cannot be put in place of {record}: {error}") from error
    finally:
        waiting.unlink(missing_ok=True)


def _copy_sqlite(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    reading = source.resolve().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(reading, uri=True, timeout=10)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=PAGES_A_STEP)
        if new.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise DataFolderError(f"{source} is damaged: its copy does not pass SQLite's own check")


def _run(program: str, url: URL, *arguments: str) -> None:
    """The password goes by the environment: command lines can be read by everybody on the machine."""
    found = shutil.which(program)
    if found is None:
        raise SettingsError(f"{program} is not installed: apt-get install postgresql-client.")
    where = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = {name: str(value) for name, value in where.items() if value is not None}
    done = subprocess.run(  # noqa: S603
        [found, *arguments], env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DataFolderError(f"{program} failed: {done.stderr.strip()[:500]}")
