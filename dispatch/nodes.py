"""What watch nodes say about themselves (retained status and last will)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.store.tables import NodeRow
from models.errors import PayloadError
from models.ids import NodeId


@dataclass(frozen=True, slots=True)
class NodeState:
    """at: when dispatch heard it."""

    node_id: NodeId
    online: bool
    at: datetime


def take_status(session: Session, node_id: str, message: Mapping[str, Any], *, now: datetime) -> None:
    online = message.get("online")
    if not isinstance(online, bool):
        raise PayloadError("online must be true or false")
    session.merge(NodeRow(node_id=node_id, online=online, at=now))
    session.flush()


def list_nodes(session: Session) -> list[NodeState]:
    rows = session.scalars(select(NodeRow).order_by(NodeRow.node_id))
    return [NodeState(NodeId(row.node_id), row.online, row.at) for row in rows]
