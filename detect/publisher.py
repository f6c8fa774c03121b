"""The node's line to dispatch: sends the spool over MQTT until dispatch says it has committed it.

The only user of paho in `detect`. paho's thread does the network; everything else happens in the event loop that
runs `run`. QoS 1 tells that the broker has a message, not that dispatch has: only the committed topic empties the
spool, and what is not committed in time is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from detect.requests import SuppressRequest, VerifyRequest, parse_committed, parse_request
from detect.spool import Spool, Spooled
from models.clock import Clock
from models.errors import PayloadError, SettingsError
from models.ids import NodeId
from models.trust import trusting
from models.wire import VERSION, committed_topic, moment, observations_topic, requests_topic, status_topic

log = logging.getLogger(__name__)

WINDOW = 50
"""Messages sent and not yet committed: a second's work for dispatch, so an outage does not end in a burst."""

RESEND_S = 10.0
"""First wait for the committed notice; dispatch commits within a tenth of a second when it is well …"""

LONGEST_RESEND_S = 120.0
"""… and doubled up to this when it is not."""

IDLE_S = 1.0
"""The loop looks up at least this often, to see what is due again."""

RECONNECT_S = (1, 30)
"""First and longest wait before connecting again."""

KEEPALIVE_S = 20
"""Dispatch learns within half a minute that a node was cut off."""

Request = VerifyRequest | SuppressRequest


class Publisher:
    """One connection. password: asked for anew at every connect, it may expire. ca_file: whom TLS trusts (PEM)."""

    def __init__(
        self,
        *,
        node_id: NodeId,
        broker_url: str,
        password: Callable[[], str] | None,
        spool: Spool,
        on_request: Callable[[Request], None],
        clock: Clock,
        ca_file: Path | None = None,
    ) -> None:
        self._node_id, self._spool, self._clock = node_id, spool, clock
        self._password, self._on_request = password, on_request
        self._host, self._port, tls = _address(broker_url)
        self._tls = trusting(ca_file) if tls else None
        self._wake = asyncio.Event()
        self._sent: dict[str, tuple[float, float]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.connected = False
        self._counts = {"published": 0, "resent": 0, "committed": 0, "refused_payloads": 0, "connects": 0}

    def counters(self) -> dict[str, int]:
        """Since start: published, resent, committed, refused_payloads, connects."""
        return dict(self._counts)

    async def run(self) -> None:
        """Sends until cancelled; while the broker is away the spool waits."""
        self._loop = asyncio.get_running_loop()
        self._spool.on_put(self._woken)
        client = self._client()
        client.loop_start()
        try:
            while True:
                self._wake.clear()
                if self.connected:
                    self._send_due(client)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await self._wake.wait()
        finally:
            self._goodbye(client)

    def _client(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"node-{self._node_id}", clean_session=True)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message = self._on_message
        client.on_connect_fail = self._on_connect_fail
        client.max_inflight_messages_set(WINDOW)
        client.reconnect_delay_set(*RECONNECT_S)
        client.will_set(status_topic(self._node_id), self._status(online=False), qos=1, retain=True)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        self._sign(client)
        client.connect_async(self._host, self._port, keepalive=KEEPALIVE_S)
        return client

    def _sign(self, client: mqtt.Client) -> None:
        if self._password is not None:
            client.username_pw_set(f"node:{self._node_id}", self._password())

    def _send_due(self, client: mqtt.Client) -> None:
        """Publishes the oldest messages that were never sent, or sent too long ago."""
        now = time.monotonic()
        for item in self._due(now):
            first = item.key not in self._sent
            _, wait_s = self._sent.get(item.key, (0.0, RESEND_S / 2))
            self._sent[item.key] = (now, min(wait_s * 2, LONGEST_RESEND_S))
            client.publish(observations_topic(self._node_id), item.body.encode(), qos=1)
            self._counts["published" if first else "resent"] += 1

    def _due(self, now: float) -> Iterator[Spooled]:
        for item in self._spool.oldest(WINDOW):
            sent_at, wait_s = self._sent.get(item.key, (0.0, 0.0))
            if not wait_s or now - sent_at >= wait_s:
                yield item

    def _received(self, topic: str, payload: bytes) -> None:
        """In the event loop: a message for this node."""
        try:
            if topic == committed_topic(self._node_id):
                self._forget(parse_committed(payload))
            else:
                self._on_request(parse_request(payload))
        except PayloadError as trouble:
            self._counts["refused_payloads"] += 1
            log.warning("%s: %s; ignored", topic, trouble)

    def _forget(self, keys: list[str]) -> None:
        self._spool.committed(keys)
        self._counts["committed"] += sum(self._sent.pop(key, None) is not None for key in keys)
        self._wake.set()

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, code: object, _props: object) -> None:
        if getattr(code, "is_failure", False):
            log.warning("The broker %s:%d refuses this node: %s", self._host, self._port, code)
            self._sign(client)
            return
        client.subscribe([(committed_topic(self._node_id), 1), (requests_topic(self._node_id), 1)])
        client.publish(status_topic(self._node_id), self._status(online=True), qos=1, retain=True)
        self._call(self._now_connected)

    def _now_connected(self) -> None:
        """In the event loop. What was sent over the last connection may be lost: all is due again."""
        self._counts["connects"] += 1
        self.connected = True
        self._sent = {key: (float("-inf"), RESEND_S) for key in self._sent}
        self._wake.set()

    def _on_disconnect(self, client: mqtt.Client, _data: object, _flags: object, code: object, _props: object) -> None:
        self.connected = False
        self._sign(client)
        if getattr(code, "is_failure", False):
            log.warning("Lost the broker %s:%d (%s); connecting again", self._host, self._port, code)

    def _on_connect_fail(self, _client: mqtt.Client, _data: object) -> None:
        log.debug("The broker %s:%d does not answer; trying again", self._host, self._port)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        topic, payload = message.topic, bytes(message.payload)
        self._call(lambda: self._received(topic, payload))

    def _woken(self) -> None:
        self._call(self._wake.set)

    def _call(self, action: Callable[[], object]) -> None:
        """Runs the action in the event loop, from whatever thread; after the loop's end, not at all."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(action)

    def _status(self, *, online: bool) -> str:
        return json.dumps({"v": VERSION, "online": online, "at": moment(self._clock.now())})

    def _goodbye(self, client: mqtt.Client) -> None:
        """Says offline, hangs up and ends paho's thread; quick, because stopping has two seconds for everything."""
        if self.connected:
            info = client.publish(status_topic(self._node_id), self._status(online=False), qos=1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                info.wait_for_publish(0.3)
        self._loop = None
        client.disconnect()
        client.loop_stop()


def _address(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise SettingsError("the broker's address must look like mqtt://host:1883 or mqtts://host:8883")
    tls = parts.scheme == "mqtts"
    return parts.hostname, parts.port or (8883 if tls else 1883), tls
