"""Brings a database to the present form; the only reader of `migrations`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from models.errors import DataFolderError

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Runs what is missing. Raises DataFolderError when the database was written by a newer gridwarden."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DataFolderError(
            f"The database is of a form this gridwarden does not know ({error}): "
            "start the newer gridwarden that wrote it, or restore a backup made before."
        ) from error
