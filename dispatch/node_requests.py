"""What watch nodes are asked to do, kept until they answer: verification looks and suppressions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.directory import read_directory
from dispatch.store.store import StoreSession
from dispatch.store.tables import NodeRequestRow
from models.ids import IncidentId
from models.incidents import Incident, IncidentEvent
from models.wire import VERSION, moment

VERIFY = "verify"
SUPPRESS = "suppress"


def can_be_asked(session: StoreSession, incident: Incident) -> bool:
    """Whether there is a camera that knows the place: not for reports by people, nor once it has been taken down."""
    return incident.box is not None and incident.camera_id in read_directory(session).camera_by_id


def ask_verification(session: StoreSession, incident: Incident, event: IncidentEvent) -> None:
    """One promised look with the rule inverted; `since` tells the node to judge later pictures only."""
    key = f"verify:{incident.incident_id}:{event.seq}"
    body = _place(incident) | {"incident": incident.incident_id, "since": moment(event.at)}
    give_up_at = event.at + session.practice.patience.verify
    _ask(session, incident, kind=VERIFY, key=key, body=body, at=event.at, give_up_at=give_up_at)


def ask_suppression(session: StoreSession, incident: Incident, event: IncidentEvent) -> None:
    """The place that fooled the camera is masked for this subcategory for a while."""
    until = event.at + session.practice.patience.suppress
    key = f"suppress:{incident.incident_id}:{event.seq}"
    body = _place(incident) | {"until": moment(until)}
    _ask(session, incident, kind=SUPPRESS, key=key, body=body, at=event.at, give_up_at=until)


def withdraw_verifications(session: Session, incident_id: IncidentId, *, at: datetime) -> None:
    """Somebody has decided: the camera's answer is not waited for any more."""
    session.execute(
        update(NodeRequestRow)
        .where(
            NodeRequestRow.incident_id == incident_id,
            NodeRequestRow.kind == VERIFY,
            NodeRequestRow.answered_at.is_(None),
        )
        .values(answered_at=at, next_at=None)
    )


def find_request(session: Session, key: str) -> NodeRequestRow | None:
    return session.get(NodeRequestRow, key)


def waiting_requests(session: Session, incident_id: IncidentId) -> list[NodeRequestRow]:
    query = select(NodeRequestRow).where(
        NodeRequestRow.incident_id == incident_id, NodeRequestRow.answered_at.is_(None)
    )
    return list(session.scalars(query))


def _ask(
    session: StoreSession,
    incident: Incident,
    *,
    kind: str,
    key: str,
    body: dict[str, Any],
    at: datetime,
    give_up_at: datetime,
) -> None:
    camera = read_directory(session).camera_by_id.get(incident.camera_id) if incident.camera_id else None
    if camera is None or incident.box is None:
        return  # nobody to ask: see `can_be_asked`
    session.add(
        NodeRequestRow(
            key=key,
            kind=kind,
            node_id=camera.node_id,
            camera_id=camera.camera_id,
            incident_id=incident.incident_id,
            payload={"v": VERSION, "type": kind, "key": key, **body},
            created_at=at,
            give_up_at=give_up_at,
            asks=0,
            next_at=at,
            answered_at=None,
        )
    )
    session.flush()


def _place(incident: Incident) -> dict[str, Any]:
    return {
        "camera": incident.camera_id,
        "subcategory": incident.subcategory,
        "box": None if incident.box is None else list(incident.box.xyxy),
    }
