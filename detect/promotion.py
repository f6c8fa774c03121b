"""Which weights a data folder uses: chosen by a person, switched in one rename, with the way back kept.

`weights/` in the data folder holds copies named by their content, so that what is in use cannot change or vanish under
a running box; `weights/in-use.json` names one of them. Without that file the shipped weights are used.
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
CHOICE = "in-use.json"


@dataclass(frozen=True, slots=True)
class Choice:
    """Weights in use. folder: their name under `weights/`, "" for the shipped ones; by: who decided, in their words.

    previous: the folder that was used before, None where there is no way back.
    """

    folder: str
    manifest_sha256: str
    at: str
    by: str
    previous: str | None


class WeightsShelf:
    """The `weights` folder of one data folder. Only a command of a person writes to it."""

    def __init__(self, data: Path) -> None:
        self.root = data / SHELF

    def choice(self) -> Choice | None:
        """What was chosen; None while the shipped weights are in use. Raises WeightsError for a damaged file."""
        try:
            return Choice(**json.loads((self.root / CHOICE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as trouble:
            raise WeightsError(
                f"{self.root / CHOICE} is damaged ({trouble}); remove it to use the shipped weights"
            ) from None

    def in_use(self) -> Path:
        """The folder to load. Raises WeightsError when what was chosen is gone or altered, and says the way out."""
        choice = self.choice()
        if choice is None or not choice.folder:
            return shipped_weights()
        folder = self.root / choice.folder
        manifest = folder / MANIFEST
        if not manifest.is_file() or sha256(manifest) != choice.manifest_sha256:
            raise WeightsError(
                f"{folder}: the weights in use since {choice.at} are gone or altered; go back to the ones before with: "
                "gridwarden shadow promote --back"
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

    def promote(self, kept: Path, *, by: str, at: datetime) -> Choice:
        """From the next start on these weights are used. Raises WeightsError when they don't fit."""
        if kept.parent != self.root:
            raise WeightsError(f"{kept}: only weights on the shelf can be promoted; put them there first")
        check_fit(verified_manifest(kept), read_manifest(self.in_use()))
        present = self.choice()
        return self._choose(kept.name, previous=present.folder if present else "", by=by, at=at)

    def back(self, *, by: str, at: datetime) -> Choice:
        """The weights before these are used again. Raises WeightsError when there is no way back."""
        present = self.choice()
        if present is None or present.previous is None:
            raise WeightsError("There is nothing to go back to: these are the weights this data folder began with.")
        if present.previous:
            verified_manifest(self.root / present.previous)
        return self._choose(present.previous, previous=present.folder, by=by, at=at)

    def _choose(self, folder: str, *, previous: str | None, by: str, at: datetime) -> Choice:
        digest = sha256((self.root / folder if folder else shipped_weights()) / MANIFEST)
        choice = Choice(folder, digest, moment(at), by, previous)
        write_json(self.root / CHOICE, asdict(choice))
        return choice


def check_fit(new: Manifest, present: Manifest) -> None:
    """Raises WeightsError when rules would lose a class they have today."""
    missing = [name for name in present.names if name not in new.names]
    if missing:
        raise WeightsError(
            f"{new.folder}: does not know {', '.join(missing)}, which the weights in use ({present.name}) know; "
            "the rules that need them would go blind. Train with these classes, or map their names in the manifest."
        )


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Whole or not at all, also when the power fails. Raises DataFolderError when it cannot be written."""
    beside = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as trouble:
        raise DataFolderError(f"{path} cannot be written ({trouble.strerror}); free space.") from None


def _plain(name: str) -> str:
    """Of a manifest from outside, only what is safe in a folder's name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:40] or "weights"
