"""Taking a step: what the lifecycle allows, what the step needs to be complete, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from dispatch import deadlines, words
from dispatch.clocks import calendar, department_of, limit_of, started
from dispatch.directory import read_directory
from dispatch.events import append, find_event, find_incident
from dispatch.followups import follow_up
from dispatch.merging import split_off, unmerged
from dispatch.parts import called_in, holds_part, part_done
from dispatch.photos import photo_evidence
from dispatch.store.store import StoreSession
from dispatch.store.tables import EventRow
from models.errors import NotFoundError, PayloadError, StepRefusedError
from models.ids import IncidentId, PersonId
from models.incidents import FINISHED, Assignment, Incident, IncidentEvent, IncidentState
from models.lifecycle import Needs, Step, next_state, transition
from models.people import Actor, Role
from models.wire import moment

LONGEST_SUSPENSION = timedelta(days=365)
"""挂账 lasts a year at most."""

MOST_EXTENSIONS = 2
"""Public rules allow two extensions, each of the original limit."""

LONGEST_REASON = 2000
"""Characters of a reason or note: a page of text; more is an attack or an accident."""

PEOPLE_MAY_SEND = frozenset({*Needs, "note", "minutes"})

Data = dict[str, Any]


def take_step(
    session: StoreSession,
    *,
    incident_id: IncidentId,
    step: Step,
    actor: Actor,
    now: datetime,
    cause: str = "",
    data: Mapping[str, Any] | None = None,
) -> IncidentEvent:
    """Takes the step and everything that follows from it, in the caller's transaction.

    Idempotent by `cause`: told twice, it returns the first event. Raises StepRefusedError with the present
    state, NotFoundError for an unknown incident or person, PayloadError for unusable data.
    """
    if done := find_event(session, cause=cause, incident_id=incident_id):
        return done
    incident = find_incident(session, incident_id)
    given = _given(actor, data or {})
    row = transition(step)
    theirs = holds_part(incident, actor, given) if row and row.part else is_assignee(incident, actor)
    after = next_state(
        incident.state,
        step,
        role=actor.role,
        is_assignee=theirs,
        brings=frozenset(need for need in Needs if need.value in given),
    )
    prepared = _PREPARE.get(step, _as_given)(session, incident, _checked(given), now)
    event = append(
        session,
        incident_id=incident_id,
        kind=step.value,
        actor=actor,
        at=now,
        after=IncidentState(prepared.pop("after", after)),
        cause=cause,
        data=prepared,
    )
    follow_up(session, incident, event, take=take_step)
    return event


def is_assignee(incident: Incident, actor: Actor) -> bool:
    return incident.assignment is not None and incident.assignment.person_id == actor.actor_id


def _given(actor: Actor, data: Mapping[str, Any]) -> Data:
    """What people send along is limited to what a step may need: the rest of an event's data is dispatch's own word,
    and the fold believes it."""
    machine = actor.role in (Role.SYSTEM, Role.CAMERA)
    return {
        key: value
        for key, value in data.items()
        if value is not None and value != "" and (machine or key in PEOPLE_MAY_SEND)
    }


def _checked(data: Data) -> Data:
    for key in ("reason", "person", "into", "photo", "note", "department"):
        value = data.get(key)
        if value is not None and not (isinstance(value, str) and len(value) <= LONGEST_REASON):
            raise PayloadError(f"{key} must be text of at most {LONGEST_REASON} characters")
    return data


def _as_given(_session: StoreSession, _incident: Incident, data: Data, _now: datetime) -> Data:
    return data


def _assign(session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    """The clock starts when routing dispatches; passing the task on to another hand does not restart it."""
    person_id = PersonId(data["person"])
    if person_id not in read_directory(session).person_by_id:
        raise NotFoundError(f"There is no person {person_id!r} to assign to")
    running = incident.assignment if incident.state is not IncidentState.OPENED else None
    clock = _as_running(running) if running else started(session, incident, now)
    previous = {"from": running.person_id} if running and running.person_id != person_id else {}
    return data | previous | clock | {"department": department_of(session, incident)}


def _as_running(assignment: Assignment) -> Data:
    return {"due_at": moment(assignment.due_at) if assignment.due_at else None, "limit": assignment.limit}


def _resolve(_session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    if incident.open_parts:
        raise StepRefusedError(words.PARTS_OPEN, state=incident.state)
    return data | {"evidence": photo_evidence(data, now), "late": _is_overdue(incident, now)} | _handler(incident)


def _nothing_here(_session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    return data | ({"evidence": photo_evidence(data, now)} if "photo" in data else {}) | _handler(incident)


def _return(_session: StoreSession, incident: Incident, data: Data, _now: datetime) -> Data:
    return data | _handler(incident)


def _handler(incident: Incident) -> Data:
    """Who had it, kept in the event: the one who takes the step may be a leader."""
    return {"person": incident.assignment.person_id} if incident.assignment else {}


def _extend(session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    due_at = _still_running(incident, now)
    if incident.extensions >= MOST_EXTENSIONS:
        raise StepRefusedError(words.EXTENDED, state=incident.state)
    limit = limit_of(session, incident)
    later = deadlines.add(limit.kind, deadlines.allowance(limit), due_at, calendar(session))
    return data | {"due_at": moment(later)}


def _suspend(session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    """Once, and not for longer than a year: then the clock goes on by itself."""
    _still_running(incident, now)
    before = select(func.count()).where(EventRow.incident_id == incident.incident_id, EventRow.kind == Step.SUSPEND)
    if session.scalar(before):
        raise StepRefusedError(words.SUSPENDED_ONCE, state=incident.state)
    minutes = data.pop("minutes", None)
    length = timedelta(minutes=minutes) if isinstance(minutes, int) and minutes > 0 else LONGEST_SUSPENSION
    return data | {"until": moment(now + min(length, LONGEST_SUSPENSION))}


def _resume(session: StoreSession, incident: Incident, data: Data, now: datetime) -> Data:
    """The time that was left when the clock was paused is left again."""
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None or incident.suspended_at is None:
        return data | {"due_at": None}
    kind, days = limit_of(session, incident).kind, calendar(session)
    left = deadlines.between(kind, incident.suspended_at, due_at, days)
    return data | {"due_at": moment(deadlines.add(kind, left, now, days))}


def _merge(session: StoreSession, incident: Incident, data: Data, _now: datetime) -> Data:
    target = find_incident(session, data["into"])
    if target.incident_id == incident.incident_id:
        raise StepRefusedError(words.INTO_ITSELF, state=incident.state)
    if target.state in FINISHED:
        raise StepRefusedError(words.TAKES_NOTHING_IN, state=incident.state)
    return data


def _still_running(incident: Incident, now: datetime) -> datetime:
    """The deadline. Pauses never help what is already overdue, so a passed one is refused."""
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None:
        raise StepRefusedError(words.NO_DEADLINE, state=incident.state)
    if now > due_at:
        raise StepRefusedError(words.OVERDUE, state=incident.state)
    return due_at


def _is_overdue(incident: Incident, now: datetime) -> bool:
    due_at = incident.assignment.due_at if incident.assignment else None
    return due_at is not None and now > due_at


_PREPARE: Mapping[Step, Callable[[StoreSession, Incident, Data, datetime], Data]] = {
    Step.ASSIGN: _assign,
    Step.RESOLVE: _resolve,
    Step.NOTHING_HERE: _nothing_here,
    Step.RETURN: _return,
    Step.EXTEND: _extend,
    Step.SUSPEND: _suspend,
    Step.RESUME: _resume,
    Step.MERGE: _merge,
    Step.UNMERGE: unmerged,
    Step.SPLIT: split_off,
    Step.CALL_IN: called_in,
    Step.PART_DONE: part_done,
}
