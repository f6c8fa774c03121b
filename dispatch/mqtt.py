"""The MQTT client of dispatch: paho's thread on one side, asyncio on the other.

Messages are acknowledged by hand, after commit. Sessions are clean: nothing here relies on a broker keeping messages,
because the spool of the watch node, the outbox and the worker's app each repeat until they are answered.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from models.errors import GridwardenError, SettingsError
from models.trust import trusting

log = logging.getLogger(__name__)

INBOX_SIZE = 2000
"""Messages held for the consumer, about four seconds of catching up at full speed; more are left unacknowledged."""

KEEPALIVE_S = 20
"""A dead connection is noticed within one and a half of this: well before a worker's five minutes are over."""

RECONNECT_S = (1, 15)
"""First and longest pause between tries: no busy loop, and back within a quarter of a minute."""

PUBLISH_TIMEOUT_S = 10.0
"""A broker on the same network answers in milliseconds; one that takes ten seconds is treated as gone."""

STOP_WITHIN_S = 0.3
"""Normally the thread ends in a few milliseconds; everything together has two seconds."""

PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class BrokerGoneError(GridwardenError):
    """The broker cannot be reached now; the client goes on trying."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message and the way to acknowledge it; acknowledging over a lost connection does nothing."""

    topic: str
    payload: bytes
    acknowledge: Callable[[], None]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """mqtt://host:port, mqtts:// with TLS, ws:// and wss:// over WebSocket."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Raises SettingsError for anything else, and for passwords in the address: they belong into settings."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsError(f"The broker address {url!r} is wrong: {error}") from error
        if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.password:
            raise SettingsError("The broker address must look like mqtt://host:1883, mqtts://, ws:// or wss://")
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme], parts.path or "/mqtt")


@dataclass(slots=True)
class MqttCounters:
    """What the connection has seen."""

    received: int = 0
    dropped: int = 0
    published: int = 0
    connects: int = 0


@dataclass(slots=True)
class _Pending:
    futures: dict[int, asyncio.Future[None]] = field(default_factory=dict)

    def fail_all(self, error: Exception) -> None:
        futures, self.futures = self.futures, {}
        for future in futures.values():
            if not future.done():
                future.set_exception(error)


class MqttClient:
    """Connects, stays connected, subscribes again after each reconnect. Use as `async with`."""

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        username: str,
        password: Callable[[], str],
        subscriptions: Sequence[str] = (),
        ca_file: Path | None = None,
    ) -> None:
        """ca_file: certificates (PEM) that TLS trusts instead of the machine's own. Raises SettingsError."""
        self.counters = MqttCounters()
        self._address = BrokerAddress.parse(url)
        self._username, self._password = username, password
        self._subscriptions = list(subscriptions)
        self._client = _paho_client(self._address, client_id, ca_file)
        self._connection = 0
        self._connected = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._pending = _Pending()
        self._inbox: asyncio.Queue[Incoming] = asyncio.Queue(INBOX_SIZE)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    async def __aenter__(self) -> MqttClient:
        self._loop = asyncio.get_running_loop()
        client = self._client
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.connect_async(self._address.host, self._address.port, keepalive=KEEPALIVE_S)
        client.loop_start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._pending.fail_all(BrokerGoneError("the connection to the broker has been closed"))
        self._connected.clear()
        await self._end_thread()

    async def _end_thread(self) -> None:
        """paho's thread may be in a second's sleep or a slow connect; it is a daemon and then ends by itself."""
        ended = asyncio.Event()

        def end() -> None:
            self._client.loop_stop()
            self._in_loop(ended.set)

        threading.Thread(target=end, daemon=True, name="mqtt-end").start()
        try:
            await asyncio.wait_for(ended.wait(), STOP_WITHIN_S)
        except TimeoutError:
            log.debug("The MQTT thread has not ended within %g s", STOP_WITHIN_S)

    async def wait_ready(self) -> None:
        """Until connected and, where there are subscriptions, subscribed."""
        await (self._subscribed if self._subscriptions else self._connected).wait()

    async def messages(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._inbox.get()

    async def batch(self, most: int) -> list[Incoming]:
        """What has arrived, at least one message."""
        batch = [await self._inbox.get()]
        while len(batch) < most and not self._inbox.empty():
            batch.append(self._inbox.get_nowait())
        return batch

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """QoS 1; returns when the broker has it. Raises BrokerGoneError."""
        future = self._publish(topic, payload, retain)
        try:
            await asyncio.wait_for(asyncio.shield(future), PUBLISH_TIMEOUT_S)
        except TimeoutError as error:
            raise BrokerGoneError(f"the broker did not acknowledge within {PUBLISH_TIMEOUT_S:g} s") from error

    def _publish(self, topic: str, payload: bytes, retain: bool) -> asyncio.Future[None]:
        if self._loop is None or not self.connected:
            raise BrokerGoneError("there is no connection to the broker")
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerGoneError(f"the message could not be sent: {paho.error_string(info.rc)}")
        future: asyncio.Future[None] = self._loop.create_future()
        future.add_done_callback(_retrieve)
        self._pending.futures[info.mid] = future
        return future

    def _in_loop(self, function: Callable[..., None], *arguments: object) -> None:
        """From paho's thread into the event loop; after the loop is gone there is nobody to tell."""
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            log.debug("the event loop is closed; an MQTT callback was left out")

    def _on_pre_connect(self, client: paho.Client, _userdata: Any) -> None:
        client.username_pw_set(self._username, self._password())

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            log.error("The broker at %s:%d refuses us: %s", self._address.host, self._address.port, reason)
            return
        self._connection += 1
        if self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        self._in_loop(self._note_connected)

    def _note_connected(self) -> None:
        self.counters.connects += 1
        self._connected.set()

    def _on_subscribe(self, _c: paho.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        refused = [topic for topic, reason in zip(self._subscriptions, reasons, strict=False) if reason.is_failure]
        if refused:
            log.error("The broker does not let %s subscribe to %s", self._username, ", ".join(refused))
        self._in_loop(self._subscribed.set)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _p: Any) -> None:
        self._connection += 1
        self._in_loop(self._note_disconnected, str(reason))

    def _note_disconnected(self, reason: str) -> None:
        if self._connected.is_set():
            log.info("The connection to the broker has ended: %s", reason)
        self._connected.clear()
        self._subscribed.clear()
        self._pending.fail_all(BrokerGoneError(f"the connection to the broker was lost: {reason}"))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, _reason: ReasonCode, _properties: Any) -> None:
        self._in_loop(self._note_published, mid)

    def _note_published(self, mid: int) -> None:
        self.counters.published += 1
        future = self._pending.futures.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(None)

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        connection, mid, qos = self._connection, message.mid, message.qos

        def acknowledge() -> None:
            if qos and connection == self._connection:  # packet ids are given anew on each connection
                client.ack(mid, qos)

        self._in_loop(self._take_in, Incoming(message.topic, bytes(message.payload), acknowledge))

    def _take_in(self, message: Incoming) -> None:
        self.counters.received += 1
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            self.counters.dropped += 1  # not acknowledged: whoever sent it sends it again


def _retrieve(future: asyncio.Future[None]) -> None:
    """A publisher that was cancelled does not ask for the outcome: no warning about it then."""
    if not future.cancelled():
        future.exception()


def _paho_client(address: BrokerAddress, client_id: str, ca_file: Path | None) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        protocol=paho.MQTTv311,
        transport="websockets" if address.scheme in ("ws", "wss") else "tcp",
        manual_ack=True,
    )
    client.reconnect_delay_set(*RECONNECT_S)
    client.max_inflight_messages_set(200)  # enough to fill a round trip; paho's 20 halves the rate over a real network
    if address.scheme in ("mqtts", "wss"):
        client.tls_set_context(trusting(ca_file))
    if address.scheme in ("ws", "wss"):
        client.ws_set_options(path=address.path)
    return client
