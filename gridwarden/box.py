"""Everything on one box: record, broker, dispatcher, watch node and dashboard in one process, one task group.

Start order is the order of need, and everything that can be refused (data folder, ports, weights, district) is tried
before anything runs. Stopping is cancelling: each part closes itself, all within two seconds.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dashboard.app import create_app
from dashboard.parts import Parts
from dashboard.server import DashboardServer
from detect.detector import Detector
from detect.node import WatchNode
from dispatch.broker_access import DISPATCH, BrokerAccess, node_identity
from dispatch.practice import Patience, Practice
from dispatch.service import DispatchService
from dispatch.store.store import Store
from gridwarden.box_broker import BrokerSettings, box_broker
from gridwarden.camera_book import CameraBook
from gridwarden.data_folder import DataFolder
from gridwarden.detectors import chosen_weights
from gridwarden.district import NODE, District
from gridwarden.evidence_upkeep import Retention, look_after_evidence
from gridwarden.follow_cameras import follow_cameras
from gridwarden.install_district import install_district
from gridwarden.measured_coverage import coverage_of, held_where_wanting
from gridwarden.watch_health import watch_health
from ingest.fleet import Fleet
from ingest.kept_views import KeptViews
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import Clock, SystemClock
from models.errors import GridwardenError
from models.taxonomy import Taxonomy

HOST = "127.0.0.1"
"""Loopback only: a district puts a web server with TLS in front."""

WEB_DIST = Path(__file__).resolve().parents[1] / "dashboard" / "web" / "dist"


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """Ports of 0 are chosen freely.

    weights: what the detector was opened from, None for those in use in the data folder: coverage shows their figures.
    keep_originals: unmasked evidence is kept too, encrypted, for administrators.
    allow_private: cameras on private and loopback addresses, right when the operator's own file names them.
    """

    port: int = 8470
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    secure_cookies: bool = False
    allow_private: bool = True
    weights: Path | None = None
    patience: Patience = field(default_factory=Patience)
    retention: Retention = field(default_factory=Retention)
    keep_originals: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A running box, as handed to whoever started it."""

    url: str
    mqtt_url: str
    access: BrokerAccess
    store: Store
    node: WatchNode
    service: DispatchService
    clock: Clock

    def counters(self) -> Mapping[str, float]:
        """What the health line of the dashboard shows."""
        return _counters(self.node, self.service)


@asynccontextmanager
async def running(
    folder: DataFolder, district: District, taxonomy: Taxonomy, detector: Detector, settings: BoxSettings
) -> AsyncIterator[Box]:
    """The box runs while the context is open. Raises GridwardenError when it cannot start, or when a part fails."""
    clock = SystemClock()
    seen = coverage_of(taxonomy, chosen_weights(settings.weights, data=folder.root), detector.names)
    taxonomy = held_where_wanting(taxonomy, seen)
    store = Store.open(folder.database_url, clock=clock, practice=Practice(taxonomy, patience=settings.patience))
    try:
        book = CameraBook(store, keys=folder.camera_keys, notes=folder.camera_notes)
        install_district(store, district, taxonomy, book)
        cameras = book.watched()
        async with box_broker(HOST, settings.broker, folder.secret(), store, clock=clock) as broker:
            originals = folder.originals if settings.keep_originals else None
            latest, pictures = LatestPictures(), PictureStore(folder.pictures, originals=originals)
            fleet = Fleet(clock=clock, allow_private=settings.allow_private, views=KeptViews(folder.node / "views"))
            node = WatchNode(
                node_id=NODE,
                cameras=cameras,
                fleet=fleet,
                detector=detector,
                taxonomy=taxonomy,
                pictures=pictures,
                latest=latest,
                broker_url=broker.url,
                broker_ca=broker.ca_file,
                password=broker.password(node_identity(NODE)),
                data_dir=folder.node,
                clock=clock,
            )
            service = DispatchService(store, broker.url, broker.password(DISPATCH), clock, ca_file=broker.ca_file)
            app = create_app(
                Parts(
                    store=store,
                    feed=store.feed,
                    clock=clock,
                    taxonomy=taxonomy,
                    pictures=pictures,
                    latest=latest,
                    camera_states=fleet.states,
                    counters=lambda: _counters(node, service),
                    broker_access=broker.access,
                    mqtt_ws_url=broker.ws_url,
                    web_dist=WEB_DIST,
                    district_name=district.name,
                    secure_cookies=settings.secure_cookies,
                    coverage=lambda: seen,
                    metrics_token=folder.metrics_token(),
                )
            )
            server = DashboardServer(app, HOST, settings.port)
            server.bind()
            box = Box(server.url, broker.url, broker.access, store, node, service, clock)
            following = partial(follow_cameras, book, node, present=cameras)
            health = partial(watch_health, folder.health, fleet.states, clock=clock)
            evidence = partial(look_after_evidence, store, folder, settings.retention)
            async with _all_running(broker.keep, service.run, node.run, server.run, following, health, evidence):
                await server.started.wait()
                yield box
    finally:
        store.close()


async def until_stopped() -> None:
    """Waits for the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once, as people expect."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, note)
    loop.add_signal_handler(signal.SIGTERM, note)
    await stop.wait()


@asynccontextmanager
async def _all_running(*parts: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Runs the parts until the context closes; one that fails takes the others and the context down with it."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part()) for part in parts]
            yield
            for task in tasks:
                task.cancel()
    except* GridwardenError as failures:
        raise failures.exceptions[0] from failures


def _counters(node: WatchNode, service: DispatchService) -> Mapping[str, float]:
    return {**node.counters(), **service.counters(), "broker": float(service.connected)}
