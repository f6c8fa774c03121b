"""Settings (设置): messages kept aside, the audit trail, access to the broker, holidays and make-up workdays."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.schemas.base import Identifier
from dashboard.schemas.settings import AccessOut, AuditOut, AuditPage, DayIn, DayOut, DaysOut, RefusedOut
from dashboard.sessions import Administrator, Book, Commander, OpenParts, WholeDistrict
from dashboard.views.names import NameBook
from dispatch import accounts, city_records, credentials, refused
from dispatch.broker_access import node_identity
from dispatch.calendars import ChineseCalendar
from dispatch.city import CalendarDay
from dispatch.clocks import recompute
from dispatch.nodes import list_nodes
from dispatch.redrive import redrive
from dispatch.store.store import Store, StoreSession
from models.errors import NotFoundError

router = APIRouter(tags=["settings"])

RefusedId = Annotated[int, Path(ge=1, le=2**31)]

_USUAL = ChineseCalendar()
_MOST_REFUSED = 200


@router.get("/api/quarantine")
def get_quarantine(parts: OpenParts, book: Book, _: WholeDistrict) -> list[RefusedOut]:
    """Messages that could not be used, newest first."""
    with parts.store.reading() as session:
        found = refused.refused_messages(session, limit=_MOST_REFUSED)
    names = _names(book)
    return [
        RefusedOut(
            refused_id=one.refused_id,
            topic=one.topic,
            payload=one.payload,
            reason=one.reason,
            at=one.at,
            outcome=one.outcome,
            decided_by=names.get(one.decided_by, one.decided_by) if one.decided_by else None,
        )
        for one in found
    ]


@router.post("/api/quarantine/{refused_id}/{decision}", status_code=204)
def decide_refused(
    parts: OpenParts, viewer: WholeDistrict, refused_id: RefusedId, decision: Literal["redrive", "discard"]
) -> None:
    """Tries the message once more, as if it had come now, or leaves it. 422, 409: what still stands in its way."""
    now, person = parts.clock.now(), viewer.person.person_id
    with parts.store.transaction() as session:
        if decision == "redrive":
            redrive(session, refused_id, by=person, now=now)
        else:
            refused.discard(session, refused_id, by=person, at=now)
        accounts.audit(session, person_id=person, action=f"message_{decision}", subject=str(refused_id), at=now)


@router.get("/api/audit")
def get_audit(
    parts: OpenParts,
    book: Book,
    _: Administrator,
    *,
    person: Identifier | None = None,
    action: Identifier | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> AuditPage:
    """The audit trail, newest first, of one person or one kind of action where named."""
    with parts.store.reading() as session:
        entries = accounts.audit_entries(session, person_id=person, action=action, before=before, limit=limit + 1)
    names = _names(book)
    shown = [
        AuditOut(
            audit_id=one.audit_id,
            person_id=one.person_id,
            person=names.get(one.person_id, one.person_id) if one.person_id else None,
            action=one.action,
            subject=one.subject,
            at=one.at,
        )
        for one in entries[:limit]
    ]
    return AuditPage(entries=shown, next_before=shown[-1].audit_id if len(entries) > limit else None)


@router.get("/api/broker-access")
def get_access(parts: OpenParts, book: Book, _: Administrator) -> list[AccessOut]:
    """Everybody who may connect to the broker: watch nodes, then people."""
    names = _names(book)
    return [
        AccessOut(
            identity=one.identity,
            name=names.get(one.identity.removeprefix("worker:")),
            revoked=one.revoked,
            changed_at=one.changed_at,
        )
        for one in _credentials(parts.store)
    ]


@router.post("/api/broker-access/{identity}/{change}", status_code=204)
def change_access(
    parts: OpenParts, viewer: Administrator, identity: Identifier, change: Literal["renew", "revoke"]
) -> None:
    """Ends the passwords issued so far; with `revoke` there are no new ones until `renew`. The person is signed out."""
    if identity not in {one.identity for one in _credentials(parts.store)}:
        raise NotFoundError(f"nobody called {identity} connects to the broker")
    now = parts.clock.now()
    apply = credentials.renew if change == "renew" else credentials.revoke
    with parts.store.transaction() as session:
        apply(session, identity, now=now)
        _audit(session, parts, viewer, f"broker_{change}", identity)


@router.get("/api/calendar")
def get_calendar(parts: OpenParts, _: Commander) -> DaysOut:
    """The days the operator declared worked or free, whatever the statutory calendar says."""
    with parts.store.reading() as session:
        return _days(session)


@router.post("/api/calendar/{day}")
def put_day(parts: OpenParts, viewer: Administrator, day: date, body: DayIn) -> DaysOut:
    """Declares the day; the deadlines that run through it move at once."""
    with parts.store.transaction() as session:
        city_records.put_calendar_day(session, CalendarDay(day, body.working, body.note))
        return _moved(session, parts, viewer, day)


@router.post("/api/calendar/{day}/remove")
def remove_day(parts: OpenParts, viewer: Administrator, day: date) -> DaysOut:
    """The statutory calendar's word counts again for this day."""
    with parts.store.transaction() as session:
        city_records.remove_calendar_day(session, day)
        return _moved(session, parts, viewer, day)


def _names(book: NameBook) -> dict[str, str]:
    return {str(person_id): person.name for person_id, person in book.names().people.items()}


def _moved(session: StoreSession, parts: Parts, viewer: Viewer, day: date) -> DaysOut:
    changed = recompute(session, now=parts.clock.now(), why="calendar")
    _audit(session, parts, viewer, "calendar_day", day.isoformat())
    return _days(session, changed=changed)


def _days(session: StoreSession, *, changed: int = 0) -> DaysOut:
    declared = sorted(city_records.read_city(session).days, key=lambda one: one.day)
    days = [
        DayOut(day=one.day, working=one.working, note=one.note, usual=_USUAL.is_working_day(one.day))
        for one in declared
    ]
    return DaysOut(days=days, changed=changed)


def _credentials(store: Store) -> list[credentials.Credential]:
    with store.reading() as session:
        nodes = tuple(node_identity(node.node_id) for node in list_nodes(session))
        return credentials.list_credentials(session, nodes=nodes)


def _audit(session: StoreSession, parts: Parts, viewer: Viewer, action: str, subject: str) -> None:
    now = parts.clock.now()
    accounts.audit(session, person_id=viewer.person.person_id, action=action, subject=subject, at=now)
