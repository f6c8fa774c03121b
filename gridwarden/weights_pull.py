"""Weights fetched over the network: https only, pinned by sha256, resumed where an earlier try ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import httpx

from detect.weights import MANIFEST, read_manifest, sha256
from models.errors import WeightsError

LARGEST_BYTES = 2 * 1024**3  # the largest YOLO is 0.3 GB; nothing that fits the smallest box is larger
MOST_REDIRECTS = 5  # release downloads take one or two
TIMEOUT = httpx.Timeout(30, connect=10)
SHA256 = re.compile(r"[0-9a-f]{64}")

Step = Callable[[int, int | None], None]
"""Called with bytes here and bytes in all (None where the server does not tell)."""


def is_https(url: httpx.URL) -> bool:
    return url.scheme == "https"


@dataclass(frozen=True, slots=True)
class Puller:
    """Fetches into `folder`, where what is not yet whole waits as `<sha256>.part`.

    allowed: which addresses may be asked; only tests on the loopback say anything but https.
    """

    folder: Path
    client: httpx.Client
    allowed: Callable[[httpx.URL], bool] = is_https
    largest: int = LARGEST_BYTES

    def pull(self, address: str, pinned: str, *, step: Step | None = None) -> Path:
        """The fetched file, or the folder when the address is that of a manifest: then every file it names comes too,
        each by the sha256 that the manifest, itself pinned, says.

        Raises WeightsError; what was fetched so far is kept and continued at the next try.
        """
        url = self._checked(address)
        pinned = pinned.strip().lower()
        if not SHA256.fullmatch(pinned):
            raise WeightsError("--sha256 must be 64 hexadecimal digits; the place that offers the weights tells them")
        folder = self.folder / pinned
        file = self._file(url, pinned, folder / file_name(url), step=step)
        if file.name != MANIFEST:
            return file
        for name, digest in read_manifest(folder).files.items():
            self._file(url.join(name), digest.lower(), folder / name, step=step)
        return folder

    def _file(self, url: httpx.URL, pinned: str, path: Path, *, step: Step | None) -> Path:
        if path.is_file() and sha256(path) == pinned:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{pinned}.part"
        try:
            self._fetch(url, partial, step=step)
        except httpx.HTTPError as trouble:
            raise WeightsError(f"{url}: {trouble or type(trouble).__name__}; {_kept(partial)}") from trouble
        except OSError as trouble:
            raise WeightsError(f"{partial}: cannot be written: {trouble.strerror}") from trouble
        found = sha256(partial)
        if found != pinned:
            partial.unlink()
            raise WeightsError(f"{url}: has the sha256 {found}, not the pinned {pinned}: altered, or another version")
        partial.replace(path)
        return path

    def _fetch(self, url: httpx.URL, partial: Path, *, step: Step | None) -> None:
        for _ in range(MOST_REDIRECTS + 1):
            here = partial.stat().st_size if partial.is_file() else 0
            headers = (
                {"Range": f"bytes={here}-", "Accept-Encoding": "identity"} if here else {"Accept-Encoding": "identity"}
            )
            with self.client.stream("GET", url, headers=headers, follow_redirects=False) as answer:
                if answer.next_request is None:
                    self._receive(answer, partial, here=here, step=step)
                    return
                url = self._checked(str(answer.next_request.url))
        raise WeightsError(f"{url}: sent on more than {MOST_REDIRECTS} times; give the last address")

    def _receive(self, answer: httpx.Response, partial: Path, *, here: int, step: Step | None) -> None:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is here already; its sha256 will tell
        if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise WeightsError(f"{answer.url}: answered {answer.status_code} {answer.reason_phrase}; {_kept(partial)}")
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT and _starts_at(answer) == here
        if answer.status_code == httpx.codes.PARTIAL_CONTENT and not resumed:
            raise WeightsError(f"{answer.url}: sent another part than was asked for; delete {partial} and try again")
        done = here if resumed else 0
        length = answer.headers.get("content-length", "")
        total = done + int(length) if length.isascii() and length.isdigit() else None
        self._check_size(answer.url, total or 0)
        with partial.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_raw():
                done += len(chunk)
                self._check_size(answer.url, done)
                file.write(chunk)
                if step:
                    step(done, total)

    def _check_size(self, url: httpx.URL, size: int) -> None:
        if size > self.largest:
            raise WeightsError(f"{url}: {size:,} bytes and more; at most {self.largest:,} are fetched")

    def _checked(self, address: str) -> httpx.URL:
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as trouble:
            raise WeightsError(f"{address!r} is no address: {trouble}") from None
        if not url.host or not self.allowed(url):
            raise WeightsError(f"{url}: weights are fetched over https only")
        if url.userinfo:
            raise WeightsError("An address with a password in it would end up in logs; give one without")
        return url


def file_name(url: httpx.URL) -> str:
    """The last part of the path. Raises WeightsError when there is none."""
    name = PurePosixPath(unquote(url.path)).name
    if not name or name in ("..", ".") or "\x00" in name or "\\" in name:
        raise WeightsError(f"{url}: does not end in the name of a file")
    return name


def _starts_at(answer: httpx.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    return int(found[1]) if found else -1


def _kept(partial: Path) -> str:
    size = partial.stat().st_size if partial.is_file() else 0
    return f"{size:,} bytes are kept, the same command goes on from there" if size else "nothing was fetched"
