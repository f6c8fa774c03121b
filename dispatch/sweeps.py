"""Silence is answered: cameras that do not verify, apps that do not receive, limits that run out."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from dispatch import deadlines, deliveries
from dispatch.deliveries import DELIVERY
from dispatch.directory import read_directory
from dispatch.events import append, find_event, find_incident
from dispatch.followups import SYSTEM, assign, route
from dispatch.passed_over import passed_over
from dispatch.queries import OWED_STATES, timeline
from dispatch.routing import Directory, centre, choose, line_of_duty
from dispatch.rows import INCIDENT, incident_of
from dispatch.steps import take_step
from dispatch.store.store import Store, StoreSession
from dispatch.verification import give_up, overdue_requests
from models.errors import GridwardenError
from models.ids import PersonId
from models.incidents import Happening, Incident, IncidentState

log = logging.getLogger(__name__)

REMIND_AT = (0.5, 0.8, 1.0)
"""Shares of the limit at which the worker is reminded: half is routine, four fifths is a warning, all is overdue."""

AWAITED = ("assigned", "rework")
"""Kinds of task messages whose `received` is waited for."""


def sweep(store: Store, *, now: datetime) -> None:
    """One round; each matter in its own transaction, so that one that fails neither undoes nor stops the others."""
    for one in (give_up_on_cameras, route_again, escalate_silence, remind):
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
        select(DELIVERY.c.incident_id, DELIVERY.c.person_id)
        .where(
            DELIVERY.c.received_at.is_(None),
            DELIVERY.c.kind.in_(AWAITED),
            DELIVERY.c.created_at <= now - session.practice.patience.receive,
        )
        .order_by(DELIVERY.c.seq)
    )
    for incident_id, person_id in session.execute(query).all():
        incident = find_incident(session, incident_id)
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


def _escalate(
    session: StoreSession, directory: Directory, incident: Incident, *, silent: PersonId, now: datetime
) -> None:
    if incident.assignment is None or incident.assignment.person_id != silent or silent in centre(directory):
        return  # the command centre is the end of the line: there it is on the operators' screen
    department = session.practice.subcategory(incident.subcategory).department
    line = line_of_duty(directory, cell_id=incident.cell_id, department_id=department, at=now)
    person_id = choose(line, passed=passed_over(session, incident.incident_id) | {silent})
    if person_id is None:
        return
    event = append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.ESCALATED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
        data={"from": silent, "to": person_id, "reason": "no acknowledgement in time"},
    )
    assign(session, incident.incident_id, person_id, event, take_step)


def _share_gone(session: StoreSession, incident: Incident, now: datetime) -> float:
    """How much of the (extended) limit has run; more than 1 when overdue."""
    limit = session.practice.subcategory(incident.subcategory).limit
    due_at = incident.assignment.due_at if incident.assignment else None
    if due_at is None:
        return 0.0
    whole = deadlines.allowance(limit) * (1 + incident.extensions)
    left = deadlines.between(limit.kind, now, due_at, session.practice.calendar)
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
