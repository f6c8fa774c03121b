"""Camera address to source: the one place that knows which source reads what. A new kind of camera is a line here."""

from __future__ import annotations

from ingest.addresses import FileAddress, NetworkAddress, parse
from ingest.means import Means, shared_means
from ingest.source import Source
from ingest.sources.gb28181 import GatewaySource
from ingest.sources.pictures import EVERY_S, PICTURE_SUFFIXES, FolderSource, PictureSource
from ingest.sources.rtsp import rtsp_source
from ingest.sources.snapshot import SnapshotSource
from ingest.sources.video import VideoSource
from models.clock import Clock
from models.errors import SourceError
from models.places import Camera, Trouble


def open_source(camera: Camera, *, clock: Clock, allow_private: bool, means: Means | None = None) -> Source:
    """The source for the camera's address; connects to nothing yet.

    allow_private: whether loopback, link-local and private network addresses may be connected to.
    Raises SourceError: refused for an address that cannot be used, missing for a path that is not there.
    """
    means = means or shared_means()
    address = parse(camera.source)
    if isinstance(address, FileAddress):
        return _file_source(address, clock=clock, means=means)
    return _network_source(address, camera=camera, clock=clock, allow_private=allow_private, means=means)


def _network_source(
    address: NetworkAddress, *, camera: Camera, clock: Clock, allow_private: bool, means: Means
) -> Source:
    if address.scheme in ("http", "https"):
        return SnapshotSource(address, clock=clock, allow_private=allow_private, means=means)
    if address.scheme == "gb28181":
        return GatewaySource(address, clock=clock, allow_private=allow_private, means=means)
    return rtsp_source(address, continuous=camera.continuous, clock=clock, allow_private=allow_private, means=means)


def _file_source(address: FileAddress, *, clock: Clock, means: Means) -> Source:
    path = address.path
    if path.is_dir():
        return FolderSource(path, clock=clock, means=means, every_s=address.every_s or EVERY_S)
    if not path.exists():
        raise SourceError(f"There is no file or folder {path}.", reason=Trouble.MISSING)
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureSource(path, clock=clock, means=means)
    return VideoSource(path, clock=clock, means=means, start_s=address.start_s)
