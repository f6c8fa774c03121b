"""Accounts, signed-in browsers and the audit trail. Hashing and comparing is the dashboard's work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.people import person_of
from dispatch.store.directory import AccountRow, AuditRow, PersonRow, SessionRow
from models.ids import PersonId
from models.people import Person

FREE_TRIES = 5
"""Wrong passwords before an account is locked: people mistype twice, guessing machines don't stop."""

FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
"""Doubling from one minute keeps guessing below 200 a day; a quarter of an hour is what a locked-out
worker on the street can bear."""


@dataclass(frozen=True, slots=True)
class Account:
    """How a person signs in. locked_until: no password is accepted before that moment."""

    person: Person
    username: str
    password_hash: str
    failed: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit trail; person_id None: nobody was signed in."""

    person_id: PersonId | None
    action: str
    subject: str
    at: datetime
    audit_id: int = 0


def set_password_hash(session: Session, *, person_id: str, username: str, password_hash: str) -> None:
    """Makes or changes the account. All its signed-in browsers are signed out."""
    session.merge(
        AccountRow(person_id=person_id, username=username, password_hash=password_hash, failed=0, locked_until=None)
    )
    sign_out_everywhere(session, person_id)


def sign_out_everywhere(session: Session, person_id: str) -> None:
    """Ends all the person's signed-in browsers, as for a phone that was lost."""
    session.execute(delete(SessionRow).where(SessionRow.person_id == person_id))
    session.flush()


def account_by_name(session: Session, username: str) -> Account | None:
    row = session.scalar(select(AccountRow).where(AccountRow.username == username))
    return None if row is None else _account(session, row)


def list_accounts(session: Session) -> list[Account]:
    return [_account(session, row) for row in session.scalars(select(AccountRow).order_by(AccountRow.username))]


def record_sign_in(session: Session, *, username: str, success: bool, now: datetime) -> Account | None:
    """Counts a try. From the sixth wrong one in a row on, the account is locked, each time twice as long."""
    row = session.scalar(select(AccountRow).where(AccountRow.username == username))
    if row is None:
        return None
    row.failed = 0 if success else row.failed + 1
    row.locked_until = None if success else _lock(row.failed, now)
    session.flush()
    return account_by_name(session, username)


def new_session(
    session: Session, token_hash: str, person_id: str, expires_at: datetime, *, now: datetime | None = None
) -> None:
    """Signs a browser in; outdated ones are forgotten on the way."""
    created_at = now or expires_at
    if now is not None:
        session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    session.add(SessionRow(token_hash=token_hash, person_id=person_id, created_at=created_at, expires_at=expires_at))
    session.flush()


def session_person(session: Session, token_hash: str, now: datetime) -> Person | None:
    """Who is signed in with this token; None for an unknown or outdated one."""
    row = session.scalar(
        select(PersonRow)
        .join(SessionRow, SessionRow.person_id == PersonRow.person_id)
        .where(SessionRow.token_hash == token_hash, SessionRow.expires_at > now)
    )
    return None if row is None else person_of(row)


def end_session(session: Session, token_hash: str) -> None:
    session.execute(delete(SessionRow).where(SessionRow.token_hash == token_hash))


def audit(session: Session, *, person_id: str | None, action: str, subject: str, at: datetime) -> None:
    session.add(AuditRow(person_id=person_id, action=action, subject=subject, at=at))
    session.flush()


def audit_entries(
    session: Session,
    *,
    person_id: str | None = None,
    subject: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Newest first; before: only those older than this one."""
    query = select(AuditRow).order_by(AuditRow.audit_id.desc()).limit(limit)
    if person_id is not None:
        query = query.where(AuditRow.person_id == person_id)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    if action is not None:
        query = query.where(AuditRow.action == action)
    if before is not None:
        query = query.where(AuditRow.audit_id < before)
    return [_entry(row) for row in session.scalars(query)]


def _entry(row: AuditRow) -> AuditEntry:
    person_id = None if row.person_id is None else PersonId(row.person_id)
    return AuditEntry(person_id, row.action, row.subject, row.at, row.audit_id)


def _account(session: Session, row: AccountRow) -> Account:
    person = session.get_one(PersonRow, row.person_id)
    return Account(person_of(person), row.username, row.password_hash, row.failed, row.locked_until)


def _lock(failed: int, now: datetime) -> datetime | None:
    if failed <= FREE_TRIES:
        return None
    doublings = min(failed - FREE_TRIES - 1, 10)
    return now + min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)
