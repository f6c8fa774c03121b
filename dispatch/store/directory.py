"""The tables of who and where: cells, cameras, departments, people, the roster, accounts, the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables import Base


class CellRow(Base):
    __tablename__ = "cell"

    cell_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    boundary: Mapped[list[Any]]
    parent_id: Mapped[str | None]
    holes: Mapped[list[Any]] = mapped_column(server_default="[]")


class CameraRow(Base):
    """`source` may hold a password; it leaves this table only for the part that opens the camera."""

    __tablename__ = "camera"

    camera_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    source: Mapped[str] = mapped_column(Text())
    longitude: Mapped[float]
    latitude: Mapped[float]
    node_id: Mapped[str]
    zones: Mapped[list[Any]]
    bearing_deg: Mapped[float | None]
    max_interval_s: Mapped[float]
    continuous: Mapped[bool]
    overrides: Mapped[dict[str, Any]]


class DepartmentRow(Base):
    __tablename__ = "department"

    department_id: Mapped[str] = mapped_column(primary_key=True)
    zh: Mapped[str]
    en: Mapped[str]


class PersonRow(Base):
    __tablename__ = "person"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    department_id: Mapped[str] = mapped_column(ForeignKey("department.department_id"))
    cells: Mapped[list[Any]]


class DutyRow(Base):
    """One roster line; `place` keeps the order in which the operator wrote them."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_cell", "cell_id"),)

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cell_id: Mapped[str] = mapped_column(ForeignKey("cell.cell_id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    post: Mapped[str]
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"))
    weekdays: Mapped[list[Any]]
    starts: Mapped[str]
    ends: Mapped[str]


class LeaveRow(Base):
    """A person is away; who stands in for them, when somebody does."""

    __tablename__ = "leave"

    leave_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    substitute_id: Mapped[str | None] = mapped_column(ForeignKey("person.person_id"))


class DepartmentExceptionRow(Base):
    """In this cell another department answers for a subcategory than everywhere else."""

    __tablename__ = "department_exception"

    cell_id: Mapped[str] = mapped_column(ForeignKey("cell.cell_id"), primary_key=True)
    subcategory: Mapped[str] = mapped_column(primary_key=True)
    department_id: Mapped[str] = mapped_column(ForeignKey("department.department_id"))


class TimeLimitRow(Base):
    """A subcategory's limit from a moment on; before the first one the taxonomy's counts."""

    __tablename__ = "time_limit"

    subcategory: Mapped[str] = mapped_column(primary_key=True)
    effective_from: Mapped[datetime] = mapped_column(primary_key=True)
    amount: Mapped[str]


class CalendarDayRow(Base):
    """What the operator says about a day, against the calendar library. day: ISO date, local."""

    __tablename__ = "calendar_day"

    day: Mapped[str] = mapped_column(primary_key=True)
    working: Mapped[bool]
    note: Mapped[str] = mapped_column(Text())


class BrokerCredentialRow(Base):
    """Which generation of an identity's broker passwords counts; a revoked identity has none."""

    __tablename__ = "broker_credential"

    identity: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    changed_at: Mapped[datetime]
    revoked: Mapped[bool]


class DirectoryRevisionRow(Base):
    """One row: a word that changes with every change of the people and places kept in memory."""

    __tablename__ = "directory_revision"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[str]


class AccountRow(Base):
    """How a person signs in. The password is only ever here as the dashboard's argon2 string."""

    __tablename__ = "account"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(Text())
    failed: Mapped[int]
    locked_until: Mapped[datetime | None]


class SessionRow(Base):
    """A signed-in browser, by the SHA-256 of its cookie: who reads the database cannot sign in with it."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_expires_at", "expires_at"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditRow(Base):
    """Who did or looked at what. `person_id` is no foreign key: the trail outlives the person."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    audit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    person_id: Mapped[str | None]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime]
