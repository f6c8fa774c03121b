"""Real brokers on loopback for the tests of the node's side of MQTT, and a dispatcher to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import DISPATCH, BrokerAccess
from models.clock import SystemClock
from models.wire import committed_topic, observations_topic, requests_topic, status_topic

MOSQUITTO = Path("/usr/sbin/mosquitto")
HAVE_MOSQUITTO = MOSQUITTO.exists()
NODE = "n1"

Password = Callable[[], str] | None


@dataclass(frozen=True)
class RunningBroker:
    url: str
    node_password: Password
    dispatch_password: Password


async def eventually(condition: Callable[[], bool]) -> None:
    """For what happens in other threads and tells nobody: looked at every 10 ms."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def mosquitto(folder: Path, port: int) -> AsyncIterator[RunningBroker]:
    if not HAVE_MOSQUITTO:
        pytest.skip("mosquitto is not installed")
    settings = folder / f"mosquitto-{port}.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = await asyncio.create_subprocess_exec(
        MOSQUITTO, "-c", settings, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _answers(port)
        yield RunningBroker(f"mqtt://127.0.0.1:{port}", None, None)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def embedded(_folder: Path, port: int) -> AsyncIterator[RunningBroker]:
    clock = SystemClock()
    access = BrokerAccess(b"s" * 32)
    until = clock.now() + timedelta(hours=1)
    async with EmbeddedBroker("127.0.0.1", port, 0, access, clock=clock) as broker:
        yield RunningBroker(
            broker.url,
            lambda: access.issue(f"node:{NODE}", expires_at=until),
            lambda: access.issue(DISPATCH, expires_at=until),
        )


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


@dataclass
class Dispatcher:
    """Dispatch's end of the line: hears what nodes say, commits and asks. `arrived` is set at every message."""

    client: mqtt.Client
    loop: asyncio.AbstractEventLoop
    messages: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[bool] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, *keys: str) -> None:
        self.say(committed_topic(NODE), {"v": 1, "keys": keys})

    def ask(self, request: dict[str, Any]) -> None:
        self.say(requests_topic(NODE), request)

    def say(self, topic: str, payload: dict[str, Any] | bytes) -> None:
        self.client.publish(topic, payload if isinstance(payload, bytes) else json.dumps(payload), qos=1)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.arrived.clear()
                await self.arrived.wait()

    def keys(self) -> list[str]:
        return [message["key"] for message in self.messages]

    def heard(self, message: mqtt.MQTTMessage) -> None:
        body = json.loads(message.payload)
        if message.topic == status_topic(NODE):
            self.statuses.append(body["online"])
        else:
            self.messages.append(body)
        self.arrived.set()


@asynccontextmanager
async def dispatcher(broker: RunningBroker) -> AsyncIterator[Dispatcher]:
    loop = asyncio.get_running_loop()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="dispatcher")
    ear = Dispatcher(client, loop)
    if broker.dispatch_password is not None:
        client.username_pw_set(DISPATCH, broker.dispatch_password())
    topics = [(observations_topic(NODE), 1), (status_topic(NODE), 1)]
    client.on_connect = lambda *_: client.subscribe(topics)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(ear.subscribed.set)
    client.on_message = lambda _client, _data, message: loop.call_soon_threadsafe(ear.heard, message)
    address = urlsplit(broker.url)
    client.connect_async(str(address.hostname), int(address.port or 0))
    client.reconnect_delay_set(1, 1)
    client.loop_start()
    try:
        async with asyncio.timeout(15):
            await ear.subscribed.wait()
        yield ear
    finally:
        client.disconnect()
        client.loop_stop()
