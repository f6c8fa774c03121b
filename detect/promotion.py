"""Which weights a data folder uses: promoted by a person, switched in one rename, with the way back kept.

`weights/` in the data folder holds copies named by their content, so that what is in use cannot change or vanish under
a running box. `weights/in-use.txt` names one of them or "shipped", as `gridwarden weights use` writes it, too;
`weights/promotion.json` tells who promoted it, when, and what was used before.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from detect.weights import MANIFEST, Manifest, read_manifest, sha256, shipped_weights, verified_manifest
from models.errors import DataFolderError, WeightsError
from models.wire import moment

SHELF = "weights"
IN_USE = "in-use.txt"
SHIPPED_NAME = "shipped"
PROMOTION = "promotion.json"


@dataclass(frozen=True, slots=True)
class Promotion:
    """The last one. name, previous: folders of the shelf, or "shipped"; by: who decided, in their words."""

    name: str
    previous: str
    manifest_sha256: str
    at: str
    by: str


class WeightsShelf:
    """The `weights` folder of one data folder. Only a command of a person writes to it."""

    def __init__(self, data: Path) -> None:
        self.root = data / SHELF

    def promotion(self) -> Promotion | None:
        """How what is in use came into use; None where no promotion has led to it. Raises WeightsError when damaged."""
        try:
            found = Promotion(**json.loads((self.root / PROMOTION).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as trouble:
            raise WeightsError(
                f"{self.root / PROMOTION} is damaged ({trouble}); remove it and choose with: gridwarden weights use"
            ) from None
        return found if found.name == self.name_in_use() else None

    def name_in_use(self) -> str:
        """Of a folder on the shelf, or "shipped"."""
        try:
            return (self.root / IN_USE).read_text(encoding="utf-8").strip() or SHIPPED_NAME
        except FileNotFoundError:
            return SHIPPED_NAME

    def in_use(self) -> Path:
        """The folder to load. Raises WeightsError when what was chosen is gone or altered, and says the way out."""
        name, promotion = self.name_in_use(), self.promotion()
        folder = self._folder(name)
        manifest = folder / MANIFEST
        if name == SHIPPED_NAME:  # these change with every version of gridwarden
            return folder
        if not manifest.is_file() or (promotion and sha256(manifest) != promotion.manifest_sha256):
            raise WeightsError(
                f"{folder}: the weights in use are gone or were altered; go back to the ones before with "
                "`gridwarden shadow promote --back`, or choose others with `gridwarden weights use NAME`"
            )
        return folder

    def keep(self, source: Path) -> Path:
        """A checked copy of these weights on the shelf; the one already there when it is the same.

        Raises WeightsError for weights that are not what their manifest says, DataFolderError when there is no room.
        """
        manifest = verified_manifest(source)
        kept = self.root / f"{_plain(manifest.name)}-{sha256(source / MANIFEST)[:12]}"
        if kept.is_dir():
            verified_manifest(kept)
            return kept
        beside = kept.with_name(f".{kept.name}.new-{os.getpid()}")
        try:
            beside.mkdir(parents=True)
            for name in (*manifest.files, MANIFEST):
                shutil.copyfile(source / name, beside / name)
            verified_manifest(beside)
            beside.rename(kept)
        except OSError as trouble:
            raise DataFolderError(f"{self.root} cannot be written ({trouble.strerror}); free space.") from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return kept

    def promote(self, kept: Path, *, by: str, at: datetime) -> Promotion:
        """From the next start on these weights are used. Raises WeightsError when they don't fit."""
        if kept.parent != self.root:
            raise WeightsError(f"{kept}: only weights on the shelf can be promoted; put them there first")
        check_fit(verified_manifest(kept), read_manifest(self.in_use()))
        return self._use(kept.name, by=by, at=at)

    def back(self, *, by: str, at: datetime) -> Promotion:
        """The weights before these are used again. Raises WeightsError when there is no way back."""
        present = self.promotion()
        if present is None:
            raise WeightsError("There is nothing to go back to: no promotion has led to the weights that are in use.")
        verified_manifest(self._folder(present.previous))
        return self._use(present.previous, by=by, at=at)

    def _use(self, name: str, *, by: str, at: datetime) -> Promotion:
        """The story first: cut off between the two, it tells of weights that are not in use and is not believed."""
        told = Promotion(name, self.name_in_use(), sha256(self._folder(name) / MANIFEST), moment(at), by)
        write_whole(self.root / PROMOTION, json.dumps(asdict(told), ensure_ascii=False, indent=1))
        write_whole(self.root / IN_USE, name)
        return told

    def _folder(self, name: str) -> Path:
        return shipped_weights() if name == SHIPPED_NAME else self.root / name


def check_fit(new: Manifest, present: Manifest) -> None:
    """Raises WeightsError when rules would lose a class they have today."""
    missing = [name for name in present.names if name not in new.names]
    if missing:
        raise WeightsError(
            f"{new.folder}: does not know {', '.join(missing)}, which the weights in use ({present.name}) know; "
            "the rules that need them would go blind. Train with these classes, or map their names in the manifest."
        )


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """As `write_whole`."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1))


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all, also when the power fails. Raises DataFolderError when it cannot be written."""
    beside = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as trouble:
        raise DataFolderError(f"{path} cannot be written ({trouble.strerror}); free space.") from None


def _plain(name: str) -> str:
    """Of a manifest from outside, only what is safe in a folder's name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:40] or "weights"
