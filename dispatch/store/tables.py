"""The tables of the record: incidents, their events, what is owed to workers and asked of watch nodes.

`incident_event` is the truth and append-only (a trigger of the database refuses anything else); `incident` is its
fold, written in the same transaction. Who and where is in `dispatch.store.directory`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from dispatch.store.types import Moment

KEY_LENGTH = 200
"""Longest idempotency key or id taken from outside: a UUID is 36, an observation's key about 90."""

BIG = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the column's type is exactly INTEGER."""


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: Moment(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        str: String(KEY_LENGTH),
    }


class IncidentRow(Base):
    """The present state of one incident: the fold of its events, never written by anything else."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_camera_subcategory", "camera_id", "subcategory", "state"),
        Index("ix_incident_assignee_state", "assignee_id", "state"),
        Index("ix_incident_state", "state"),
    )

    incident_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    subcategory: Mapped[str]
    state: Mapped[str]
    camera_id: Mapped[str | None]
    cell_id: Mapped[str | None] = mapped_column(index=True)
    longitude: Mapped[float]
    latitude: Mapped[float]
    box: Mapped[list[Any] | None]
    why_zh: Mapped[str] = mapped_column(Text())
    why_en: Mapped[str] = mapped_column(Text())
    confidence: Mapped[float]
    sightings: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    last_seen_at: Mapped[datetime]
    assignee_id: Mapped[str | None]
    department_id: Mapped[str | None]
    assigned_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    evidence: Mapped[list[Any]]
    reworks: Mapped[int]
    returns: Mapped[int]
    extensions: Mapped[int]
    closed_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    merged_into: Mapped[str | None]
    time_limit: Mapped[str | None]
    parts: Mapped[list[Any]] = mapped_column(server_default="[]")
    open_parts: Mapped[int] = mapped_column(server_default="0")
    worst_picture: Mapped[str | None]
    worst_area: Mapped[float] = mapped_column(server_default="0")


class EventRow(Base):
    """One thing that happened. `seq` is given under the writers' lock: it has no gaps and is read in order."""

    __tablename__ = "incident_event"
    __table_args__ = (
        Index("ix_incident_event_cause", "cause"),
        Index(
            "uq_incident_event_once",
            "incident_id",
            "cause",
            unique=True,
            sqlite_where=text("cause <> ''"),
            postgresql_where=text("cause <> ''"),
        ),
        Index("ix_incident_event_incident", "incident_id", "seq"),
        Index("ix_incident_event_kind_at", "kind", "at"),
    )

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    incident_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    actor_role: Mapped[str]
    actor_id: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    cause: Mapped[str]
    data: Mapped[dict[str, Any]]


class DeliveryRow(Base):
    """A task message owed to a worker's topic; `seq` is the event it tells.

    next_at: when to publish (again), None when there is nothing left to do; received_at: the worker's app
    has said so, or nobody waits for it any more.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_next_at", "next_at"),
        Index("ix_delivery_incident", "incident_id", "person_id"),
    )

    seq: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=False)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[datetime]
    attempts: Mapped[int]
    next_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]


class NodeRequestRow(Base):
    """Something a watch node is asked to do until it answers: a verification look or a suppression."""

    __tablename__ = "node_request"
    __table_args__ = (Index("ix_node_request_next_at", "next_at"), Index("ix_node_request_incident", "incident_id"))

    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    node_id: Mapped[str]
    camera_id: Mapped[str]
    incident_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    give_up_at: Mapped[datetime | None]
    asks: Mapped[int]
    next_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class RefusedRow(Base):
    """A message that could not be used, kept so that an operator can open, re-drive or discard it.

    payload: as readable text; raw: its exact bytes, None for one too large to be kept whole; outcome: waiting,
    redriven or discarded.
    """

    __tablename__ = "refused_message"

    refused_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    topic: Mapped[str] = mapped_column(Text())
    payload: Mapped[str] = mapped_column(Text())
    reason: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime]
    raw: Mapped[bytes | None]
    outcome: Mapped[str] = mapped_column(server_default="waiting")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class NodeRow(Base):
    """The last word of each watch node about itself."""

    __tablename__ = "node"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    online: Mapped[bool]
    at: Mapped[datetime]
