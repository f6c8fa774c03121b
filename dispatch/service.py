"""The dispatcher, running: messages in, tasks and requests out, silence swept. One object, one `run()`."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from dispatch.broker_access import DISPATCH
from dispatch.feed import Feed
from dispatch.inbox import SUBSCRIPTIONS, Inbox
from dispatch.mqtt import BrokerGoneError, MqttClient
from dispatch.outbox import Due, due_messages, next_due, note_published
from dispatch.store.store import Store
from dispatch.sweeps import sweep
from models.clock import Clock

log = logging.getLogger(__name__)

INTAKE_BATCH = 200
"""Messages that share a transaction while catching up: their commit is then a small part of their cost, and an
ordinary one still waits a fraction of a second for those before it."""

SWEEP_EVERY_S = 5.0
"""Patience is counted in minutes; a sweep costs some milliseconds."""

LONGEST_SLEEP_S = 5.0
"""The relay looks at the clock at least this often, so that a jump of the wall clock delays nothing for long."""

RETRY_S = 1.0
"""Pause after a failure of the database or broker before the next try: no busy loop."""

T = TypeVar("T")


class DispatchService:
    """Joins the record with the broker. `run()` goes on until it is cancelled, through losses of the broker."""

    def __init__(
        self,
        store: Store,
        broker_url: str,
        password: Callable[[], str] | str,
        clock: Clock | None = None,
        *,
        sweep_every_s: float = SWEEP_EVERY_S,
        ca_file: Path | None = None,
    ) -> None:
        self.store = store
        self.clock = clock or store.clock
        self.inbox = Inbox(store)
        self.published = 0
        self._sweep_every_s = sweep_every_s
        self._client = MqttClient(
            broker_url,
            client_id=f"{DISPATCH}-{uuid.uuid4().hex[:8]}",
            username=DISPATCH,
            password=password if callable(password) else lambda: password,
            subscriptions=SUBSCRIPTIONS,
            ca_file=ca_file,
        )
        # two threads: one writes, the other reads what is to be published meanwhile
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="dispatch")

    @property
    def feed(self) -> Feed:
        return self.store.feed

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached now."""
        return self._client.connected

    async def changed(self, seq: int) -> int:
        """Wakes when an event newer than `seq` has been committed; returns the newest."""
        return await self.feed.wait(seq)

    async def wait_ready(self) -> None:
        """Until the broker is connected and the subscriptions are in place."""
        await self._client.wait_ready()

    def counters(self) -> dict[str, int]:
        inbox, mqtt = self.inbox.counters, self._client.counters
        return {
            "received": mqtt.received,
            "committed": inbox.committed,
            "refused": inbox.refused,
            "failed": inbox.failed,
            "dropped": mqtt.dropped,
            "published": self.published,
            "broker_connects": mqtt.connects,
            "broker_connected": int(self.connected),
        }

    async def run(self) -> None:
        try:
            async with self._client, asyncio.TaskGroup() as group:
                for work in (self._take_in, self._relay, self._sweep):
                    group.create_task(self._keep_going(work), name=f"dispatch{work.__name__}")
        finally:
            self._threads.shutdown(wait=True)

    async def _keep_going(self, work: Callable[[], Awaitable[None]]) -> None:
        """A loop's outermost edge: what fails is told and tried again."""
        while True:
            try:
                await work()
            except BrokerGoneError as error:
                log.info("Waiting for the broker: %s", error)
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("%s failed and goes on in %g s", work.__name__.strip("_"), RETRY_S)
                self.inbox.counters.failed += 1
                await asyncio.sleep(RETRY_S)

    async def _take_in(self) -> None:
        batch = await self._client.batch(INTAKE_BATCH)
        outcome = await self._in_thread(self.inbox.take, batch)
        for message in outcome.safe:
            message.acknowledge()
        if len(outcome.safe) < len(batch):
            await asyncio.sleep(RETRY_S)
        for topic, payload in outcome.say:
            await self._say(topic, payload)

    async def _say(self, topic: str, payload: bytes) -> None:
        """Answers and notices are not kept: without one the app or node asks again and gets it then."""
        try:
            await self._client.publish(topic, payload)
        except BrokerGoneError as error:
            log.info("An answer on %s was not sent: %s", topic, error)

    async def _relay(self) -> None:
        await self._client.wait_ready()
        seq = self.feed.seq
        due = await self._in_thread(self._read_due)
        if due:
            await self._publish(due)
        else:
            await self._sleep_until_due(seq)

    async def _publish(self, due: list[Due]) -> None:
        sent = await asyncio.gather(
            *(self._client.publish(message.topic, message.payload) for message in due), return_exceptions=True
        )
        done = [message for message, result in zip(due, sent, strict=True) if result is None]
        if done:
            self.published += len(done)
            await self._in_thread(self._note, done)
        for result in sent:
            if isinstance(result, BaseException):
                raise result

    async def _sleep_until_due(self, seq: int) -> None:
        moment = await self._in_thread(self._next_due)
        wait_s = LONGEST_SLEEP_S if moment is None else (moment - self.clock.now()).total_seconds()
        if wait_s <= 0 and self.feed.seq == seq:
            wait_s = RETRY_S  # due by now, or one that cannot be told: no busy loop over it
        try:
            await asyncio.wait_for(self.feed.wait(seq), min(max(wait_s, 0.0), LONGEST_SLEEP_S))
        except TimeoutError:
            return

    async def _sweep(self) -> None:
        await self._in_thread(lambda: sweep(self.store, now=self.clock.now()))
        await asyncio.sleep(self._sweep_every_s)

    def _read_due(self) -> list[Due]:
        with self.store.reading() as session:
            return due_messages(session, now=self.clock.now())

    def _note(self, sent: list[Due]) -> None:
        with self.store.transaction() as session:
            note_published(session, sent, now=self.clock.now())

    def _next_due(self) -> datetime | None:
        with self.store.reading() as session:
            return next_due(session)

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*arguments))
