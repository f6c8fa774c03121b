"""Camera addresses at rest: encrypted with a key only this box has, because they hold the cameras' passwords.

AES-256-GCM, bound to the camera's id: a row copied to another camera does not open. Whoever gets the database or a
backup of it without the key file gets no password; keep the two apart.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.addresses import DEFAULT_PORTS
from models.errors import DataFolderError
from models.places import Camera

MARK = "sealed:1:"
"""How a sealed address begins; no scheme of a camera does. The number tells the form, so that it can change."""

KEY_BYTES = 32
NONCE_BYTES = 12
"""What GCM wants (NIST SP 800-38D §8.2.2); random, one box seals some thousands a year, 2^32 would be too many."""

OTHERS = 0o077
"""Rights of group and others: none, or the key is no secret."""


@dataclass(frozen=True, slots=True)
class Seal:
    """keys: by name, the newest last; it seals, all of them open."""

    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def newest(self) -> str:
        return next(reversed(list(self.keys)))

    def sealed(self, camera: Camera) -> Camera:
        """The camera as it may be stored. File paths hold no secret and stay readable; the sealed stays as it is."""
        scheme = camera.source.strip().partition("://")[0].lower()
        if camera.source.startswith(MARK) or scheme not in DEFAULT_PORTS:
            return camera
        nonce = secrets.token_bytes(NONCE_BYTES)
        closed = AESGCM(self.keys[self.newest]).encrypt(nonce, camera.source.encode(), camera.camera_id.encode())
        return replace(camera, source=f"{MARK}{self.newest}:{urlsafe_b64encode(nonce + closed).decode()}")

    def opened(self, camera: Camera) -> Camera:
        """The camera as it is looked at; plain addresses of older versions are passed through.

        Raises DataFolderError when the key is another one than it was sealed with, or the row was altered.
        """
        if not camera.source.startswith(MARK):
            return camera
        name, _, token = camera.source[len(MARK) :].partition(":")
        try:
            data = urlsafe_b64decode(token)
            plain = AESGCM(self.keys[name]).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], camera.camera_id.encode())
        except (KeyError, ValueError, InvalidTag):
            raise DataFolderError(
                f"The address of the camera {camera.camera_id} cannot be decrypted: the key file is not the one it was "
                "encrypted with, or the record was altered. Restore camera-keys.json from the backup that belongs to "
                "this record, or give the camera its address again: gridwarden cameras add."
            ) from None
        return replace(camera, source=plain.decode())

    def is_current(self, camera: Camera) -> bool:
        """Whether the stored row needs nothing: no secret in it, or sealed with the newest key."""
        return self.sealed(camera).source == camera.source and (
            not camera.source.startswith(MARK) or camera.source.startswith(f"{MARK}{self.newest}:")
        )


def open_seal(path: Path) -> Seal:
    """The keys in the file, made at first use. Raises DataFolderError: unreadable, damaged, or others may read it."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            _write(path, _with_new_key({}), first=True)
    try:
        if path.stat().st_mode & OTHERS:
            raise DataFolderError(f"The key file {path} can be read by others; correct it: chmod 600 {path}")
        keys = {name: urlsafe_b64decode(key) for name, key in json.loads(path.read_bytes()).items()}
    except OSError as error:
        raise DataFolderError(f"The key file {path} cannot be read: {error.strerror}.") from None
    except (ValueError, AttributeError, TypeError):
        keys = {}
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise DataFolderError(f"The key file {path} is damaged; restore it from the backup.")
    return Seal(keys)


def add_key(path: Path) -> Seal:
    """A new key beside the old ones, which still open what they sealed."""
    seal = Seal(_with_new_key(open_seal(path).keys))
    _write(path, seal.keys)
    return seal


def drop_old_keys(path: Path) -> Seal:
    """For when everything is sealed with the newest key."""
    seal = open_seal(path)
    kept = Seal({seal.newest: seal.keys[seal.newest]})
    _write(path, kept.keys)
    return kept


def _with_new_key(keys: Mapping[str, bytes]) -> dict[str, bytes]:
    return {**keys, secrets.token_hex(4): secrets.token_bytes(KEY_BYTES)}


def _write(path: Path, keys: Mapping[str, bytes], *, first: bool = False) -> None:
    """Whole or not at all, for its owner only; `first` never replaces a file another process has just made."""
    text = json.dumps({name: urlsafe_b64encode(key).decode() for name, key in keys.items()}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-keys-")  # mkstemp's files are 0600
    except OSError as error:
        raise DataFolderError(f"The key file {path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if first:
            os.link(name, path)
        else:
            os.replace(name, path)  # noqa: PTH105 - beside os.link
    finally:
        Path(name).unlink(missing_ok=True)
