"""Sign-in sessions: a random token in a cookie, only its hash in the store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from dashboard.errors import ApiError
from dashboard.parts import Parts, parts_of
from dashboard.rights import ASSESSORS, CHANGERS, COMMAND, EVERYONE, Viewer
from dashboard.views.names import NameBook
from dashboard.words import ROLE_WORDS
from dispatch import accounts
from models.people import Role

COOKIE = "gw_session"

# A shift and its handover; a shared monitoring-room screen must not stay open for the next day's stranger.
_SHIFT = timedelta(hours=13)
# A worker's own phone: typing a password in the rain each morning costs more than it guards.
_WORKERS_PHONE = timedelta(days=14)


def new_token() -> str:
    """256 random bits: nothing to guess, so one SHA-256 without salt is enough to keep it by."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def lifetime(role: Role) -> timedelta:
    return _WORKERS_PHONE if role is Role.WORKER else _SHIFT


def set_cookie(response: Response, *, token: str, role: Role, secure: bool) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(lifetime(role).total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )


def drop_cookie(response: Response, *, secure: bool) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=secure)


def viewer_of(request: Request) -> Viewer:
    """The signed-in viewer; read from the store each time, so a changed role or an ended session counts at once."""
    token = request.cookies.get(COOKIE, "")
    viewer = find_viewer(parts_of(request), hash_of(token)) if token else None
    if viewer is None:
        raise ApiError(401, "not_signed_in")
    return viewer


def find_viewer(parts: Parts, token_hash: str) -> Viewer | None:
    with parts.store.reading() as session:
        person = accounts.session_person(session, token_hash, parts.clock.now())
    return Viewer(person, token_hash) if person else None


def requires(roles: frozenset[Role]) -> Callable[[Request], Viewer]:
    """A dependency that lets only these roles through: 401 without a session, 403 with another role."""

    def check(request: Request) -> Viewer:
        viewer = viewer_of(request)
        if viewer.person.role not in roles:
            words = ROLE_WORDS[viewer.person.role]
            raise ApiError(403, "not_allowed", role_zh=words.zh, role_en=words.en)
        return viewer

    return check


Anyone = Annotated[Viewer, Depends(requires(EVERYONE))]
Changer = Annotated[Viewer, Depends(requires(CHANGERS))]
Commander = Annotated[Viewer, Depends(requires(COMMAND))]
WholeDistrict = Annotated[Viewer, Depends(requires(frozenset({Role.OPERATOR, Role.ADMINISTRATOR})))]
Assessor = Annotated[Viewer, Depends(requires(ASSESSORS))]
Worker = Annotated[Viewer, Depends(requires(frozenset({Role.WORKER, Role.LEADER})))]
Administrator = Annotated[Viewer, Depends(requires(frozenset({Role.ADMINISTRATOR})))]
OpenParts = Annotated[Parts, Depends(parts_of)]


def _book(request: Request) -> NameBook:
    book: NameBook = request.app.state.book
    return book


Book = Annotated[NameBook, Depends(_book)]
