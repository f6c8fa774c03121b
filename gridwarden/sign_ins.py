"""Ready-made sign-ins: a random password per person and installation, kept where only the operator can read them.

Only their Argon2id hashes are in the record; the file exists so that a second start can print them again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboard.passwords import hash_password
from dispatch.accounts import list_accounts, set_password_hash
from dispatch.store.store import Store
from gridwarden.data_folder import write_private
from models.ids import PersonId

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which are misread when typed from a screen."""

LENGTH = 12
"""31^12 is 2^59: with the lock after six wrong tries, not to be guessed."""


@dataclass(frozen=True, slots=True)
class SignIn:
    username: str
    password: str


def ready_made(store: Store, usernames: Mapping[PersonId, str], path: Path) -> dict[PersonId, SignIn]:
    """Sign-ins for these people, made where there is none yet; `path` holds the passwords in clear, mode 600."""
    known = _read(path)
    with store.reading() as session:
        existing = {account.person.person_id for account in list_accounts(session)}
    sign_ins = {
        person: SignIn(username, known[username] if person in existing and username in known else _password())
        for person, username in usernames.items()
    }
    write_private(path, json.dumps({one.username: one.password for one in sign_ins.values()}, indent=1).encode())
    for person, sign_in in sign_ins.items():
        if person not in existing or sign_in.username not in known:
            hashed = hash_password(sign_in.password)
            with store.transaction() as session:
                set_password_hash(session, person_id=person, username=sign_in.username, password_hash=hashed)
    return sign_ins


def _password() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
