"""Weights over the network, from a real server on the loopback: pinned, resumed, bounded, and never without TLS."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gridwarden.weights_pull import Puller
from models.errors import WeightsError
from tests.detect.tiny_models import write_onnx, yolo_output

CONTENT = bytes(range(256)) * 2000


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Shelf:
    """What the server has: path -> content or redirect; `cut` ends answers after so many bytes."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.shelf.asked.append((self.path, wanted))
        if self.path in self.shelf.redirects:
            self.send_response(302)
            self.send_header("Location", self.shelf.redirects[self.path])
            self.end_headers()
            return
        content = self.shelf.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        found = re.match(r"bytes=(\d+)-", wanted or "") if self.shelf.ranges else None
        start = int(found[1]) if found else 0
        if found and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.shelf.cut])

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Shelved", (Handler,), {"shelf": shelf}))
    shelf.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield shelf
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def puller(tmp_path: Path) -> Iterator[Puller]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield Puller(tmp_path / "pulled", client, allowed=lambda url: url.host == "127.0.0.1")


def test_a_file_is_fetched_and_held_to_its_sha256(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"] = CONTENT
    steps: list[tuple[int, int | None]] = []
    path = puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT), step=lambda done, total: steps.append((done, total)))
    assert path.name == "m.onnx"
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_what_was_cut_off_goes_on_where_it_ended(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"], shelf.cut = CONTENT, 100_000
    with pytest.raises(WeightsError, match="100,000 bytes are kept"):
        puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))
    shelf.cut = None
    assert puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT)).read_bytes() == CONTENT
    assert shelf.asked[-1] == ("/m.onnx", "bytes=100000-")


def test_a_server_that_knows_no_ranges_is_asked_for_everything_again(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"], shelf.cut, shelf.ranges = CONTENT, 100_000, False
    with pytest.raises(WeightsError, match="kept"):
        puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))
    shelf.cut = None
    assert puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT)).read_bytes() == CONTENT


def test_a_whole_partial_file_is_recognised(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"] = CONTENT
    puller.folder.mkdir()
    (puller.folder / f"{sha(CONTENT)}.part").write_bytes(CONTENT)
    assert puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT)).read_bytes() == CONTENT


def test_another_content_than_the_pinned_is_thrown_away(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"] = CONTENT
    with pytest.raises(WeightsError, match="not the pinned"):
        puller.pull(f"{shelf.address}/m.onnx", sha(b"other"))
    assert not [path for path in puller.folder.rglob("*") if path.is_file()]


def test_a_fetched_file_is_not_fetched_twice(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"] = CONTENT
    puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))
    puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))
    assert len(shelf.asked) == 1


def test_a_redirect_is_followed_where_it_may_be(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/b/m.onnx"], shelf.redirects["/m.onnx"] = CONTENT, "/b/m.onnx"
    assert puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT)).read_bytes() == CONTENT


def test_a_redirect_to_an_address_without_tls_is_refused(shelf: Shelf, puller: Puller) -> None:
    shelf.redirects["/m.onnx"] = "http://192.0.2.1/m.onnx"
    with pytest.raises(WeightsError, match="https only"):
        puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))


def test_redirects_in_a_circle_end(shelf: Shelf, puller: Puller) -> None:
    shelf.redirects["/m.onnx"] = "/m.onnx"
    with pytest.raises(WeightsError, match="times"):
        puller.pull(f"{shelf.address}/m.onnx", sha(CONTENT))


def test_a_file_that_is_too_large_is_not_fetched(shelf: Shelf, puller: Puller) -> None:
    shelf.files["/m.onnx"] = CONTENT
    small = Puller(puller.folder, puller.client, allowed=puller.allowed, largest=1000)
    with pytest.raises(WeightsError, match="at most 1,000"):
        small.pull(f"{shelf.address}/m.onnx", sha(CONTENT))


def test_a_file_that_is_not_there_is_named(shelf: Shelf, puller: Puller) -> None:
    with pytest.raises(WeightsError, match="404"):
        puller.pull(f"{shelf.address}/nothing.onnx", sha(CONTENT))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://example.com/m.onnx", "https only"), ("ftp://example.com/m.onnx", "https only"),
        ("m.onnx", "https only"), ("https://user:secret@example.com/m.onnx", "password"),
        ("https://example.com/", "name of a file"), ("https://example.com:port/m.onnx", "no address"),
    ],
)  # fmt: skip
def test_an_address_that_will_not_do_is_refused_before_anything_is_asked(
    tmp_path: Path, address: str, reason: str
) -> None:
    with httpx.Client(trust_env=False) as client, pytest.raises(WeightsError, match=reason) as refused:
        Puller(tmp_path, client).pull(address, sha(CONTENT))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("pinned", ["", "abc", "g" * 64])
def test_without_a_sha256_nothing_is_fetched(puller: Puller, shelf: Shelf, pinned: str) -> None:
    with pytest.raises(WeightsError, match="64"):
        puller.pull(f"{shelf.address}/m.onnx", pinned)
    assert not shelf.asked


def test_a_pinned_manifest_brings_every_file_it_names(shelf: Shelf, puller: Puller, tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "m.onnx", *yolo_output(1)).read_bytes()
    manifest = {
        "format": 1, "name": "street", "backend": "openvino", "model": "m.onnx", "files": {"m.onnx": sha(model)},
        "shapes": [[64, 64]], "outputs": [{"boxes": "o", "scores": "o", "classes": ["fire"]}], "thresholds": {},
        "licence": "MIT", "provenance": "", "form": "yolo",
    }  # fmt: skip
    text = json.dumps(manifest).encode()
    shelf.files |= {"/w/manifest.json": text, "/w/m.onnx": model}
    folder = puller.pull(f"{shelf.address}/w/manifest.json", sha(text))
    assert (folder / "m.onnx").read_bytes() == model
    shelf.files["/w/m.onnx"] = model + b"x"
    (folder / "m.onnx").unlink()
    with pytest.raises(WeightsError, match="not the pinned"):
        puller.pull(f"{shelf.address}/w/manifest.json", sha(text))
