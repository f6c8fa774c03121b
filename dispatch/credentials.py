"""Who may still connect to the broker: renewing and revoking one identity's passwords.

The record keeps a number for each identity that was ever changed; passwords of an earlier number are worthless.
Ending a worker's passwords also signs their browsers out, or a lost phone would simply ask for the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.accounts import sign_out_everywhere
from dispatch.broker_access import DISPATCH, worker_identity
from dispatch.people import list_people
from dispatch.store.directory import BrokerCredentialRow
from dispatch.store.revision import directory_changed, directory_revision
from dispatch.store.store import Store
from models.errors import SettingsError
from models.people import Role

PHONES = (Role.WORKER, Role.LEADER)
"""Whose pages listen to the broker."""


@dataclass(frozen=True, slots=True)
class Credential:
    """changed_at None: never renewed nor revoked."""

    identity: str
    generation: int = 0
    changed_at: datetime | None = None
    revoked: bool = False


def renew(session: Session, identity: str, *, now: datetime) -> Credential:
    """Ends the passwords issued so far and gives access again where it was revoked. Raises SettingsError."""
    return _change(session, identity, revoked=False, now=now)


def revoke(session: Session, identity: str, *, now: datetime) -> Credential:
    """No password of this identity is good until `renew`. Raises SettingsError."""
    return _change(session, identity, revoked=True, now=now)


def list_credentials(session: Session, *, nodes: tuple[str, ...] = ()) -> list[Credential]:
    """Everybody who may connect, and whoever was revoked: `nodes` (identities) first, then people."""
    people = [worker_identity(person.person_id) for person in list_people(session) if person.role in PHONES]
    rows = session.scalars(select(BrokerCredentialRow).order_by(BrokerCredentialRow.identity))
    changed = {row.identity: _credential(row) for row in rows}
    present = [*nodes, *people]
    return [changed.get(identity, Credential(identity)) for identity in [*present, *(set(changed) - set(present))]]


class CredentialBook:
    """The generations in memory: asked for with every message, changed a few times a year."""

    def __init__(self, store: Store, *, nodes: tuple[str, ...]) -> None:
        """nodes: the identities of the watch nodes. They and all people are known at once."""
        self._store, self._nodes = store, nodes
        self._revision = ""
        self._known: dict[str, Credential] = {}
        self.refresh()

    def generation(self, identity: str) -> int | None:
        credential = self._known.get(identity)
        return 0 if credential is None else None if credential.revoked else credential.generation

    def present(self) -> list[str]:
        """The identities that may connect, the dispatcher's own apart."""
        return [identity for identity, credential in self._known.items() if not credential.revoked]

    def refresh(self) -> set[str]:
        """Reads the record if it has changed. Returns whose passwords are no longer good."""
        with self._store.reading() as session:
            revision = directory_revision(session.line)
            if revision == self._revision:
                return set()
            known = {one.identity: one for one in list_credentials(session, nodes=self._nodes)}
        before, self._known, self._revision = self._known, known, revision
        return {identity for identity in before if known.get(identity) != before[identity]}


def _change(session: Session, identity: str, *, revoked: bool, now: datetime) -> Credential:
    if identity == DISPATCH:
        raise SettingsError("The dispatcher's own access cannot be changed: it would lock gridwarden out.")
    row = session.get(BrokerCredentialRow, identity)
    generation = 1 if row is None else row.generation + 1
    row = session.merge(BrokerCredentialRow(identity=identity, generation=generation, changed_at=now, revoked=revoked))
    kind, _, person_id = identity.partition(":")
    if kind == "worker":
        sign_out_everywhere(session, person_id)
    session.flush()
    directory_changed(session)
    return _credential(row)


def _credential(row: BrokerCredentialRow) -> Credential:
    return Credential(row.identity, row.generation, row.changed_at, row.revoked)
