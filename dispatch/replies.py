"""What workers' apps say over MQTT: checked, taken once, answered with the present state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch import deliveries, words
from dispatch.directory import read_directory
from dispatch.events import append, find_event, find_incident
from dispatch.steps import is_assignee, take_step
from dispatch.store.store import StoreSession
from dispatch.wire import Reply, read_reply
from models.errors import NotFoundError, PayloadError, StepRefusedError
from models.incidents import OWED_STATES, Happening, Incident, IncidentState
from models.lifecycle import Step
from models.people import Actor
from models.text import Text
from models.wire import VERSION

WORKERS_STEPS = frozenset(
    {Step.RECEIVE, Step.ACCEPT, Step.RESOLVE, Step.RETURN, Step.NOTHING_HERE, Step.PART_DONE, Step.APPEAL}
)
"""What may be said over MQTT; the steps of leaders and operators go through the signed-in API."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To one reply, by its key."""

    key: str
    ok: bool
    state: str | None
    message: Text

    def out(self) -> dict[str, Any]:
        message = {"zh": self.message.zh, "en": self.message.en}
        return {"v": VERSION, "key": self.key, "ok": self.ok, "state": self.state, "message": message}


def take_reply(session: StoreSession, person_id: str, message: Mapping[str, Any], *, now: datetime) -> Answer:
    """`person_id` is the topic's, which the broker lets nobody else write to.

    Raises PayloadError for a message that is no reply; everything else is answered.
    """
    reply = read_reply(message, now=now)
    person = read_directory(session).person_by_id.get(person_id)
    if person is None:
        raise PayloadError(f"there is no person {person_id!r}")
    if reply.step != Happening.SEEN and reply.step not in WORKERS_STEPS:
        raise PayloadError(f"step is {reply.step!r}, not one of seen, {', '.join(sorted(WORKERS_STEPS))}")
    actor = Actor(person.role, person_id)
    try:
        return _take(session, reply, actor, now)
    except NotFoundError:
        return Answer(reply.key, False, None, words.UNKNOWN)
    except StepRefusedError as error:
        state = find_incident(session, reply.incident_id).state
        return Answer(reply.key, False, state.value, error.text)


def cause_of(reply: Reply, actor: Actor) -> str:
    """A phone's key counts for its person only: it must not be taken for a camera's find or another's reply."""
    return f"reply:{actor.actor_id}:{reply.key}"


def _take(session: StoreSession, reply: Reply, actor: Actor, now: datetime) -> Answer:
    incident = find_incident(session, reply.incident_id)
    done = find_event(session, cause=cause_of(reply, actor), incident_id=incident.incident_id)
    if done is not None and done.actor == actor:
        return Answer(reply.key, True, incident.state.value, words.DONE)
    called = any(part.person_id == actor.actor_id for part in incident.open_parts)
    if done is not None or not (called or is_assignee(incident, actor)):
        return Answer(reply.key, False, incident.state.value, words.NOT_YOURS)
    if reply.step == Happening.SEEN:
        _note_seen(session, incident, reply, actor, now)
    elif not _has_it_already(incident, reply, only_called=called and not is_assignee(incident, actor)):
        take_step(
            session,
            incident_id=incident.incident_id,
            step=Step(reply.step),
            actor=actor,
            now=now,
            cause=cause_of(reply, actor),
            data=reply.data,
        )
    deliveries.received(session, incident_id=incident.incident_id, person_id=actor.actor_id, at=now)
    return Answer(reply.key, True, find_incident(session, incident.incident_id).state.value, words.DONE)


def _has_it_already(incident: Incident, reply: Reply, *, only_called: bool) -> bool:
    """A task told again (rework, reminder, republished) is received again; the incident has moved on meanwhile.
    Who is called in for a part receives that, not the incident."""
    moved_on = incident.state in OWED_STATES and incident.state != IncidentState.ASSIGNED
    return reply.step == Step.RECEIVE and (moved_on or only_called)


def _note_seen(session: StoreSession, incident: Incident, reply: Reply, actor: Actor, now: datetime) -> None:
    append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.SEEN,
        actor=actor,
        at=now,
        after=incident.state,
        cause=cause_of(reply, actor),
    )
