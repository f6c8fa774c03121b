"""Evidence on a bounded disk: forgotten by age and size, never while an incident that holds it is open."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch.kept_pictures import HASH, pictures_of_open_incidents
from dispatch.store.store import Store
from gridwarden.data_folder import DataFolder
from ingest.picture_store import PictureStore

log = logging.getLogger(__name__)

DAY_S = 86_400.0

LEAST_AGE_S = 2 * DAY_S
"""Never forgotten before: a find may wait in the spool, a photo on a phone without network, both for a day or two."""

LOOK_EVERY_S = 600.0
"""How often the disk's free space is asked for; a district writes some hundred megabytes in that time at most."""

LOW_FREE_BYTES = 2 * 2**30
"""Below this the oldest evidence goes at once: SQLite needs room for its log, and a full disk stops the box."""


@dataclass(frozen=True, slots=True)
class Retention:
    """days, most_bytes: how long and how much evidence of finished incidents is kept.

    180 days: complaints and appeals against an assessment come within half a year. 20 GiB: 150,000 pictures.
    """

    days: float = 180.0
    most_bytes: int = 20 * 2**30
    low_free_bytes: int = LOW_FREE_BYTES
    originals_days: float = 30.0  # a month: after that the masked picture is enough, or the case is still open


@dataclass(frozen=True, slots=True)
class Storage:
    """How full it is."""

    pictures: int
    bytes: int
    oldest_days: float | None
    free_bytes: int
    disk_share: float

    def line(self) -> dict[str, Any]:
        """For --json."""
        return {
            "pictures": self.pictures,
            "bytes": self.bytes,
            "oldest_days": None if self.oldest_days is None else round(self.oldest_days, 2),
            "free_bytes": self.free_bytes,
            "disk_share": round(self.disk_share, 4),
        }


def read_storage(folder: DataFolder) -> Storage:
    stored = PictureStore(folder.pictures).stored()
    disk = shutil.disk_usage(folder.root)
    days = None if stored.oldest_s is None else stored.oldest_s / DAY_S
    return Storage(stored.pictures, stored.bytes, days, disk.free, 1 - disk.free / disk.total)


def forget_old_evidence(
    store: Store, folder: DataFolder, retention: Retention, *, free_bytes: Callable[[], int]
) -> int:
    """The number of pictures removed; says when the disk stays low because everything on it is still needed."""
    pictures = PictureStore(folder.pictures)
    most = retention.most_bytes
    short = retention.low_free_bytes - free_bytes()
    if short > 0:
        most = min(most, max(pictures.stored().bytes - short, 0))
    with store.reading() as session:
        keep = pictures_of_open_incidents(session)
    keep |= _spooled(folder.node / "spool.db")
    removed = pictures.prune(
        keep=keep,
        max_bytes=most,
        max_age_s=retention.days * DAY_S,
        least_age_s=min(LEAST_AGE_S, retention.days * DAY_S),
    )
    removed += folder.originals.prune(keep=keep, max_age_s=min(retention.originals_days, retention.days) * DAY_S)
    if free_bytes() < retention.low_free_bytes:
        log.error(
            "The disk of %s has %d MiB left, and all evidence on it is of open incidents or younger than two days: "
            "make room, or move the data folder to a larger disk.",
            folder.root, free_bytes() // 2**20,
        )  # fmt: skip
    return removed


async def look_after_evidence(store: Store, folder: DataFolder, retention: Retention) -> None:
    """Until cancelled: once a day, and whenever the disk is low."""

    def free_bytes() -> int:
        return shutil.disk_usage(folder.root).free

    slept_s = DAY_S
    while True:
        if slept_s >= DAY_S or free_bytes() < retention.low_free_bytes:
            try:
                removed = await asyncio.to_thread(forget_old_evidence, store, folder, retention, free_bytes=free_bytes)
            except OSError:
                log.exception("Old evidence could not be removed; tried again tomorrow")
            else:
                log.info("%d pictures of finished incidents were forgotten", removed)
            slept_s = 0.0
        await asyncio.sleep(LOOK_EVERY_S)
        slept_s += LOOK_EVERY_S


def _spooled(path: Path) -> set[str]:
    """Pictures of finds that dispatch has not committed yet."""
    if not path.exists():
        return set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        bodies = connection.execute("SELECT body FROM message")
        return {name for (body,) in bodies for name in HASH.findall(body)}
