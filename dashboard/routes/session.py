"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from dashboard import sign_in
from dashboard.live.hub import hub_of
from dashboard.parts import Parts
from dashboard.schemas.session import Me, SignIn
from dashboard.sessions import COOKIE, Anyone, OpenParts, drop_cookie, hash_of, set_cookie
from dispatch import accounts
from models.people import Person

router = APIRouter(tags=["session"])


@router.post("/api/sign-in")
def post_sign_in(body: SignIn, request: Request, response: Response, parts: OpenParts) -> Me:
    """Sets the session cookie. 401 `wrong_credentials`, 429 `locked`."""
    address = request.client.host if request.client else ""
    guard: sign_in.SignInGuard = request.app.state.sign_in
    entered = guard.enter(parts, username=body.username, password=body.password, address=address)
    _leave_behind(request, parts)
    set_cookie(response, token=entered.token, role=entered.person.role, secure=parts.secure_cookies)
    return _me(entered.person)


@router.post("/api/sign-out", status_code=204)
def post_sign_out(request: Request, response: Response, viewer: Anyone, parts: OpenParts) -> None:
    with parts.store.transaction() as session:
        accounts.end_session(session, viewer.token_hash)
        accounts.audit(session, person_id=viewer.person.person_id, action="sign_out", subject="", at=parts.clock.now())
    hub_of(request).session_ended(viewer.token_hash)
    drop_cookie(response, secure=parts.secure_cookies)


@router.get("/api/me")
def get_me(viewer: Anyone) -> Me:
    return _me(viewer.person)


def _leave_behind(request: Request, parts: Parts) -> None:
    """Whoever signs in on this browser after another ends the other's session: nobody could sign it out any more."""
    if token := request.cookies.get(COOKIE):
        with parts.store.transaction() as session:
            accounts.end_session(session, hash_of(token))
        hub_of(request).session_ended(hash_of(token))


def _me(person: Person) -> Me:
    return Me(
        person_id=person.person_id,
        name=person.name,
        role=person.role,
        department=person.department_id,
        cells=list(person.cells),
    )
