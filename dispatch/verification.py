"""The camera checks the work: what a watch node answers, and what happens when it cannot or does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from dispatch.events import append, find_incident
from dispatch.followups import SYSTEM
from dispatch.node_requests import SUPPRESS, VERIFY, find_request
from dispatch.projection import evidence_data
from dispatch.steps import take_step
from dispatch.store.store import StoreSession
from dispatch.store.tables import NodeRequestRow
from models.errors import PayloadError
from models.ids import IncidentId
from models.incidents import Happening, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.observations import Applied, Verdict, Verification
from models.people import Actor, Role
from models.text import Text

NO_ANSWER = Text("摄像头未在时限内给出核查结果，请人工核查", "the camera gave no answer in time: a person verifies")

_STEPS = {Verdict.GONE: Step.CONFIRM_GONE, Verdict.STILL_THERE: Step.CONFIRM_STILL_THERE}


def take_verification(session: StoreSession, verification: Verification, *, now: datetime) -> IncidentEvent | None:
    """Closes, sends back for rework, or leaves it to a person; None when nobody waits for the answer any more."""
    request = _request(session, verification.key, VERIFY, verification.node_id)
    if request.incident_id != verification.incident_id:
        raise PayloadError(f"incident is {verification.incident_id!r}, the request was about {request.incident_id!r}")
    if request.answered_at is not None:
        return None
    _answered(request, now)
    incident = find_incident(session, verification.incident_id)
    if incident.state is not IncidentState.VERIFYING:
        return None
    actor = Actor(Role.CAMERA, verification.camera_id)
    data = {
        "why": {"zh": verification.why.zh, "en": verification.why.en},
        "evidence": evidence_data(verification.evidence),
    }
    step = _STEPS.get(verification.verdict)
    if step is None:
        return _leave_to_person(session, incident.incident_id, actor=actor, now=now, cause=verification.key, data=data)
    return take_step(
        session,
        incident_id=incident.incident_id,
        step=step,
        actor=actor,
        now=now,
        cause=verification.key,
        data=data | {"captured_at": verification.captured_at.isoformat()},
    )


def take_applied(session: StoreSession, applied: Applied, *, now: datetime) -> IncidentEvent | None:
    """The node has masked the place: nothing more to ask."""
    request = _request(session, applied.key, SUPPRESS, applied.node_id)
    if request.answered_at is None:
        _answered(request, now)
        session.flush()
    return None


def give_up(session: StoreSession, request: NodeRequestRow, *, now: datetime) -> None:
    """The camera has not answered in time: a leader or operator verifies, the log says why."""
    _answered(request, now)
    if request.kind == VERIFY:
        incident = find_incident(session, request.incident_id)
        if incident.state is IncidentState.VERIFYING:
            data = {"why": {"zh": NO_ANSWER.zh, "en": NO_ANSWER.en}, "asks": request.asks}
            _leave_to_person(session, incident.incident_id, actor=SYSTEM, now=now, cause=request.key, data=data)
    session.flush()


def overdue_requests(session: StoreSession, *, now: datetime) -> list[NodeRequestRow]:
    query = select(NodeRequestRow).where(NodeRequestRow.answered_at.is_(None), NodeRequestRow.give_up_at <= now)
    return list(session.scalars(query))


def _leave_to_person(
    session: StoreSession,
    incident_id: IncidentId,
    *,
    actor: Actor,
    now: datetime,
    cause: str,
    data: Mapping[str, object],
) -> IncidentEvent:
    return append(
        session,
        incident_id=incident_id,
        kind=Happening.CANNOT_TELL,
        actor=actor,
        at=now,
        after=IncidentState.VERIFYING,
        cause=cause,
        data=data,
    )


def _request(session: StoreSession, key: str, kind: str, node_id: str) -> NodeRequestRow:
    request = find_request(session, key)
    if request is None or request.kind != kind or request.node_id != node_id:
        raise PayloadError(f"key {key!r} answers no request that {node_id!r} was asked")
    return request


def _answered(request: NodeRequestRow, now: datetime) -> None:
    request.answered_at = now
    request.next_at = None
