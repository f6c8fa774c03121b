"""The clock of an incident: what limit it runs under, and its deadline worked out again from what happened.

The deadline is written into the events that set it. `due_from` works the same deadline out from the events alone,
under the calendar as it is now: after a holiday is announced the two differ, and `recompute` writes the new one down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dispatch import deadlines
from dispatch.calendars import WorkCalendar
from dispatch.directory import read_directory
from dispatch.events import append, find_incident
from dispatch.rows import EVENT, INCIDENT, event_of
from dispatch.store.store import StoreSession
from models.ids import DepartmentId
from models.incidents import FINISHED, Happening, Incident, IncidentEvent
from models.lifecycle import Step
from models.people import Actor, Role
from models.taxonomy import LimitKind, TimeLimit
from models.wire import moment

STARTS_ANEW = (Step.OPEN, Step.CONFIRM, Step.RETURN, Step.REOPEN)
"""After these the next assignment starts the clock; passing a task on to another hand does not."""


@dataclass(slots=True)
class _Clock:
    """A clock being wound forward through the events."""

    calendar: WorkCalendar
    limit: TimeLimit | None = None
    due_at: datetime | None = None
    paused_at: datetime | None = None
    running: bool = False

    def take(self, event: IncidentEvent) -> None:
        if event.kind in STARTS_ANEW:
            self.running = False
        elif event.kind == Step.ASSIGN and not self.running and event.data.get("limit"):
            self.running, self.limit = True, TimeLimit.parse(event.data["limit"])
            self.due_at = deadlines.due_at(self.limit, event.at, self.calendar)
        elif event.kind == Step.EXTEND and self.limit and self.due_at:
            self.due_at = deadlines.add(self.limit.kind, deadlines.allowance(self.limit), self.due_at, self.calendar)
        elif event.kind == Step.SUSPEND:
            self.paused_at = event.at
        elif event.kind == Step.RESUME and self.limit and self.due_at and self.paused_at:
            left = deadlines.between(self.limit.kind, self.paused_at, self.due_at, self.calendar)
            self.due_at, self.paused_at = deadlines.add(self.limit.kind, left, event.at, self.calendar), None


def due_from(events: Iterable[IncidentEvent], calendar: WorkCalendar) -> datetime | None:
    """The deadline that follows from these events; None where no clock has been started. Pure."""
    clock = _Clock(calendar)
    for event in events:
        clock.take(event)
    return clock.due_at


def calendar(session: StoreSession) -> WorkCalendar:
    """The calendar library's days with the operator's word on top."""
    return read_directory(session).city.calendar(session.practice.calendar)


def limit_of(session: StoreSession, incident: Incident) -> TimeLimit:
    """The limit its clock was started with; the taxonomy's for records from before limits had dates."""
    if incident.assignment and incident.assignment.limit:
        return TimeLimit.parse(incident.assignment.limit)
    return session.practice.subcategory(incident.subcategory).limit


def started(session: StoreSession, incident: Incident, now: datetime) -> dict[str, Any]:
    """A clock that starts now: its limit and deadline, as an event's data tells them."""
    limit = read_directory(session).city.limit(session.practice.subcategory(incident.subcategory), now)
    return {"due_at": moment(deadlines.due_at(limit, now, calendar(session))), "limit": str(limit)}


def department_of(session: StoreSession, incident: Incident) -> DepartmentId:
    """Who answers for this kind of problem in this cell."""
    directory = read_directory(session)
    return directory.city.department(
        session.practice.subcategory(incident.subcategory), directory.chain(incident.cell_id)
    )


def recompute(session: StoreSession, *, now: datetime, why: str) -> int:
    """Brings the deadlines of unfinished incidents in line with the present calendar; returns how many changed."""
    unfinished = INCIDENT.c.state.not_in([state.value for state in FINISHED])
    ids = session.scalars(select(INCIDENT.c.incident_id).where(unfinished, INCIDENT.c.time_limit.is_not(None))).all()
    return sum(_recompute_one(session, incident_id, now, why) for incident_id in ids)


def _recompute_one(session: StoreSession, incident_id: str, now: datetime, why: str) -> bool:
    incident = find_incident(session, incident_id)
    if incident.assignment is None or limit_of(session, incident).kind is LimitKind.URGENT_HOURS:
        return False
    rows = session.core.execute(select(EVENT).where(EVENT.c.incident_id == incident_id).order_by(EVENT.c.seq))
    due_at = due_from([event_of(row) for row in rows], calendar(session))
    if due_at is None or due_at == incident.assignment.due_at:
        return False
    append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.CLOCK,
        actor=Actor(Role.SYSTEM, "dispatch"),
        at=now,
        after=incident.state,
        data={"due_at": moment(due_at), "reason": why},
    )
    return True
