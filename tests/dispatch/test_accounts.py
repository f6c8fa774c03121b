from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from dispatch.accounts import (
    FREE_TRIES,
    LONGEST_LOCK,
    account_by_name,
    audit,
    audit_entries,
    end_session,
    list_accounts,
    new_session,
    record_sign_in,
    session_person,
    set_password_hash,
)
from dispatch.store.store import Store
from dispatch.testing import LI, WANG
from models.testing import FakeClock


@pytest.fixture(autouse=True)
def account(store: Store) -> None:
    with store.transaction() as session:
        set_password_hash(session, person_id=WANG, username="wangwei", password_hash="$argon2id$one")


def test_an_account_is_found_by_its_name_and_knows_its_person(store: Store) -> None:
    with store.reading() as session:
        found = account_by_name(session, "wangwei")
        assert found is not None
        assert (found.person.name, found.password_hash, found.failed) == ("王伟", "$argon2id$one", 0)
        assert account_by_name(session, "nobody") is None
        assert [item.username for item in list_accounts(session)] == ["wangwei"]


def test_two_people_cannot_have_one_name(store: Store) -> None:
    with pytest.raises(IntegrityError), store.transaction() as session:
        set_password_hash(session, person_id=LI, username="wangwei", password_hash="x")


def test_guessing_locks_the_account_longer_and_longer_and_success_unlocks_it(store: Store, clock: FakeClock) -> None:
    locks = []
    for _ in range(FREE_TRIES + 7):
        with store.transaction() as session:
            tried = record_sign_in(session, username="wangwei", success=False, now=clock.now())
        assert tried is not None
        locks.append(None if tried.locked_until is None else tried.locked_until - clock.now())
    assert locks[:FREE_TRIES] == [None] * FREE_TRIES
    assert locks[FREE_TRIES : FREE_TRIES + 3] == [timedelta(minutes=m) for m in (1, 2, 4)]
    assert locks[-1] == LONGEST_LOCK
    with store.transaction() as session:
        free = record_sign_in(session, username="wangwei", success=True, now=clock.now())
    assert free is not None
    assert (free.failed, free.locked_until) == (0, None)


def test_a_try_with_an_unknown_name_is_nobodys(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        assert record_sign_in(session, username="nobody", success=False, now=clock.now()) is None


def test_a_browser_is_signed_in_until_it_leaves_or_its_time_is_over(store: Store, clock: FakeClock) -> None:
    later = clock.now() + timedelta(hours=8)
    with store.transaction() as session:
        for token in ("first", "second"):
            new_session(session, token, WANG, later, now=clock.now())
        end_session(session, "first")
    with store.reading() as session:
        assert session_person(session, "first", clock.now()) is None
        person = session_person(session, "second", clock.now())
        assert person is not None
        assert person.person_id == WANG
        assert session_person(session, "second", later) is None


def test_a_new_password_signs_every_browser_out(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        new_session(session, "token", WANG, clock.now() + timedelta(hours=8), now=clock.now())
        set_password_hash(session, person_id=WANG, username="wangwei", password_hash="$argon2id$two")
        assert session_person(session, "token", clock.now()) is None


def test_the_audit_trail_is_read_newest_first(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        for number, person in enumerate((WANG, None, LI)):
            audit(session, person_id=person, action="viewed", subject=f"picture {number}", at=clock.now())
    with store.reading() as session:
        assert [entry.subject for entry in audit_entries(session)] == ["picture 2", "picture 1", "picture 0"]
        assert [entry.person_id for entry in audit_entries(session, subject="picture 1")] == [None]
