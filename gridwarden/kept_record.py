"""The record of a data folder, opened by a command beside a running box, and who is behind the command."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dispatch.accounts import account_by_name, audit
from dispatch.store.store import Store
from gridwarden.data_folder import DataFolder
from models.clock import SystemClock
from models.errors import NotAllowedError, SettingsError
from models.people import Person, Role

DataOption = Annotated[Path, typer.Option("--data", help="The data folder of the box.")]
DATA = Path("var/gridwarden")
"""As `gridwarden up` has it."""

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="The record's URL, where it is not in the data folder.")
]

ByOption = Annotated[
    str | None,
    typer.Option("--by", help="Your user name in gridwarden, for the audit trail and the record of promotions."),
]

MAY_DECIDE = frozenset({Role.OPERATOR, Role.ANALYST, Role.ADMINISTRATOR})
"""Who sees every picture of the sub-district anyway."""


@contextmanager
def kept_record(data: Path, database: str | None = None) -> Iterator[Store]:
    """Raises SettingsError when there is none."""
    if database is None and not (data / "gridwarden.sqlite").exists():
        raise SettingsError(
            f"{data} holds no record (gridwarden.sqlite): name the data folder of the box with --data, "
            "or the record with --database."
        )
    store = Store.open(database or DataFolder(data).database_url, clock=SystemClock())
    try:
        yield store
    finally:
        store.close()


class Decision:
    """Somebody at the command line: by their name in gridwarden when they give it, by the machine's user always.

    The command line has no sign-in: who may run it may read the data folder anyway. The trail says which it was.
    """

    def __init__(self, store: Store, by: str | None) -> None:
        """Raises NotAllowedError for a name that is nobody's here, or whose role may not decide this."""
        self._store = store
        self.person = _person(store, by) if by else None
        self.user = _user()

    @property
    def who(self) -> str:
        """For files that tell who decided: the user name given, or the machine's user."""
        return self.person.person_id if self.person else f"user {self.user} of this machine"

    def audit(self, action: str, subject: str) -> None:
        with self._store.transaction() as session:
            audit(
                session,
                person_id=self.person.person_id if self.person else None,
                action=action,
                subject=f"{subject} (command line, user {self.user})",
                at=self._store.clock.now(),
            )


def _person(store: Store, username: str) -> Person:
    with store.reading() as session:
        account = account_by_name(session, username)
    if account is None:
        raise NotAllowedError(
            f"There is no user {username!r} in this record: give your own with --by, or leave it out."
        )
    if account.person.role not in MAY_DECIDE:
        roles = ", ".join(sorted(role.value for role in MAY_DECIDE))
        raise NotAllowedError(f"{username!r} is a {account.person.role.value}; this takes one of: {roles}.")
    return account.person


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
