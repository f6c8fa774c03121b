"""The box's broker: its own on loopback, or a Mosquitto that serves phones and watch nodes over the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import DISPATCH, BrokerAccess, node_identity
from dispatch.broker_keeper import EmbeddedKeeper, MosquittoKeeper
from dispatch.credentials import CredentialBook
from dispatch.store.store import Store
from gridwarden.district import NODE
from models.clock import Clock

PASSWORD_LASTS = timedelta(hours=12)
"""MQTT passwords of our own parts; a new one is made at every reconnect."""

NODES = (node_identity(NODE),)
"""The identities of the watch nodes: so far the one on the box."""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """url None: the embedded broker on the two ports, 0 takes a free one. ws_url: how phones reach the broker; without
    one the embedded broker's own is told, and with another broker phones pull. ca_file: whom TLS trusts (PEM)."""

    url: str | None = None
    ca_file: Path | None = None
    port: int = 8471
    ws_port: int = 8472
    ws_url: str | None = None


@dataclass(frozen=True, slots=True)
class BoxBroker:
    """A broker as the box's parts need it; `keep` runs as long as the box."""

    url: str
    ws_url: str | None
    ca_file: Path | None
    access: BrokerAccess
    keep: Callable[[], Coroutine[Any, Any, None]]
    clock: Clock

    def password(self, identity: str) -> Callable[[], str]:
        """Asked for anew at every connect."""
        return lambda: self.access.issue(identity, expires_at=self.clock.now() + PASSWORD_LASTS)


@asynccontextmanager
async def box_broker(
    host: str, settings: BrokerSettings, secret: bytes, store: Store, *, clock: Clock
) -> AsyncIterator[BoxBroker]:
    """Raises PortInUseError, SettingsError."""
    book = CredentialBook(store, nodes=NODES)
    if settings.url is not None:
        access = BrokerAccess(secret, book.generation, lasting=True)
        password = lambda: access.lasting_password(DISPATCH)  # noqa: E731
        other = MosquittoKeeper(settings.url, book, access, password, ca_file=settings.ca_file)
        yield BoxBroker(settings.url, settings.ws_url, settings.ca_file, access, other.run, clock)
        return
    access = BrokerAccess(secret, book.generation)
    async with EmbeddedBroker(host, settings.port, settings.ws_port, access, clock=clock) as broker:
        ws_url = settings.ws_url or f"ws://{{host}}:{broker.ws_port}/mqtt"
        yield BoxBroker(broker.url, ws_url, None, access, EmbeddedKeeper(broker, book).run, clock)
