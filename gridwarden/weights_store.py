"""The weights kept in a data folder, each in a folder of its own with a manifest, and which of them is in use."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from detect.backends.opening import described
from detect.weights import MANIFEST, Manifest, read_manifest, shipped_weights, verified_manifest, write_manifest
from gridwarden.data_folder import write_private
from models.errors import WeightsError

SHIPPED_NAME = "shipped"
IN_USE = "in-use.txt"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CARDS = ("CARD.md", "LICENSE")  # what goes along with weights when it lies beside them


@dataclass(frozen=True, slots=True)
class Kept:
    """Weights as `gridwarden weights list` tells them. manifest: None where it cannot be read, as `trouble` says."""

    name: str
    folder: Path
    manifest: Manifest | None
    size: int
    trouble: str
    in_use: bool


@dataclass(frozen=True, slots=True)
class WeightsStore:
    """`root` is the folder `weights` of a data folder; it need not exist."""

    root: Path

    @classmethod
    def of(cls, data: Path) -> WeightsStore:
        return cls(data / "weights")

    def kept(self) -> list[Kept]:
        """The shipped weights first, then the others by name; every file is held against its sha256."""
        chosen = self.in_use_name()
        folders = [self.root / name for name in self._names()]
        named = [(SHIPPED_NAME, shipped_weights()), *((folder.name, folder) for folder in folders)]
        return [_kept(name, folder, in_use=name == chosen) for name, folder in named]

    def folder(self, name: str) -> Path:
        """Raises WeightsError for a name that is not kept here."""
        if name == SHIPPED_NAME:
            return shipped_weights()
        if name not in self._names():
            known = ", ".join([SHIPPED_NAME, *self._names()])
            raise WeightsError(f"No weights {name!r} in {self.root}; there are {known}")
        return self.root / name

    def add(
        self, source: Path, *, name: str | None = None, class_map: Path | None = None, licence: str = ""
    ) -> Manifest:
        """Copies weights in, whole or not at all, with a manifest that holds their sha256 from now on.

        Raises WeightsError when they cannot be read, are no detector, or the name is taken.
        """
        manifest = described(source, class_map=class_map)
        wanted = name or manifest.name
        self._check_free(wanted)
        with self._building(wanted) as folder:
            for file in (*manifest.files, *(card for card in CARDS if (manifest.folder / card).is_file())):
                shutil.copyfile(manifest.folder / file, folder / file)
            write_manifest(replace(manifest, folder=folder, name=wanted, licence=licence or manifest.licence))
        return read_manifest(self.root / wanted)

    def use(self, name: str) -> Path:
        """From the next start on these are the weights of this data folder. They are verified first."""
        folder = self.folder(name)
        verified_manifest(folder)
        self.root.mkdir(parents=True, exist_ok=True)
        write_private(self.root / IN_USE, name.encode())
        return folder

    def in_use_name(self) -> str:
        """The shipped ones unless others were chosen."""
        path = self.root / IN_USE
        return path.read_text(encoding="utf-8").strip() if path.is_file() else SHIPPED_NAME

    def in_use(self) -> Path:
        """Raises WeightsError when the chosen ones are gone: looking with others unasked would falsify every figure."""
        return self.folder(self.in_use_name())

    def _names(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if NAME.fullmatch(path.name) and path.is_dir())

    def _check_free(self, name: str) -> None:
        if not NAME.fullmatch(name) or name == SHIPPED_NAME:
            raise WeightsError(f"{name!r} cannot be a name of weights: letters, digits, . _ - and not {SHIPPED_NAME!r}")
        if (self.root / name).exists():
            raise WeightsError(f"There are weights {name!r} in {self.root} already; give another --name")

    @contextmanager
    def _building(self, name: str) -> Iterator[Path]:
        """A hidden folder that gets its name when all is in it."""
        waiting = self.root / f".{name}.new"
        shutil.rmtree(waiting, ignore_errors=True)
        try:
            waiting.mkdir(parents=True)
            yield waiting
            waiting.rename(self.root / name)
        except OSError as trouble:
            raise WeightsError(f"{self.root / name}: cannot be written: {trouble.strerror}") from trouble
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


def _kept(name: str, folder: Path, *, in_use: bool) -> Kept:
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file() and file.name != MANIFEST)
    try:
        return Kept(name, folder, verified_manifest(folder), size, "", in_use)
    except WeightsError as trouble:
        return Kept(name, folder, _readable(folder), size, str(trouble), in_use)


def _readable(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except WeightsError:
        return None
