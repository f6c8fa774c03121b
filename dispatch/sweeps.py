"""Silence is answered: cameras that do not verify, apps that do not receive, limits that run out."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from dispatch import deadlines, deliveries
from dispatch.clocks import calendar, department_of, limit_of
from dispatch.directory import read_directory
from dispatch.events import append, find_event, find_incident
from dispatch.followups import SYSTEM, assign, escalated, route
from dispatch.overdue import escalate_overdue
from dispatch.part_reminders import remind_parts
from dispatch.passed_over import passed_over
from dispatch.queries import timeline
from dispatch.routing import Directory, centre, choose, department_line, line_of_duty
from dispatch.rows import EVENT, INCIDENT, event_of, incident_of
from dispatch.steps import LONGEST_SUSPENSION, take_step
from dispatch.store.pending import DELIVERY
from dispatch.store.store import Store, StoreSession
from dispatch.verification import give_up, overdue_requests
from models.errors import GridwardenError
from models.ids import IncidentId, PersonId
from models.incidents import FINISHED, OWED_STATES, Happening, Incident, IncidentState
from models.lifecycle import Step

log = logging.getLogger(__name__)

REMIND_AT = (0.5, 0.8, 1.0)
"""Shares of the limit at which the worker is reminded: half is routine, four fifths is a warning, all is overdue."""

AWAITED = ("assigned", "rework", "part")
"""Kinds of task messages whose `received` is waited for."""


def sweep(store: Store, *, now: datetime) -> None:
    """One round; each matter in its own transaction, so that one that fails neither undoes nor stops the others."""
    for one in (give_up_on_cameras, route_again, escalate_silence, remind, escalate_overdue, resume_suspended):
        try:
            with store.transaction() as session:
                one(session, now=now)
        except GridwardenError:
            log.exception("The sweep %s failed; it is tried again", one.__name__)


def give_up_on_cameras(session: StoreSession, *, now: datetime) -> None:
    for request in overdue_requests(session, now=now):
        give_up(session, request, now=now)


def route_again(session: StoreSession, *, now: datetime) -> None:
    """Incidents opened while there was nobody at all: as soon as there is somebody, they have an owner."""
    if not read_directory(session).people:
        return
    waiting = (IncidentState.OPENED.value, IncidentState.RETURNED.value)
    for incident_id in session.scalars(select(INCIDENT.c.incident_id).where(INCIDENT.c.state.in_(waiting))).all():
        incident = find_incident(session, incident_id)
        last = timeline(session, incident.incident_id)[-1]
        route(session, incident, replace(last, at=now), take_step)


def escalate_silence(session: StoreSession, *, now: datetime) -> None:
    """Substitute, leader, command centre: whoever does not say `received` in time is passed over."""
    directory = read_directory(session)
    query = (
        select(DELIVERY.c.incident_id, DELIVERY.c.person_id, DELIVERY.c.kind)
        .where(
            DELIVERY.c.received_at.is_(None),
            DELIVERY.c.kind.in_(AWAITED),
            DELIVERY.c.created_at <= now - session.practice.patience.receive,
        )
        .order_by(DELIVERY.c.seq)
    )
    for incident_id, person_id, kind in session.execute(query).all():
        incident = find_incident(session, incident_id)
        if kind == "part":
            _pass_part_on(session, directory, incident, silent=PersonId(person_id), now=now)
        else:
            _escalate(session, directory, incident, silent=PersonId(person_id), now=now)


def remind(session: StoreSession, *, now: datetime) -> None:
    """Once at each share of the limit that has gone by."""
    query = select(INCIDENT).where(
        INCIDENT.c.state.in_([state.value for state in OWED_STATES]), INCIDENT.c.due_at.is_not(None)
    )
    for incident in [incident_of(row) for row in session.execute(query)]:
        share = _share_gone(session, incident, now)
        passed = [mark for mark in REMIND_AT if share >= mark]
        if passed:
            _remind_once(session, incident, passed[-1], now)
    remind_parts(session, now=now, marks=REMIND_AT)


def resume_suspended(session: StoreSession, *, now: datetime) -> None:
    """What was put off until a moment goes on by itself when it has come."""
    query = select(INCIDENT.c.incident_id).where(INCIDENT.c.state == IncidentState.SUSPENDED.value)
    for incident_id in session.scalars(query).all():
        last = session.execute(
            select(EVENT)
            .where(EVENT.c.incident_id == incident_id, EVENT.c.kind == Step.SUSPEND)
            .order_by(EVENT.c.seq.desc())
            .limit(1)
        ).one()
        until = event_of(last).data.get("until")
        if (datetime.fromisoformat(until) if until else last.at + LONGEST_SUSPENSION) <= now:
            take_step(session, incident_id=IncidentId(incident_id), step=Step.RESUME, actor=SYSTEM, now=now)


def _escalate(
    session: StoreSession, directory: Directory, incident: Incident, *, silent: PersonId, now: datetime
) -> None:
    if incident.assignment is None or incident.assignment.person_id != silent or silent in centre(directory):
        return  # the command centre is the end of the line: there it is on the operators' screen
    department = department_of(session, incident)
    line = line_of_duty(directory, cell_id=incident.cell_id, department_id=department, at=now)
    person_id = choose(line, passed=passed_over(session, incident.incident_id) | {silent})
    if person_id is None:
        return
    data = {"from": silent, "to": person_id, "reason": "no acknowledgement in time"}
    event = escalated(session, incident, now=now, data=data)
    assign(session, incident.incident_id, person_id, event, take_step)


def _pass_part_on(
    session: StoreSession, directory: Directory, incident: Incident, *, silent: PersonId, now: datetime
) -> None:
    """The department's next person; the last one keeps it, and is told again by the relay."""
    part = next((one for one in incident.open_parts if one.person_id == silent), None)
    if part is None or incident.state in FINISHED:
        return
    events = timeline(session, incident.incident_id)
    passed = {event.data["from"] for event in events if event.kind == Happening.PART_PASSED}
    line = department_line(directory, cell_id=incident.cell_id, department_id=part.department_id, at=now)
    person_id = choose(line, passed=passed | {silent})
    if person_id is None:
        return
    event = append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.PART_PASSED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
        data={"number": part.part, "from": silent, "person": person_id, "reason": "no acknowledgement in time"},
    )
    deliveries.recall(session, event, silent)
    deliveries.owe(session, event, person_id=person_id, kind="part")


def _share_gone(session: StoreSession, incident: Incident, now: datetime) -> float:
    """How much of the (extended) limit has run; more than 1 when overdue."""
    limit = limit_of(session, incident)
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None:
        return 0.0
    whole = deadlines.allowance(limit) * (1 + incident.extensions)
    left = deadlines.between(limit.kind, now, due_at, calendar(session))
    return 1.0 - left / whole


def _remind_once(session: StoreSession, incident: Incident, mark: float, now: datetime) -> None:
    if incident.assignment is None or incident.assignment.due_at is None:
        return
    cause = f"remind:{mark:g}:{incident.assignment.due_at.isoformat()}:{incident.assignment.person_id}"
    if find_event(session, cause=cause, incident_id=incident.incident_id):
        return
    event = append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.REMINDED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
        cause=cause,
        data={"share": mark, "person": incident.assignment.person_id},
    )
    if not deliveries.open_delivery(session, incident_id=incident.incident_id, person_id=incident.assignment.person_id):
        deliveries.owe(session, event, person_id=incident.assignment.person_id, kind="reminder")
