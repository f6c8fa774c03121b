"""What the `cameras` commands share: the data folder, the book of cameras in it, words for conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dispatch.store.store import Store
from gridwarden.camera_book import CameraBook
from gridwarden.data_folder import DataFolder
from models.clock import SystemClock
from models.errors import SettingsError
from models.places import CameraCondition

DataOption = Annotated[Path, typer.Option("--data", help="The data folder of the box.")]
DATA = Path("var/gridwarden")
"""As `gridwarden up` has it."""

CONDITION_WORDS = {
    CameraCondition.STARTING: "starting 启动中",
    CameraCondition.ONLINE: "online 在线",
    CameraCondition.LATE: "late 延迟",
    CameraCondition.OFFLINE: "offline 离线",
}
PAUSED = "paused 已暂停"


@contextmanager
def camera_book(data: Path, *, make: bool = False) -> Iterator[CameraBook]:
    """The cameras in this data folder, beside a running box or without; `make`: also where no box was started yet."""
    if not make and not (data / "gridwarden.sqlite").exists():
        raise SettingsError(
            f"{data} holds no record (gridwarden.sqlite): name the data folder of the box with --data, "
            "or begin one with `gridwarden up` or `gridwarden cameras import`."
        )
    folder = DataFolder(data)
    store = Store.open(folder.database_url, clock=SystemClock())
    try:
        yield CameraBook(store, keys=folder.camera_keys, notes=folder.camera_notes)
    finally:
        store.close()
