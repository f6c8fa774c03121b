"""What arrives over MQTT, written before it is acknowledged; what cannot be used is kept aside, the rest goes on."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError

from dispatch.intake import commit_message, expect
from dispatch.mqtt import Incoming
from dispatch.nodes import take_status
from dispatch.outbox import encode
from dispatch.refused import refuse
from dispatch.replies import Answer, take_reply
from dispatch.store.store import Store, StoreSession
from dispatch.store.tables import KEY_LENGTH
from dispatch.wire import parse
from models import wire
from models.errors import GridwardenError, PayloadError
from models.text import Text

log = logging.getLogger(__name__)

SUBSCRIPTIONS = (wire.observations_topic("+"), wire.replies_topic("+"), wire.status_topic("+"))

OBSERVATIONS, REPLIES, STATUS = "observations", "replies", "status"

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


@dataclass(frozen=True, slots=True)
class Letter:
    """A message opened. kind, name: of its topic; error: why its body could not be read."""

    message: Incoming
    kind: str
    name: str
    body: dict[str, Any]
    error: PayloadError | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is in the record, or kept aside (`refused` says why)."""

    letter: Letter
    answer: Answer | None = None
    refused: GridwardenError | None = None


@dataclass(slots=True)
class Inbox:
    """Takes messages into the record."""

    store: Store
    counters: InboxCounters = field(default_factory=InboxCounters)

    def take(self, messages: list[Incoming]) -> Outcome:
        """Blocks while it writes; meant for a thread.

        All in one transaction when all goes well, one transaction each when it does not: every message is as safe as
        if it had come alone, and one that fails takes nothing else with it.
        """
        now = self.store.clock.now()
        try:
            taken = self._together(messages, now)
        except Exception as error:  # noqa: BLE001 - whatever it was, each message shows it again on its own
            log.info("%d messages are taken one by one: %s", len(messages), error)
            taken = self._one_by_one(messages, now)
        self.counters.committed += sum(one.refused is None for one in taken)
        self.counters.refused += sum(one.refused is not None for one in taken)
        return _outcome(taken)

    def _together(self, messages: list[Incoming], now: datetime) -> list[Taken]:
        with self.store.transaction() as session:
            letters = [_letter(message) for message in messages]
            expect(session, [letter.body for letter in letters if letter.kind != STATUS and letter.body], now=now)
            return [self._take(session, letter, now) for letter in letters]

    def _one_by_one(self, messages: list[Incoming], now: datetime) -> list[Taken]:
        taken = []
        for message in messages:
            try:
                with self.store.transaction() as session:
                    one = self._take(session, _letter(message), now)
                taken.append(one)  # only now: a disk that is full says so at the commit
            except (OperationalError, InterfaceError):
                # the database is full, locked or gone: without an acknowledgement the sender tells it again
                log.exception("A message on %s could not be written; its sender will repeat it", message.topic)
                self.counters.failed += 1
                break
            except Exception as error:
                log.exception("A message on %s failed and is kept aside", message.topic)
                self.counters.failed += 1
                if (kept := self._keep_aside(message, f"internal error: {error!r}", now)) is not None:
                    taken.append(kept)
        return taken

    def _keep_aside(self, message: Incoming, reason: str, now: datetime) -> Taken | None:
        letter = _letter(message)
        try:
            with self.store.transaction() as session:
                refuse(session, topic=message.topic, payload=message.payload, reason=reason, at=now)
        except Exception:
            log.exception("A message on %s could not even be kept aside; its sender will repeat it", message.topic)
            return None
        return Taken(letter, refused=GridwardenError(reason))

    def _take(self, session: StoreSession, letter: Letter, now: datetime) -> Taken:
        """Does what the message says, or keeps it aside. Whatever else fails ends the caller's transaction."""
        decided = session.pending.writes
        try:
            if letter.error is not None:
                raise letter.error
            return Taken(letter, answer=deliver(session, letter.kind, letter.name, letter.body, now=now))
        except GridwardenError as error:
            if session.pending.writes != decided:
                raise  # half done: only a transaction of its own can take that back
            message = letter.message
            log.warning("A message on %s is kept aside: %s", message.topic, error)
            refuse(session, topic=message.topic, payload=message.payload, reason=str(error), at=now)
            return Taken(letter, refused=error)


def deliver(session: StoreSession, kind: str, name: str, body: Mapping[str, Any], *, now: datetime) -> Answer | None:
    """One message into the record: a find, a reply, or a node's word about itself."""
    if kind == REPLIES:
        return take_reply(session, name, body, now=now)
    if kind == STATUS:
        take_status(session, name, body, now=now)
    else:
        commit_message(session, body, now=now, node_id=name)
    return None


def address(topic: str) -> tuple[str, str]:
    """(observations | replies | status, whose) of a topic this dispatcher subscribes to."""
    parts = topic.removeprefix(f"{wire.ROOT}/").split("/")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[-1], parts[1])


def _letter(message: Incoming) -> Letter:
    kind, name = address(message.topic)
    try:
        return Letter(message, kind, name, parse(message.payload))
    except PayloadError as error:
        return Letter(message, kind, name, {}, error)


def _outcome(taken: list[Taken]) -> Outcome:
    say: list[tuple[str, bytes]] = []
    committed: dict[str, list[str]] = {}
    for one in taken:
        letter = one.letter
        if letter.kind == REPLIES and (answer := _answer(one)):
            say.append((wire.answers_topic(letter.name), encode(answer.out())))
        elif letter.kind == OBSERVATIONS and (key := _key(letter)):
            committed.setdefault(letter.name, []).append(key)
    for node, keys in committed.items():
        say.append((wire.committed_topic(node), encode({"v": wire.VERSION, "keys": keys})))
    return Outcome(tuple(one.letter.message for one in taken), tuple(say))


def _answer(taken: Taken) -> Answer | None:
    if taken.refused is None:
        return taken.answer
    key = _key(taken.letter)
    return Answer(key, False, None, _because(taken.refused)) if key else None


def _key(letter: Letter) -> str | None:
    """The key of a message that may be broken otherwise: its sender is told to stop repeating it."""
    body: object = letter.body
    if letter.error is not None:
        try:
            body = json.loads(letter.message.payload)
        except (ValueError, RecursionError):
            return None
    key = body.get("key") if isinstance(body, dict) else None
    return key if isinstance(key, str) and 0 < len(key) <= KEY_LENGTH else None


def _because(error: GridwardenError) -> Text:
    return Text(UNUSABLE.zh, str(error)) if isinstance(error, PayloadError) else UNUSABLE
