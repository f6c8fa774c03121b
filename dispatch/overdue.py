"""An overdue incident goes up the line, again and again, until somebody acts (督办)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from dispatch import deliveries
from dispatch.directory import read_directory
from dispatch.followups import escalated
from dispatch.routing import leaders
from dispatch.rows import EVENT, INCIDENT, incident_of
from dispatch.store.store import StoreSession
from models.ids import PersonId
from models.incidents import OWED_STATES, Happening, Incident
from models.lifecycle import Step
from models.people import Role

CAUSE = "overdue:"

PEOPLE = (Role.WORKER.value, Role.LEADER.value, Role.OPERATOR.value, Role.ADMINISTRATOR.value)

ACTS = tuple(step.value for step in Step if step is not Step.RECEIVE)
"""Having the task on the phone is not acting on it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What has been done about one overdue incident. count: escalations since somebody acted last."""

    count: int = 0
    last: datetime | None = None
    acted: datetime | None = None


def escalate_overdue(session: StoreSession, *, now: datetime) -> None:
    """Leader, leaders above, command centre; who is last in line is called again after every pause."""
    query = select(INCIDENT).where(
        INCIDENT.c.state.in_([state.value for state in OWED_STATES]), INCIDENT.c.due_at < now
    )
    for incident in [incident_of(row) for row in session.execute(query)]:
        calls = _calls(session, incident)
        if _is_time(incident, calls, now, session.practice.patience.escalate, session.practice.patience.acted):
            _call(session, incident, calls, now)


def whom(line: Sequence[PersonId], *, holder: PersonId | None, count: int) -> PersonId | None:
    """The next up, the last one again and again; never the person who is overdue unless there is nobody else."""
    above = [person_id for person_id in line if person_id != holder] or list(line)
    return above[min(count, len(above) - 1)] if above else None


def _is_time(incident: Incident, calls: Calls, now: datetime, pause: timedelta, quiet: timedelta) -> bool:
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None:
        return False
    if calls.acted is not None and calls.acted > due_at and now < calls.acted + quiet:
        return False
    return calls.last is None or calls.last < due_at or now >= calls.last + pause


def _calls(session: StoreSession, incident: Incident) -> Calls:
    there = EVENT.c.incident_id == incident.incident_id
    acts = (EVENT.c.actor_role.in_(PEOPLE), EVENT.c.kind.in_(ACTS))
    acted = session.execute(select(func.max(EVENT.c.seq), func.max(EVENT.c.at)).where(there, *acts)).one()
    ours = (there, EVENT.c.kind == Happening.ESCALATED, EVENT.c.cause.startswith(CAUSE))
    count = session.scalar(select(func.count()).where(*ours, EVENT.c.seq > (acted[0] or 0))) or 0
    return Calls(count, session.scalar(select(func.max(EVENT.c.at)).where(*ours)), acted[1])


def _call(session: StoreSession, incident: Incident, calls: Calls, now: datetime) -> None:
    directory = read_directory(session)
    holder = incident.assignment.person_id if incident.assignment else None
    person_id = whom(leaders(directory, cell_id=incident.cell_id, at=now), holder=holder, count=calls.count)
    if person_id is None:
        return
    data = {"person": person_id, "to": person_id, "call": calls.count + 1, "reason": "overdue"}
    event = escalated(session, incident, now=now, data=data, cause=f"{CAUSE}{now.isoformat()}")
    deliveries.owe(session, event, person_id=person_id, kind="escalated")
