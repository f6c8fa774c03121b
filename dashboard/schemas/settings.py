"""What operators and administrators look after: messages kept aside, the audit trail, access to the broker, days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from dashboard.schemas.base import In, Out


class RefusedOut(Out):
    """A message that could not be used. payload: its beginning, as text; decided_by: the name of who decided."""

    refused_id: int
    topic: str
    payload: str
    reason: str
    at: datetime
    outcome: Literal["waiting", "redriven", "discarded"]
    decided_by: str | None


class AuditOut(Out):
    """Who did or looked at what. person: null where nobody was signed in."""

    audit_id: int
    person_id: str | None
    person: str | None
    action: str
    subject: str
    at: datetime


class AuditPage(Out):
    """Newest first. next_before: asks for the entries before these; null at the end."""

    entries: list[AuditOut]
    next_before: int | None


class AccessOut(Out):
    """Who may connect to the broker. changed_at: when the passwords were last renewed or revoked."""

    identity: str
    name: str | None
    revoked: bool
    changed_at: datetime | None


class DayIn(In):
    """working: a make-up workday, else a holiday; note: why, for those who come after."""

    working: bool
    note: str = Field(default="", max_length=200)


class DayOut(Out):
    """usual: whether the day is worked without the operator's word."""

    day: date
    working: bool
    note: str
    usual: bool


class DaysOut(Out):
    """changed: incidents whose deadline moved by the change just made."""

    days: list[DayOut]
    changed: int = 0
