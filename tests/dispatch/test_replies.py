from __future__ import annotations

from typing import Any

import pytest

from dispatch.deliveries import open_delivery
from dispatch.queries import list_incidents, timeline
from dispatch.replies import Answer, take_reply
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import LI, PHOTO, WANG, ZHAO, incident, observation, see
from models.errors import PayloadError
from models.ids import PersonId
from models.incidents import Incident, IncidentState
from models.lifecycle import Step
from models.people import Actor, Role
from models.wire import moment


@pytest.fixture
def found(store: Store) -> Incident:
    see(store, observation(store.clock.now()))
    with store.reading() as session:
        return list_incidents(session)[0]


def reply(
    store: Store, found: Incident | str, step: str, *, by: PersonId = WANG, key: str = "", data: Any = None
) -> Answer:
    message = {
        "v": 1,
        "key": key or f"{by}-{step}",
        "incident": found if isinstance(found, str) else found.incident_id,
        "step": step,
        "at": moment(store.clock.now()),
        "data": data or {},
    }
    with store.transaction() as session:
        return take_reply(session, by, message, now=store.clock.now())


def test_a_worker_handles_a_task_by_replies_alone(store: Store, found: Incident) -> None:
    states = [
        reply(store, found, step, data={"photo": PHOTO}).state for step in ("receive", "seen", "accept", "resolve")
    ]
    assert states == ["received", "received", "accepted", "verifying"]
    with store.reading() as session:
        assert open_delivery(session, incident_id=found.incident_id, person_id=WANG) is None


def test_a_reply_sent_again_is_answered_again_and_done_once(store: Store, found: Incident) -> None:
    answers = [reply(store, found, "accept") for _ in range(3)]
    assert [answer.ok for answer in answers] == [True] * 3
    with store.reading() as session:
        assert [event.kind for event in timeline(session, found.incident_id)].count("accept") == 1


def test_a_reply_sent_again_after_the_incident_went_on_is_still_a_yes(store: Store, found: Incident) -> None:
    first = reply(store, found, "return", data={"reason": "不归我管"})
    again = reply(store, found, "return", data={"reason": "不归我管"})
    assert first.ok
    assert (again.ok, again.state) == (True, "assigned")


def test_a_step_that_is_not_possible_is_answered_with_the_present_state(store: Store, found: Incident) -> None:
    reply(store, found, "accept")
    answer = reply(store, found, "accept", key="another")
    assert (answer.ok, answer.state) == (False, "accepted")
    assert "处置中" in answer.message.zh


def test_a_task_received_late_does_not_turn_back_what_was_done(store: Store, found: Incident) -> None:
    reply(store, found, "accept")
    answer = reply(store, found, "receive")
    assert (answer.ok, answer.state) == (True, "accepted")


@pytest.mark.parametrize("by", [LI, ZHAO], ids=["another worker", "the leader, who signs in for that"])
def test_somebody_elses_incident_is_not_theirs(store: Store, found: Incident, by: PersonId) -> None:
    answer = reply(store, found, "accept", by=by)
    assert not answer.ok
    assert incident(store, found.incident_id).state is IncidentState.ASSIGNED


def test_a_key_of_another_worker_gives_no_yes(store: Store, found: Incident) -> None:
    reply(store, found, "accept", key="stolen")
    assert not reply(store, found, "accept", by=LI, key="stolen").ok


def test_an_unknown_incident_is_answered_and_an_unknown_person_or_step_refused(store: Store, found: Incident) -> None:
    assert reply(store, "nothing", "accept") == Answer("wang-accept", False, None, reply(store, "no", "seen").message)
    with pytest.raises(PayloadError, match="person"):
        reply(store, found, "accept", by=PersonId("nobody"))
    for step in ("merge", "confirm_gone", "dance"):
        with pytest.raises(PayloadError, match="step"):
            reply(store, found, step)


def test_a_recalled_task_is_no_longer_the_old_workers(store: Store, found: Incident) -> None:
    with store.transaction() as session:
        take_step(
            session,
            incident_id=found.incident_id,
            step=Step.ASSIGN,
            actor=Actor(Role.LEADER, ZHAO),
            now=store.clock.now(),
            data={"person": LI},
        )
    assert not reply(store, found, "accept").ok
    assert reply(store, found, "accept", by=LI).ok
