"""Who and where change a few times a day and are asked for with every message: kept in memory until they change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from dispatch.routing import Directory
from dispatch.store.directory import DirectoryRevisionRow
from dispatch.store.tables import Base

_REVISION = select(DirectoryRevisionRow.revision)
_CHANGE = update(Base.metadata.tables[DirectoryRevisionRow.__tablename__])


@dataclass(slots=True)
class KeptDirectory:
    """What a store's sessions share: the directory, and the revision it was read under. Replaced as one value."""

    kept: tuple[str, Directory] | None = None


def directory_changed(session: Session) -> None:
    """To be called in the transaction that changes people or places.

    The revision is a random word, not a count: a change rolled back must not share its number with the next one.
    """
    session.info.pop("directory", None)
    session.execute(_CHANGE, {"revision": uuid.uuid4().hex})


def directory_revision(connection: Connection) -> str:
    """As its transaction sees it. Read before the directory: what is then read is never older than its revision."""
    return connection.execute(_REVISION).scalar_one()
