"""People and places are kept in memory between messages; no change of them may be missed."""

import pytest

from dispatch.directory import read_directory
from dispatch.intake import take_observation
from dispatch.people import put_person, put_roster
from dispatch.places import put_camera, remove_camera
from dispatch.queries import get_incident
from dispatch.store.store import Store
from dispatch.testing import LI, NODE, PEOPLE, SUN, WANG, WEST, observation
from models.errors import PayloadError
from models.geometry import Box
from models.ids import CameraId, PersonId
from models.people import Duty, Person, Post
from models.places import Camera
from models.testing import FakeClock

ELSEWHERE = Box(0.6, 0.6, 0.8, 0.8)


def handler(store: Store, clock: FakeClock, box: Box | None = None) -> PersonId | None:
    """Who gets the next find."""
    with store.transaction() as session:
        event = take_observation(session, observation(clock.now(), box=box), now=clock.now())
        assert event is not None
        assignment = get_incident(session, event.incident_id).assignment
        return None if assignment is None else assignment.person_id


def change_and_fail(store: Store) -> None:
    with store.transaction() as session:
        put_roster(session, [Duty(WEST, SUN, Post.WORKER)])
        assert read_directory(session).duties == [Duty(WEST, SUN, Post.WORKER)]
        raise RuntimeError("the operator's browser has gone")


def test_it_is_read_once_as_long_as_nothing_changes(store: Store) -> None:
    with store.reading() as session:
        first = read_directory(session)
    with store.transaction() as session:
        assert read_directory(session) is first


def test_a_roster_changed_by_another_process_counts_for_the_next_find(
    store: Store, database_url: str, clock: FakeClock
) -> None:
    assert handler(store, clock) == WANG
    other = Store.open(database_url, clock=clock)
    with other.transaction() as session:
        put_roster(session, [Duty(WEST, LI, Post.WORKER)])
    other.close()
    assert handler(store, clock, ELSEWHERE) == LI


def test_a_change_counts_within_its_own_transaction(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        before = read_directory(session)
        put_person(session, Person(WANG, "王大伟", PEOPLE[0].role, PEOPLE[0].department_id, (WEST,)))
        assert read_directory(session).person_by_id[WANG].name == "王大伟"
        assert before.person_by_id[WANG].name == "王伟"


def test_a_change_taken_back_is_not_believed(store: Store, clock: FakeClock) -> None:
    with pytest.raises(RuntimeError):
        change_and_fail(store)
    assert handler(store, clock) == WANG
    with store.transaction() as session:
        put_roster(session, [Duty(WEST, LI, Post.WORKER)])
    assert handler(store, clock, ELSEWHERE) == LI


def test_a_camera_is_known_from_the_moment_it_is_put_until_it_is_removed(store: Store, clock: FakeClock) -> None:
    new = CameraId("camera-3")
    seen = observation(clock.now(), camera=new)
    for known in (False, True, False):
        with store.transaction() as session:
            if known:
                put_camera(session, Camera(new, "北门", "rtsp://user:secret@10.0.0.1/", (120.05, 30.05), NODE))
            else:
                remove_camera(session, new)
        with store.transaction() as session:
            assert (new in read_directory(session).camera_by_id) is known
            assert "secret" not in repr(read_directory(session))
            if not known:
                with pytest.raises(PayloadError, match="not known here"):
                    take_observation(session, seen, now=clock.now())
    assert handler(store, clock) == WANG
