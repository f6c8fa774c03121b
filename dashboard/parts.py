"""What the dashboard is made of: handed in once by the composition root, found on `app.state.parts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fastapi import Request

from dispatch.broker_access import BrokerAccess
from dispatch.feed import Feed
from dispatch.store.store import Store
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import Clock
from models.places import CameraState
from models.taxonomy import SeenBy, Taxonomy
from models.text import Text


class CoverageLine(Protocol):
    """What is known of one subcategory: a row of `detect.coverage`."""

    @property
    def code(self) -> str: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...
    @property
    def seen_by(self) -> SeenBy: ...
    @property
    def precision(self) -> float | None: ...
    @property
    def recall(self) -> float | None: ...
    @property
    def evidence(self) -> Text: ...
    @property
    def assist_only(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """mqtt_ws_url: `{host}` in it stands for the name the page was opened under; None: no WebSocket broker, workers
    pull. secure_cookies: only where HTTPS is in front. coverage None: no weights are loaded in this process.
    metrics_token: what Prometheus must show; None: no metrics.
    """

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
    coverage: Callable[[], Sequence[CoverageLine]] | None = None
    metrics_token: str | None = None


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
