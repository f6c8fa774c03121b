"""The log: appending an event and, in the same transaction, the state it leads to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from dispatch.projection import apply
from dispatch.rows import EVENT, INCIDENT, event_of, incident_of
from dispatch.store.store import StoreSession
from models.errors import NotFoundError
from models.ids import IncidentId
from models.incidents import Incident, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.people import Actor

# Made once: building a statement costs more than SQLite takes to carry it out.
_BY_CAUSE = select(EVENT).where(EVENT.c.cause == bindparam("cause")).order_by(EVENT.c.seq).limit(1)
_BY_CAUSE_THERE = _BY_CAUSE.where(EVENT.c.incident_id == bindparam("incident"))
_CAUSES = select(EVENT.c.cause).where(EVENT.c.cause.in_(bindparam("causes", expanding=True)))
_BY_ID = select(INCIDENT).where(INCIDENT.c.incident_id == bindparam("id"))
_BY_IDS = select(INCIDENT).where(INCIDENT.c.incident_id.in_(bindparam("ids", expanding=True)))
_NEWEST_SEQ = select(func.max(EVENT.c.seq))
_LAST_NUMBER = select(func.max(INCIDENT.c.number))


def append(
    session: StoreSession,
    *,
    incident_id: IncidentId,
    kind: str,
    actor: Actor,
    at: datetime,
    after: IncidentState,
    cause: str = "",
    data: Mapping[str, Any] | None = None,
) -> IncidentEvent:
    """Notes the event and the incident's new state. The caller has checked that it is allowed."""
    before = None if kind == Step.OPEN else _present(session, incident_id)
    event = IncidentEvent(
        seq=_next_seq(session),
        incident_id=incident_id,
        kind=str(kind),
        at=at,
        actor=actor,
        before=None if before is None else before.state,
        after=after,
        cause=cause,
        data=dict(data or {}),
    )
    incident = apply(before, event)
    session.pending.note(event, before, incident)
    session.incidents[incident_id] = incident
    session.newest_seq = event.seq
    return event


def find_event(session: StoreSession, *, cause: str, incident_id: IncidentId | None = None) -> IncidentEvent | None:
    """The event this message has already caused; None for the empty cause."""
    if not cause:
        return None
    if done := session.pending.causes.get((cause, incident_id or "")):
        return done
    if cause in session.info.get("new_causes", ()):
        return None
    if incident_id is None:
        row = session.line.execute(_BY_CAUSE, {"cause": cause}).first()
    else:
        row = session.line.execute(_BY_CAUSE_THERE, {"cause": cause, "incident": incident_id}).first()
    return None if row is None else event_of(row)


def expect_causes(session: StoreSession, causes: Iterable[str]) -> None:
    """Asks for all of them at once, for a caller that will ask for each: most are new."""
    if asked := set(causes):
        known = set(session.line.scalars(_CAUSES, {"causes": list(asked)}))
        session.info["new_causes"] = asked - known


def find_incident(session: StoreSession, incident_id: str) -> Incident:
    """As this transaction has it. Raises NotFoundError."""
    incident = _present(session, IncidentId(incident_id))
    if incident is None:
        raise NotFoundError(f"There is no incident {incident_id!r}: it may belong to another installation")
    return incident


def load_incidents(session: StoreSession, ids: Collection[str]) -> None:
    """Reads them at once, for a caller that will ask for each."""
    if wanted := [one for one in ids if one not in session.incidents]:
        read_incidents(session, _BY_IDS, {"ids": wanted})


def read_incidents(session: StoreSession, query: Select[Any], values: Mapping[str, Any]) -> list[Incident]:
    """Those a query for whole rows finds, as this transaction has them: what it has changed itself is newer."""
    rows = session.line.execute(query, values).all()
    return [session.incidents.setdefault(row.incident_id, incident_of(row)) for row in rows]


def next_number(session: StoreSession) -> int:
    """Numbers, like `seq`, are given under the writers' lock."""
    if not session.newest_number:
        session.newest_number = session.line.execute(_LAST_NUMBER).scalar() or 0
    session.newest_number += 1
    return session.newest_number


def _present(session: StoreSession, incident_id: IncidentId) -> Incident | None:
    if incident_id not in session.incidents:
        read_incidents(session, _BY_ID, {"id": incident_id})
    return session.incidents.get(incident_id)


def _next_seq(session: StoreSession) -> int:
    """Writers come one at a time, so the next number is free; the key's uniqueness would tell if it were not."""
    return (session.newest_seq or session.line.execute(_NEWEST_SEQ).scalar() or 0) + 1
