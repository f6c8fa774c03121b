"""What happens when nobody answers: publishing again, passing on, giving up on a camera, reminding."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

from dispatch.node_requests import waiting_requests
from dispatch.outbox import Due, due_messages, next_due, note_published
from dispatch.people import put_roster
from dispatch.queries import list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.sweeps import sweep
from dispatch.testing import CENTRE, LI, PHOTO, WANG, ZHAO, fill_small_district, incident, observation, see, worker
from dispatch.verify_log import verify_log
from models.incidents import Incident, IncidentState
from models.lifecycle import Step
from models.testing import FakeClock
from models.wire import requests_topic, tasks_topic


def found(store: Store, subcategory: str = "A1") -> Incident:
    see(store, observation(store.clock.now(), subcategory=subcategory))
    with store.reading() as session:
        return list_incidents(session)[0]


def publish(store: Store) -> list[Due]:
    with store.reading() as session:
        due = due_messages(session, now=store.clock.now())
    with store.transaction() as session:
        note_published(session, due, now=store.clock.now())
    return due


def take(store: Store, item: Incident, step: Step, **data: str) -> None:
    with store.transaction() as session:
        take_step(
            session,
            incident_id=item.incident_id,
            step=step,
            actor=worker(WANG),
            now=store.clock.now(),
            data=data,
        )


def holder(store: Store, item: Incident) -> str | None:
    assignment = incident(store, item.incident_id).assignment
    return None if assignment is None else assignment.person_id


def kinds(store: Store, item: Incident) -> list[str]:
    with store.reading() as session:
        return [event.kind for event in timeline(session, item.incident_id)]


class TestOutbox:
    def test_a_task_is_published_again_with_growing_pauses_until_received(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        moments = []
        for _ in range(200):
            if publish(store):
                moments.append(clock.now())
            clock.advance(seconds=1)
        pauses = [later - earlier for earlier, later in pairwise(moments)]
        assert pauses == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60)]
        assert kinds(store, item).count("published") == 1
        take(store, item, Step.RECEIVE)
        clock.advance(hours=1)
        assert publish(store) == []

    def test_the_message_is_the_incident_as_its_worker_sees_it(self, store: Store) -> None:
        found(store)
        (due,) = publish(store)
        message = json.loads(due.payload)
        assert due.topic == tasks_topic(WANG)
        assert (message["v"], message["kind"], message["seq"]) == (1, "assigned", 2)
        assert message["incident"]["assignment"]["person_name"] == "王伟"
        assert message["incident"]["steps"] == ["receive", "accept", "resolve", "return", "nothing_here"]
        assert "source" not in due.payload.decode()

    def test_what_is_published_between_reading_and_noting_is_not_lost(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        with store.reading() as session:
            due = due_messages(session, now=clock.now())
        take(store, item, Step.ACCEPT)
        with store.transaction() as session:
            note_published(session, due, now=clock.now())
        with store.reading() as session:
            assert next_due(session) is None

    def test_a_node_is_asked_again_until_it_answers(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        take(store, item, Step.RESOLVE, photo=PHOTO)
        asked = 0
        for _ in range(30):
            asked += sum(due.topic == requests_topic("node-1") for due in publish(store))
            clock.advance(seconds=1)
        assert asked == 4  # at 0, 4, 12 and 28 seconds


class TestSweep:
    def test_a_silent_worker_is_passed_over_up_to_the_command_centre(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        holders = [holder(store, item)]
        for _ in range(5):
            clock.advance(minutes=5)
            sweep(store, now=clock.now())
            holders.append(holder(store, item))
        assert holders == [WANG, LI, ZHAO, CENTRE, CENTRE, CENTRE]
        assert kinds(store, item).count("escalated") == 3
        recalled = [json.loads(due.payload)["kind"] for due in publish(store) if due.topic == tasks_topic(WANG)]
        assert recalled == ["recalled"]
        assert verify_log(store).clean

    def test_who_has_received_keeps_the_task(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        take(store, item, Step.RECEIVE)
        clock.advance(minutes=30)
        sweep(store, now=clock.now())
        assert holder(store, item) == WANG

    def test_a_camera_that_does_not_answer_leaves_the_check_to_a_person(self, store: Store, clock: FakeClock) -> None:
        item = found(store)
        take(store, item, Step.RESOLVE, photo=PHOTO)
        clock.advance(minutes=15)
        for _ in range(2):
            sweep(store, now=clock.now())
        assert incident(store, item.incident_id).state is IncidentState.VERIFYING
        assert kinds(store, item).count("cannot_tell") == 1
        with store.reading() as session:
            assert waiting_requests(session, item.incident_id) == []

    def test_the_worker_is_reminded_once_at_half_four_fifths_and_the_whole_limit(
        self, store: Store, clock: FakeClock
    ) -> None:
        item = found(store)
        take(store, item, Step.ACCEPT)
        reminded = []
        for _ in range(30):
            clock.advance(minutes=5)
            sweep(store, now=clock.now())
            reminded += [clock.now() - item.opened_at for due in publish(store) if b'"reminder"' in due.payload]
        assert reminded == [timedelta(minutes=60), timedelta(minutes=100), timedelta(minutes=120)]

    def test_what_was_found_while_nobody_was_there_gets_an_owner_when_somebody_is(
        self, empty_store: Store, clock: FakeClock
    ) -> None:
        fill_small_district(empty_store)
        with empty_store.transaction() as session:
            from sqlalchemy import delete

            from dispatch.store.directory import PersonRow

            put_roster(session, [])
            session.execute(delete(PersonRow))
        item = found(empty_store)
        assert item.state is IncidentState.OPENED
        fill_small_district(empty_store)
        clock.advance(minutes=1)
        sweep(empty_store, now=clock.now())
        assert holder(empty_store, item) == WANG
