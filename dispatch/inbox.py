"""What arrives over MQTT, one transaction per message; what cannot be used is kept aside, the rest goes on."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime

from dispatch.intake import commit_message
from dispatch.mqtt import Incoming
from dispatch.nodes import take_status
from dispatch.outbox import encode
from dispatch.refused import refuse
from dispatch.replies import Answer, take_reply
from dispatch.store.store import Store
from dispatch.store.tables import KEY_LENGTH
from dispatch.wire import parse
from models import wire
from models.errors import GridwardenError, PayloadError
from models.text import Text

log = logging.getLogger(__name__)

SUBSCRIPTIONS = (wire.observations_topic("+"), wire.replies_topic("+"), wire.status_topic("+"))

UNUSABLE = Text("消息无法处理", "the message cannot be used")


@dataclass(slots=True)
class InboxCounters:
    """committed: messages whose effect is in the record, known ones included."""

    committed: int = 0
    refused: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some messages. safe: in the record or kept aside, so to be acknowledged; say: topic, payload."""

    safe: tuple[Incoming, ...]
    say: tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class Inbox:
    """Takes messages into the record."""

    store: Store
    counters: InboxCounters = field(default_factory=InboxCounters)

    def take(self, messages: list[Incoming]) -> Outcome:
        """Blocks while it writes; meant for a thread."""
        safe: list[Incoming] = []
        say: list[tuple[str, bytes]] = []
        committed: dict[str, list[str]] = {}
        for message in messages:
            if self._take_one(message, say, committed):
                safe.append(message)
        for node, keys in committed.items():
            say.append((wire.committed_topic(node), encode({"v": wire.VERSION, "keys": keys})))
        return Outcome(tuple(safe), tuple(say))

    def _take_one(self, message: Incoming, say: list[tuple[str, bytes]], committed: dict[str, list[str]]) -> bool:
        now = self.store.clock.now()
        kind, name = _address(message.topic)
        try:
            try:
                if kind == "replies":
                    say.append((wire.answers_topic(name), encode(self._reply(name, message.payload, now).out())))
                elif kind == "status":
                    self._status(name, message.payload, now)
                else:
                    self._observed(name, message.payload, now)
                self.counters.committed += 1
            except GridwardenError as error:
                self._refuse(message, str(error), now)
                if kind == "replies" and (key := _key(message.payload)):
                    say.append((wire.answers_topic(name), encode(Answer(key, False, None, _because(error)).out())))
        except Exception:
            # the database is full, locked or gone: without an acknowledgement the sender tells it again
            log.exception("A message on %s could not be written; its sender will repeat it", message.topic)
            self.counters.failed += 1
            return False
        if kind == "observations" and (key := _key(message.payload)):
            committed.setdefault(name, []).append(key)
        return True

    def _observed(self, node: str, payload: bytes, now: datetime) -> None:
        message = parse(payload)
        with self.store.transaction() as session:
            commit_message(session, message, now=now, node_id=node)

    def _reply(self, person: str, payload: bytes, now: datetime) -> Answer:
        message = parse(payload)
        with self.store.transaction() as session:
            return take_reply(session, person, message, now=now)

    def _status(self, node: str, payload: bytes, now: datetime) -> None:
        message = parse(payload)
        with self.store.transaction() as session:
            take_status(session, node, message, now=now)

    def _refuse(self, message: Incoming, reason: str, now: datetime) -> None:
        log.warning("A message on %s is kept aside: %s", message.topic, reason)
        self.counters.refused += 1
        with self.store.transaction() as session:
            refuse(session, topic=message.topic, payload=message.payload, reason=reason, at=now)


def _address(topic: str) -> tuple[str, str]:
    """(observations | replies | status, whose) of a topic this dispatcher subscribes to."""
    parts = topic.removeprefix(f"{wire.ROOT}/").split("/")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[-1], parts[1])


def _key(payload: bytes) -> str | None:
    """The key of a message that may be broken otherwise: its sender is told to stop repeating it."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    key = message.get("key") if isinstance(message, dict) else None
    return key if isinstance(key, str) and 0 < len(key) <= KEY_LENGTH else None


def _because(error: GridwardenError) -> Text:
    return Text(UNUSABLE.zh, str(error)) if isinstance(error, PayloadError) else UNUSABLE
