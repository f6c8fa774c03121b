"""Originals of evidence, unmasked and encrypted, for the few who may ask for them; kept only where that is set.

The masked picture is what everyone works with. Where police or urban management must read a plate, the operator can
have the original kept beside it: AES-256-GCM under a key of its own file, bound to the masked picture's name, so that
neither the disk nor a backup without the key shows a face, and no original can pass for another's.
"""

from __future__ import annotations

import secrets
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.picture_store import PictureStore
from ingest.seal import NONCE_BYTES, open_seal
from models.errors import DataFolderError
from models.ids import PictureHash

MOST_BYTES = 5 * 2**30
"""40,000 originals; whoever needs older ones asks while the case is open, for those stay."""


@dataclass(frozen=True, slots=True)
class Originals:
    """folder: encrypted pictures, each under the name of its masked one; keys: the file of keys, made at first use."""

    folder: Path
    keys: Path

    def put(self, masked: PictureHash, jpeg: bytes) -> None:
        """On disk when it returns. Raises DataFolderError when it or its key cannot be written."""
        seal = open_seal(self.keys)
        nonce = secrets.token_bytes(NONCE_BYTES)
        closed = AESGCM(seal.keys[seal.newest]).encrypt(nonce, jpeg, masked.encode())
        PictureStore(self.folder).put_as(masked, seal.newest.encode() + b":" + nonce + closed)

    def get(self, masked: PictureHash | str) -> bytes | None:
        """The original's JPEG; None when none was kept. Raises DataFolderError when it cannot be decrypted."""
        if not self.folder.is_dir():
            return None
        stored = PictureStore(self.folder).get(masked)
        if stored is None:
            return None
        name, _, data = stored.partition(b":")
        try:
            key = open_seal(self.keys).keys[name.decode()]
            return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], masked.encode())
        except (KeyError, ValueError, InvalidTag):
            raise DataFolderError(
                f"The original of the picture {masked} cannot be decrypted: {self.keys} is not the key file it was "
                "encrypted with, or the file was altered. Restore the key file from the backup."
            ) from None

    def prune(self, *, keep: Container[str], max_age_s: float, max_bytes: int = MOST_BYTES) -> int:
        """As `PictureStore.prune`: never one whose masked picture is in `keep`."""
        if not self.folder.is_dir():
            return 0
        return PictureStore(self.folder).prune(keep=keep, max_bytes=max_bytes, max_age_s=max_age_s)
