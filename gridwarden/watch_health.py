"""Keeps the health journal of a running box, and says on stderr what began and what ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from ingest.health_events import HealthEvent
from ingest.health_journal import HealthJournal
from models.clock import Clock
from models.errors import DataFolderError
from models.places import CameraState

log = logging.getLogger(__name__)

EVERY_S = 5.0
"""How old what `gridwarden cameras` shows may be; 1,438 states are 300 kB of JSON and 10 ms."""

TIDIED_EVERY = 17_280
"""Rounds between two tidyings: a day."""

NAMED = 3
"""Cameras named when many fail together; the journal has them all."""


async def watch_health(
    path: Path, states: Callable[[], list[CameraState]], *, clock: Clock, every_s: float = EVERY_S
) -> None:
    """Until cancelled. `states` is asked in the event loop, which is where the fleet lives.

    Raises DataFolderError when the journal cannot be opened; later troubles with it are only said.
    """
    journal = HealthJournal(path)
    rounds = 0
    try:
        while True:
            await asyncio.sleep(every_s)
            present = states()
            rounds += 1
            try:
                tell(await asyncio.to_thread(journal.note, present, clock.now()))
                if rounds % TIDIED_EVERY == 0:
                    await asyncio.to_thread(journal.tidy, clock.now())
            except DataFolderError as error:
                log.error("%s", error)
    finally:
        journal.close()


def tell(events: Sequence[HealthEvent]) -> None:
    """A line per kind, however many cameras: a recorder that fails takes 64 with it."""
    for (kind, ended), alike in groupby(sorted(events, key=_kind), key=_kind):
        some = list(alike)
        names = ", ".join(event.camera_id for event in some[:NAMED])
        if len(some) > NAMED:
            names += f" and {len(some) - NAMED} more"
        if ended:
            log.info("no longer %s: %s", kind, names)
        else:
            log.warning("%s: %s (%s)", kind, names, some[0].message)


def _kind(event: HealthEvent) -> tuple[str, bool]:
    return event.kind, event.ended_at is not None
