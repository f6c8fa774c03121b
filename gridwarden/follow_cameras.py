"""Changes of the cameras reach the running watch: whoever makes them, command or page, only writes the record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from gridwarden.camera_book import CameraBook
from models.errors import DataFolderError
from models.ids import CameraId
from models.places import Camera

log = logging.getLogger(__name__)

EVERY_S = 2.0
"""How often the record's revision is asked for, one row of one table: a change is watched within this time."""


class Watching(Protocol):
    """What is told: `detect.node.WatchNode`."""

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]: ...


async def follow_cameras(
    book: CameraBook, node: Watching, *, present: Sequence[Camera], every_s: float = EVERY_S
) -> None:
    """Until cancelled. `present`: what the node watches already."""
    watched, revision = list(present), ""
    while True:
        try:
            newest = await asyncio.to_thread(book.revision)
            if newest != revision:
                cameras = await asyncio.to_thread(book.watched)
                if cameras != watched:
                    node.set_cameras(cameras)
                    log.info("the cameras have changed: %d are watched now", len(cameras))
                watched, revision = cameras, newest
        except DataFolderError as error:
            log.error("the cameras cannot be read, those watched go on: %s", error)
        await asyncio.sleep(every_s)
