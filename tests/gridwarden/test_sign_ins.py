from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.passwords import password_matches
from dispatch.accounts import account_by_name
from dispatch.store.store import Store
from dispatch.testing import fill_small_district
from gridwarden.sign_ins import ready_made
from models.ids import PersonId
from models.people import Person
from models.testing import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'record.sqlite'}", clock=FakeClock())
    fill_small_district(store)
    yield store
    store.close()


@pytest.fixture
def usernames(store: Store) -> dict[PersonId, str]:
    from dispatch.people import list_people

    with store.reading() as session:
        people: list[Person] = list_people(session)
    return {person.person_id: f"user-{number}" for number, person in enumerate(people)}


def test_everyone_gets_a_password_of_their_own_that_signs_them_in(
    store: Store, usernames: dict[PersonId, str], tmp_path: Path
) -> None:
    made = ready_made(store, usernames, tmp_path / "sign-ins.json")
    assert len({one.password for one in made.values()}) == len(usernames)
    one = next(iter(made.values()))
    with store.reading() as session:
        account = account_by_name(session, one.username)
    assert account is not None
    assert password_matches(one.password, password_hash=account.password_hash)


def test_a_second_start_gives_the_same_sign_ins(store: Store, usernames: dict[PersonId, str], tmp_path: Path) -> None:
    first = ready_made(store, usernames, tmp_path / "sign-ins.json")
    assert ready_made(store, usernames, tmp_path / "sign-ins.json") == first


def test_the_file_is_readable_by_its_owner_only(store: Store, usernames: dict[PersonId, str], tmp_path: Path) -> None:
    ready_made(store, usernames, tmp_path / "sign-ins.json")
    assert stat.S_IMODE((tmp_path / "sign-ins.json").stat().st_mode) == 0o600


def test_a_lost_or_damaged_file_means_new_passwords_not_no_start(
    store: Store, usernames: dict[PersonId, str], tmp_path: Path
) -> None:
    first = ready_made(store, usernames, tmp_path / "sign-ins.json")
    (tmp_path / "sign-ins.json").write_text("{ damaged")
    second = ready_made(store, usernames, tmp_path / "sign-ins.json")
    assert second.keys() == first.keys()
    assert second != first
