"""Signing in: the same answer, after the same time, for a wrong password and for a user who does not exist.

Known users are counted and locked by `dispatch.accounts` (it survives a restart); unknown names are counted here by
the same rule, so that a lock does not tell who exists.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.passwords import password_matches
from dashboard.sessions import hash_of, lifetime, new_token
from dashboard.throttle import Throttle
from dispatch import accounts
from dispatch.accounts import FIRST_LOCK, FREE_TRIES, LONGEST_LOCK, Account
from models.people import Person

log = logging.getLogger(__name__)

# A whole monitoring room may sit behind one address and mistype at shift change; a guessing machine does more.
_FAILURES_PER_ADDRESS = 30
_ADDRESS_WINDOW = timedelta(minutes=5)

# Each sign-in takes some 0.1 s of a core: more than this many waiting would take the threads all routes share.
_AT_ONCE = 8

_MOST_STRANGERS = 4096


@dataclass(frozen=True, slots=True)
class Entered:
    """token: for the cookie, known nowhere else."""

    token: str
    person: Person


@dataclass(slots=True)
class _Tries:
    failed: int = 0
    locked_until: datetime | None = None


class SignInGuard:
    """One per app. Thread-safe."""

    def __init__(self) -> None:
        self._addresses = Throttle(limit=_FAILURES_PER_ADDRESS, window=_ADDRESS_WINDOW)
        self._strangers: OrderedDict[str, _Tries] = OrderedDict()
        self._waiting = threading.BoundedSemaphore(_AT_ONCE)
        self._one_at_a_time = threading.Lock()

    def enter(self, parts: Parts, *, username: str, password: str, address: str) -> Entered:
        """Raises ApiError: 401 `wrong_credentials`, 429 `locked` or `too_many_requests`."""
        now = parts.clock.now()
        if wait := self._addresses.take(address, now):
            raise ApiError(429, "too_many_requests", retry_after_s=_seconds(wait), seconds=_seconds(wait))
        with self._turn():
            account = self._checked(parts, username=username, password=password, now=now)
        self._addresses.refund(address)
        return _enter(parts, account, now)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One password at a time: tries made at once must not all count as the first."""
        if not self._waiting.acquire(blocking=False):
            raise ApiError(429, "too_many_requests", retry_after_s=2, seconds=2)
        try:
            with self._one_at_a_time:
                yield
        finally:
            self._waiting.release()

    def _checked(self, parts: Parts, *, username: str, password: str, now: datetime) -> Account:
        with parts.store.reading() as session:
            account = accounts.account_by_name(session, username)
        stranger = self._strangers.get(username, _Tries())
        _refuse_locked(account.locked_until if account else stranger.locked_until, now)
        if password_matches(password, password_hash=account.password_hash if account else None) and account:
            return account
        tries = self._failed(parts, account=account, username=username, now=now)
        log.warning("Sign-in refused for %r, %d wrong in a row", username, tries.failed)
        _refuse_locked(tries.locked_until, now)
        raise ApiError(401, "wrong_credentials", left=FREE_TRIES + 1 - tries.failed)

    def _failed(self, parts: Parts, *, account: Account | None, username: str, now: datetime) -> _Tries:
        if account is None:
            return self._stranger_failed(username, now)
        with parts.store.transaction() as session:
            after = accounts.record_sign_in(session, username=username, success=False, now=now)
            accounts.audit(session, person_id=None, action="sign_in_refused", subject=account.person.person_id, at=now)
        return _Tries(after.failed, after.locked_until) if after else _Tries(1)

    def _stranger_failed(self, username: str, now: datetime) -> _Tries:
        tries = self._strangers.pop(username, _Tries())
        tries.failed += 1
        over = tries.failed - FREE_TRIES - 1
        tries.locked_until = None if over < 0 else now + min(FIRST_LOCK * 2 ** min(over, 10), LONGEST_LOCK)
        self._strangers[username] = tries
        while len(self._strangers) > _MOST_STRANGERS:
            self._strangers.popitem(last=False)
        return tries


def _enter(parts: Parts, account: Account, now: datetime) -> Entered:
    token = new_token()
    person = account.person
    with parts.store.transaction() as session:
        accounts.record_sign_in(session, username=account.username, success=True, now=now)
        accounts.new_session(session, hash_of(token), person.person_id, now + lifetime(person.role), now=now)
        accounts.audit(session, person_id=person.person_id, action="sign_in", subject="", at=now)
    return Entered(token, person)


def _refuse_locked(locked_until: datetime | None, now: datetime) -> None:
    if locked_until is not None and locked_until > now:
        wait = _seconds(locked_until - now)
        raise ApiError(429, "locked", retry_after_s=wait, minutes=math.ceil(wait / 60))


def _seconds(wait: timedelta) -> int:
    return max(math.ceil(wait.total_seconds()), 1)
