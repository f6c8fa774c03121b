"""The embedded broker of an installation on one box: amqtt, bound to loopback, every client known, own topics only."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import AMQTTError
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from dispatch.broker_access import BrokerAccess
from models.clock import Clock
from models.errors import GridwardenError, PortInUseError

STOP_WITHIN_S = 1.0
"""One Ctrl-C stops everything within two seconds; the broker keeps nothing that would need longer."""

MOST_CLIENTS = 500
"""A sub-district has some 200 workers with a phone and a desk each; a runaway client must not exhaust the box."""


@dataclass
class _Guard:
    """What the plugins are given: amqtt builds them itself from a configuration that holds this."""

    access: BrokerAccess
    clock: Clock


class Authenticate(BaseAuthPlugin):  # type: ignore[misc]
    """Lets in who has a password issued by this installation, and whose last will stays within its own topics."""

    @dataclass
    class Config:
        guard: Any = field(default=None)

    async def authenticate(self, *, session: Any) -> bool:
        guard: _Guard = self.config.guard
        identity = session.username or ""
        if not guard.access.verify(identity, session.password or "", guard.clock.now()):
            return False
        return not session.will_flag or guard.access.may(identity, "publish", session.will_topic or "")


class OwnTopics(BaseTopicPlugin):  # type: ignore[misc]
    """Applies to publishing, subscribing and, once more, to every message on its way to a client."""

    @dataclass
    class Config:
        guard: Any = field(default=None)

    async def topic_filtering(
        self, *, session: Any = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        guard: _Guard = self.config.guard
        if session is None or not session.username or not topic:
            return False
        return guard.access.may(session.username, "publish" if action == Action.PUBLISH else "subscribe", topic)


class Subscriptions(dict[str, list[Any]]):
    """Gone through as it stood at the beginning: amqtt waits between two entries, and clients come and go meanwhile."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> list[tuple[str, list[Any]]]:  # type: ignore[override]
        return [(topic, list(clients)) for topic, clients in super().items()]


class GuardedBroker(Broker):  # type: ignore[misc]
    """Three faults of amqtt 0.12 mended: a client that was turned away stays in the table of sessions, a client that
    connects is sent retained messages of everybody's subscriptions, and a message or a connection is lost when
    somebody subscribes at the wrong moment."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = Subscriptions()

    async def _handle_client_session(self, reader: Any, writer: Any, client_session: Any, *rest: Any) -> None:
        await super()._handle_client_session(reader, writer, client_session, *rest)
        known = self._sessions.get(client_session.client_id)
        if known is not None and known[0] is client_session and client_session.transitions.state == "connected":
            del self._sessions[client_session.client_id]

    async def _publish_retained_messages_for_subscription(self, subscription: tuple[str, int], session: Any) -> None:
        if await self._topic_filtering(session, subscription[0], Action.SUBSCRIBE):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class EmbeddedBroker:
    """Listens for TCP and WebSocket clients; port 0 takes a free one. Use as `async with`, or `start` and `stop`."""

    def __init__(self, host: str, port: int, ws_port: int, access: BrokerAccess, *, clock: Clock) -> None:
        self._host, self._wanted = host, {"default": port, "ws": ws_port}
        self._guard = _Guard(access, clock)
        self._broker: GuardedBroker | None = None

    @property
    def port(self) -> int:
        return self._port_of("default")

    @property
    def ws_port(self) -> int:
        return self._port_of("ws")

    @property
    def url(self) -> str:
        return f"mqtt://{self._host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self._host}:{self.ws_port}/mqtt"

    async def start(self) -> None:
        """Raises PortInUseError."""
        for port in self._wanted.values():
            _check_free(self._host, port)
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # a traceback for each slow client; we repeat and count
        logging.getLogger("transitions").setLevel(logging.WARNING)
        broker = GuardedBroker(self._config())
        try:
            await broker.start()
        except AMQTTError as error:
            await _close_listeners(broker)
            raise _explain(error, self._host) from error
        self._broker = broker

    async def stop(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(broker.shutdown(), STOP_WITHIN_S)
            await _close_listeners(broker)

    async def drop(self, identity: str) -> None:
        """Ends this identity's connections; whether it may come back is for its password to show."""
        if self._broker is None:
            return
        for session, handler in list(self._broker._sessions.values()):
            if session.username == identity and session.transitions.state == "connected":
                await handler.handle_connection_closed()

    async def __aenter__(self) -> EmbeddedBroker:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _port_of(self, listener: str) -> int:
        if self._broker is None:
            raise GridwardenError("The embedded broker is not running")
        sockets = list(self._broker._servers[listener].instance.sockets)
        return int(sockets[0].getsockname()[1])

    def _config(self) -> dict[str, Any]:
        listeners = {
            name: {
                "type": "ws" if name == "ws" else "tcp",
                "bind": f"{self._host}:{port}",
                "max_connections": MOST_CLIENTS,
            }
            for name, port in self._wanted.items()
        }
        guard = {"guard": self._guard}
        return {
            "listeners": listeners,
            "plugins": {f"{__name__}.Authenticate": guard, f"{__name__}.OwnTopics": guard},
        }


def _check_free(host: str, port: int) -> None:
    """Asked before amqtt is: it would log a traceback and leave the first listener open."""
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _port_error(error, host, port) from error


def _port_error(error: OSError, host: str, port: int) -> GridwardenError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"Port {port} on {host} is taken by another program (perhaps a gridwarden that is still running): "
            "stop it, or choose another port for the broker."
        )
    return GridwardenError(f"The broker cannot listen on {host}:{port}: {error.strerror}")


def _explain(error: AMQTTError, host: str) -> GridwardenError:
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
        return PortInUseError(f"A port of the broker on {host} is taken by another program: {cause.strerror}.")
    return GridwardenError(f"The embedded broker cannot start: {error}")


async def _close_listeners(broker: Broker) -> None:
    for server in broker._servers.values():
        server.instance.close()
    await asyncio.sleep(0)
