"""The folder in which one gridwarden keeps everything: record, pictures, spool, scene memory, secret."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.originals import Originals
from models.errors import DataFolderError

LEAST_FREE_BYTES = 200 * 1024 * 1024
"""Below this nothing is started: a day of evidence of a small district, and room to stop properly."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside a folder that `opened` has made and locked."""

    root: Path

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.root / 'gridwarden.sqlite'}"

    @property
    def pictures(self) -> Path:
        return self.root / "pictures"

    @property
    def originals(self) -> Originals:
        """Unmasked evidence, encrypted; empty unless `up --keep-originals`. A backup keeps the key apart."""
        return Originals(self.root / "originals", self.root / "original-keys.json")

    @property
    def node(self) -> Path:
        """Spool, scene memory and suppressions of the watch node on this box."""
        return self.root / "node"

    @property
    def camera_keys(self) -> Path:
        """What the cameras' addresses are encrypted with; a backup keeps it apart from the record."""
        return self.root / "camera-keys.json"

    @property
    def camera_notes(self) -> Path:
        """Which cameras are paused or were added by hand."""
        return self.root / "cameras.json"

    @property
    def health(self) -> Path:
        """What the cameras went through; read by `gridwarden cameras` while the box runs."""
        return self.node / "health.db"

    @property
    def compiled(self) -> Path:
        """Networks compiled for this machine; may be deleted, is made again."""
        return self.root / "compiled"

    @property
    def sign_ins(self) -> Path:
        """Ready-made sign-ins of a demonstration; readable by its owner only."""
        return self.root / "demo-sign-ins.json"

    def metrics_token(self) -> str:
        """What Prometheus shows for `/metrics`, made at the first start; readable by the folder's owner only."""
        path = self.root / "metrics-token"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32).encode())
        return path.read_text().strip()

    def secret(self) -> bytes:
        """32 random bytes, made at the first start; MQTT passwords are derived from them."""
        path = self.root / "secret"
        if not path.exists():
            write_private(path, secrets.token_bytes(32))
        return path.read_bytes()


@contextmanager
def opened(root: Path) -> Iterator[DataFolder]:
    """Makes the folder if need be and holds it until the end.

    Raises DataFolderError when it cannot be written, has no room, or another gridwarden holds it.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataFolderError(
            f"The data folder {root} cannot be written ({error.strerror}). "
            "Choose another with --data, or change its owner."
        ) from error
    try:
        _lock(lock, root)
        _check_room(root)
        folder = DataFolder(root.resolve())
        folder.node.mkdir(exist_ok=True)
        yield folder
    finally:
        os.close(lock)


def write_private(path: Path, content: bytes) -> None:
    """Written whole or not at all, readable by its owner only."""
    waiting = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)


def _lock(descriptor: int, root: Path) -> None:
    """The lock is the kernel's and goes with the process, kill -9 included; the number inside is for people."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise DataFolderError(
            f"The data folder {root} is in use by another gridwarden (process {holder}). "
            "Stop that one, or choose another with --data."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _check_room(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < LEAST_FREE_BYTES:
        raise DataFolderError(
            f"The disk of the data folder {root} has {free // 2**20} MiB left; gridwarden starts with "
            f"{LEAST_FREE_BYTES // 2**20} MiB or more. Make room, or choose another disk with --data."
        )
