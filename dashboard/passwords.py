"""Passwords: Argon2id, and the same work for a user who does not exist as for one who does."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# The first of OWASP's equally strong settings (46 MiB, one pass, one lane): two cores serve everyone here, and a
# sign-in takes 0.05 s of one of them.
_HASHER = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)

# 46 MiB each: a burst of sign-ins must wait its turn, not take the box's memory.
_AT_ONCE = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """What `dispatch.accounts.set_password_hash` keeps."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def password_matches(password: str, *, password_hash: str | None) -> bool:
    """False for None, after as long as a wrong password takes."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody signs in with this")
