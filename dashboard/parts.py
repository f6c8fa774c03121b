"""What the dashboard is made of: handed in once by the composition root, found on `app.state.parts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from dispatch.broker_access import BrokerAccess
from dispatch.feed import Feed
from dispatch.store.store import Store
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import Clock
from models.places import CameraState
from models.taxonomy import Taxonomy
from models.text import Text


@dataclass(frozen=True, slots=True)
class Parts:
    """mqtt_ws_url None: no WebSocket broker here, workers pull; secure_cookies: only where HTTPS is in front."""

    store: Store
    feed: Feed
    clock: Clock
    taxonomy: Taxonomy
    pictures: PictureStore
    latest: LatestPictures
    camera_states: Callable[[], list[CameraState]]
    counters: Callable[[], Mapping[str, float]]
    broker_access: BrokerAccess
    mqtt_ws_url: str | None
    web_dist: Path
    district_name: Text
    secure_cookies: bool = False


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
