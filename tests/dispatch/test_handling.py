"""One incident from finding to closing, step by step, and everything that may go otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from dispatch.deliveries import open_delivery
from dispatch.node_requests import waiting_requests
from dispatch.places import remove_camera
from dispatch.queries import list_incidents, owed, timeline
from dispatch.reports import report
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import (
    CAMERA,
    CENTRE,
    EAST_CAMERA,
    LI,
    PHOTO,
    SUN,
    WANG,
    ZHAO,
    apply,
    incident,
    observation,
    see,
    verify,
    worker,
)
from dispatch.verify_log import verify_log
from models.errors import NotFoundError, PayloadError, StepRefusedError
from models.geometry import Box
from models.ids import IncidentId, PersonId
from models.incidents import Incident, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.observations import EvidenceRole, Verdict
from models.people import Actor, Role
from models.testing import FakeClock

LEADER = Actor(Role.LEADER, ZHAO)
OPERATOR = Actor(Role.OPERATOR, CENTRE)


def opened(store: Store, **where: Any) -> Incident:
    see(store, observation(store.clock.now(), **where))
    with store.reading() as session:
        return list_incidents(session)[0]


def take(
    store: Store, found: Incident, step: Step, actor: Actor | None = None, *, cause: str = "", **data: Any
) -> IncidentEvent:
    with store.transaction() as session:
        return take_step(
            session,
            incident_id=found.incident_id,
            step=step,
            actor=actor or worker(WANG),
            now=store.clock.now(),
            cause=cause,
            data=data,
        )


def resolved(store: Store, **where: Any) -> tuple[Incident, str]:
    """An incident whose camera has been asked, and the key of the request."""
    found = opened(store, **where)
    take(store, found, Step.ACCEPT)
    take(store, found, Step.RESOLVE, photo=PHOTO)
    with store.reading() as session:
        return found, waiting_requests(session, found.incident_id)[0].key


def kinds(store: Store, found: Incident) -> list[str]:
    with store.reading() as session:
        return [event.kind for event in timeline(session, found.incident_id)]


def task_of(store: Store, found: Incident, person: PersonId) -> str | None:
    with store.reading() as session:
        delivery = open_delivery(session, incident_id=found.incident_id, person_id=person)
        return None if delivery is None else delivery.kind


class TestOpening:
    def test_a_find_is_opened_placed_assigned_and_timed_at_once(self, store: Store) -> None:
        found = opened(store)
        assert (found.state, found.cell_id, found.number) == (IncidentState.ASSIGNED, "west", 1)
        assert found.assignment is not None
        assert (found.assignment.person_id, found.assignment.department_id) == (WANG, "HW")
        assert found.assignment.due_at is not None
        assert kinds(store, found) == ["open", "assign"]
        assert task_of(store, found, WANG) == "assigned"

    def test_the_same_message_twice_is_one_incident_and_one_sighting(self, store: Store, clock: FakeClock) -> None:
        seen = observation(clock.now())
        see(store, seen)
        see(store, seen)
        with store.reading() as session:
            assert [item.sightings for item in list_incidents(session)] == [1]

    def test_the_same_problem_again_is_a_sighting_in_any_order_of_arrival(self, store: Store, clock: FakeClock) -> None:
        early, late = clock.now(), clock.now()
        clock.advance(minutes=2)
        late = clock.now()
        see(store, observation(late, confidence=0.6))
        see(store, observation(early, confidence=0.9, picture="d" * 64))
        with store.reading() as session:
            found = list_incidents(session)[0]
        assert (found.sightings, found.confidence, found.last_seen_at) == (2, 0.9, late)
        assert len(found.evidence) == 2

    def test_evidence_does_not_grow_without_end(self, store: Store, clock: FakeClock) -> None:
        for number in range(12):
            see(store, observation(clock.now(), picture=f"{number:064x}"))
        with store.reading() as session:
            kept = [item.picture for item in list_incidents(session)[0].evidence]
        assert kept == [f"{number:064x}" for number in (0, 1, 8, 9, 10, 11)]

    def test_a_find_no_cell_contains_goes_to_the_command_centre(self, store: Store, clock: FakeClock) -> None:
        with store.transaction() as session:
            outside = report(
                session,
                actor=OPERATOR,
                subcategory="B1",
                now=clock.now(),
                key="outside",
                position=(100.0, 10.0),
            )
        assert outside.cell_id is None
        assert outside.assignment is not None
        assert outside.assignment.person_id == CENTRE

    def test_an_unknown_camera_or_subcategory_is_refused_and_leaves_nothing(
        self, store: Store, clock: FakeClock
    ) -> None:
        with pytest.raises(PayloadError, match="subcategory"):
            see(store, observation(clock.now(), subcategory="Z9"))
        with pytest.raises(PayloadError, match="camera"):
            see(store, observation(clock.now(), camera=CAMERA.replace("1", "99")))  # type: ignore[arg-type]
        with store.reading() as session:
            assert list_incidents(session) == []

    def test_a_person_reports_once_though_the_form_is_sent_twice(self, store: Store, clock: FakeClock) -> None:
        for _ in range(2):
            with store.transaction() as session:
                reported = report(
                    session,
                    actor=OPERATOR,
                    subcategory="D2",
                    now=clock.now(),
                    key="form-1",
                    note="电线杆上的小广告",
                    camera_id=CAMERA,
                )
        with store.reading() as session:
            assert list_incidents(session) == [reported]


class TestTheWorkersSteps:
    def test_the_whole_way_ends_closed_by_the_camera(self, store: Store) -> None:
        found = opened(store)
        take(store, found, Step.RECEIVE)
        take(store, found, Step.ACCEPT)
        take(store, found, Step.RESOLVE, photo=PHOTO)
        assert incident(store, found.incident_id).state is IncidentState.VERIFYING
        with store.reading() as session:
            request = waiting_requests(session, found.incident_id)[0]
        assert request.payload["box"] == list(found.box.xyxy if found.box else ())
        verify(store, found, request.key, Verdict.GONE)
        done = incident(store, found.incident_id)
        assert (done.state, done.closed_at) == (IncidentState.CLOSED, store.clock.now())
        assert {item.role for item in done.evidence} == {
            EvidenceRole.FOUND,
            EvidenceRole.WORKER,
            EvidenceRole.VERIFIED,
        }
        assert verify_log(store).clean

    def test_told_twice_is_done_once(self, store: Store) -> None:
        found = opened(store)
        first = take(store, found, Step.ACCEPT, cause="tap")
        assert take(store, found, Step.ACCEPT, cause="tap") == first
        with pytest.raises(StepRefusedError) as refused:
            take(store, found, Step.ACCEPT, cause="another tap")
        assert refused.value.state == "accepted"

    def test_another_worker_cannot_take_it(self, store: Store) -> None:
        found = opened(store)
        with pytest.raises(StepRefusedError, match="for the person who has"):
            take(store, found, Step.ACCEPT, worker(SUN))

    def test_resolving_needs_a_picture_and_a_picture_is_a_hash(self, store: Store) -> None:
        found = opened(store)
        with pytest.raises(StepRefusedError, match="photo"):
            take(store, found, Step.RESOLVE)
        with pytest.raises(PayloadError, match="64"):
            take(store, found, Step.RESOLVE, photo="../../etc/passwd")

    def test_what_people_send_along_cannot_pass_for_dispatchs_own_word(self, store: Store) -> None:
        found = opened(store)
        forged = {"picture": "f" * 64, "role": "verified", "taken_at": "2026-11-23T02:00:00Z"}
        take(store, found, Step.RETURN, reason="不归我管", evidence=[forged], seen_at="x", confidence="y")
        take(store, found, Step.NOTHING_HERE, LEADER, evidence=[forged])
        take(store, found, Step.REOPEN, OPERATOR, reason="再看", evidence=[forged], seen_at="2026-11-23T02:00:00Z")
        assert [item.picture for item in incident(store, found.incident_id).evidence] == ["b" * 64]

    def test_a_returned_incident_goes_on_to_the_next_and_never_back_by_itself(self, store: Store) -> None:
        found = opened(store)
        holders = []
        for person in (WANG, LI, ZHAO):
            take(store, found, Step.RETURN, worker(person) if person != ZHAO else LEADER, reason="不归我管")
            now = incident(store, found.incident_id)
            assert now.assignment is not None
            holders.append(now.assignment.person_id)
        assert holders == [LI, ZHAO, CENTRE]
        assert incident(store, found.incident_id).returns == 3
        assert task_of(store, found, WANG) is None

    def test_returning_restarts_the_clock_but_passing_on_does_not(self, store: Store, clock: FakeClock) -> None:
        found = opened(store)
        assert found.assignment is not None
        clock.advance(minutes=30)
        take(store, found, Step.ASSIGN, LEADER, person=LI)
        passed_on = incident(store, found.incident_id).assignment
        assert passed_on is not None
        assert (passed_on.person_id, passed_on.due_at) == (LI, found.assignment.due_at)
        assert task_of(store, found, WANG) == "recalled"
        take(store, found, Step.RETURN, worker(LI), reason="不归我管")
        again = incident(store, found.incident_id).assignment
        assert again is not None
        assert again.due_at is not None
        assert found.assignment.due_at is not None
        assert again.due_at > found.assignment.due_at

    def test_nothing_here_closes_as_false_alarm_and_masks_the_place_until_applied(self, store: Store) -> None:
        found = opened(store)
        take(store, found, Step.NOTHING_HERE)
        assert incident(store, found.incident_id).state is IncidentState.REJECTED
        with store.reading() as session:
            (request,) = waiting_requests(session, found.incident_id)
        assert request.payload["type"] == "suppress"
        assert request.payload["subcategory"] == "B1"
        apply(store, request.key)
        apply(store, request.key)
        with store.reading() as session:
            assert waiting_requests(session, found.incident_id) == []


class TestVerification:
    def test_still_there_goes_back_to_the_same_worker_without_a_new_clock(self, store: Store) -> None:
        found, key = resolved(store)
        verify(store, found, key, Verdict.STILL_THERE)
        back = incident(store, found.incident_id)
        assert (back.state, back.reworks, back.assignment) == (IncidentState.REWORK, 1, found.assignment)
        assert task_of(store, found, WANG) == "rework"

    def test_a_camera_that_cannot_tell_leaves_it_to_a_person(self, store: Store) -> None:
        found, key = resolved(store)
        verify(store, found, key, Verdict.CANNOT_TELL)
        assert incident(store, found.incident_id).state is IncidentState.VERIFYING
        assert kinds(store, found)[-1] == "cannot_tell"
        take(store, found, Step.CONFIRM_GONE, LEADER)
        assert incident(store, found.incident_id).state is IncidentState.CLOSED

    def test_an_answer_that_comes_twice_or_too_late_changes_nothing(self, store: Store) -> None:
        found, key = resolved(store)
        take(store, found, Step.CONFIRM_GONE, OPERATOR)
        for _ in range(2):
            verify(store, found, key, Verdict.STILL_THERE)
        assert incident(store, found.incident_id).state is IncidentState.CLOSED

    def test_an_answer_nobody_asked_for_is_refused(self, store: Store) -> None:
        found, _ = resolved(store)
        with pytest.raises(PayloadError, match="answers no request"):
            verify(store, found, "invented", Verdict.GONE)

    def test_a_report_without_a_box_is_verified_by_a_person(self, store: Store, clock: FakeClock) -> None:
        with store.transaction() as session:
            found = report(session, actor=OPERATOR, subcategory="B1", now=clock.now(), key="r", camera_id=CAMERA)
        take(store, found, Step.RESOLVE, photo=PHOTO)
        assert incident(store, found.incident_id).state is IncidentState.VERIFYING
        with store.reading() as session:
            assert waiting_requests(session, found.incident_id) == []

    def test_a_camera_that_has_been_taken_down_is_not_waited_for(self, store: Store) -> None:
        found = opened(store)
        with store.transaction() as session:
            remove_camera(session, CAMERA)
        take(store, found, Step.RESOLVE, photo=PHOTO)
        with store.reading() as session:
            assert timeline(session, found.incident_id)[-1].data == {"by": "person"}

    def test_seen_again_soon_after_closing_it_returns_to_its_handler(self, store: Store, clock: FakeClock) -> None:
        found, key = resolved(store)
        verify(store, found, key, Verdict.GONE)
        clock.advance(minutes=3)
        see(store, observation(clock.now()))
        back = incident(store, found.incident_id)
        assert (back.state, back.sightings, back.closed_at) == (IncidentState.ASSIGNED, 2, None)
        assert back.assignment is not None
        assert back.assignment.person_id == WANG
        assert verify_log(store).clean


class TestTheLeadersSteps:
    def test_an_extension_adds_the_limit_twice_at_most(self, store: Store) -> None:
        found = opened(store, subcategory="A1")
        for _ in range(2):
            take(store, found, Step.EXTEND, LEADER, reason="材料未到")
        later = incident(store, found.incident_id)
        assert later.extensions == 2
        assert later.assignment is not None
        assert found.assignment is not None
        assert later.assignment.due_at is not None
        assert found.assignment.due_at is not None
        assert (later.assignment.due_at - found.assignment.due_at).total_seconds() == 4 * 3600
        with pytest.raises(StepRefusedError, match="twice"):
            take(store, found, Step.EXTEND, LEADER, reason="再次")

    def test_nothing_pauses_or_extends_what_is_overdue(self, store: Store, clock: FakeClock) -> None:
        found = opened(store, subcategory="A1")
        clock.advance(hours=3)
        for step in (Step.EXTEND, Step.SUSPEND):
            with pytest.raises(StepRefusedError, match="overdue"):
                take(store, found, step, LEADER, reason="太晚")

    def test_a_suspension_leaves_the_time_that_was_left_and_comes_once(self, store: Store, clock: FakeClock) -> None:
        found = opened(store, subcategory="A1")
        clock.advance(minutes=30)
        take(store, found, Step.SUSPEND, LEADER, reason="等待施工")
        assert task_of(store, found, WANG) == "recalled"
        clock.advance(hours=500)
        take(store, found, Step.RESUME, LEADER)
        resumed = incident(store, found.incident_id)
        assert resumed.assignment is not None
        assert resumed.assignment.due_at is not None
        assert (resumed.assignment.due_at - clock.now()).total_seconds() == 90 * 60
        with pytest.raises(StepRefusedError, match="once"):
            take(store, found, Step.SUSPEND, LEADER, reason="再次")

    def test_merging_gathers_sightings_in_the_other_and_tells_the_worker(self, store: Store) -> None:
        first = opened(store)
        second = opened(store, box=Box(0.6, 0.6, 0.8, 0.8))
        with pytest.raises(StepRefusedError, match="itself"):
            take(store, second, Step.MERGE, LEADER, into=second.incident_id)
        take(store, second, Step.MERGE, LEADER, into=first.incident_id)
        assert incident(store, first.incident_id).sightings == 2
        merged = incident(store, second.incident_id)
        assert (merged.state, merged.merged_into) == (IncidentState.MERGED, first.incident_id)
        assert task_of(store, second, WANG) == "recalled"
        see(store, observation(store.clock.now(), box=Box(0.6, 0.6, 0.8, 0.8)))
        assert incident(store, first.incident_id).sightings == 3
        assert verify_log(store).clean

    def test_a_reopened_false_alarm_goes_to_its_handler(self, store: Store) -> None:
        found = opened(store)
        take(store, found, Step.NOTHING_HERE)
        take(store, found, Step.REOPEN, OPERATOR, reason="照片上看得见")
        back = incident(store, found.incident_id)
        assert (back.state, back.closed_at) == (IncidentState.ASSIGNED, None)

    def test_nobody_can_be_given_work_who_does_not_exist(self, store: Store) -> None:
        found = opened(store)
        with pytest.raises(NotFoundError):
            take(store, found, Step.ASSIGN, LEADER, person="nobody")
        with pytest.raises(NotFoundError), store.transaction() as session:
            take_step(
                session,
                incident_id=IncidentId("nothing"),
                step=Step.ACCEPT,
                actor=LEADER,
                now=store.clock.now(),
            )


def test_a_worker_owes_what_is_in_hand_and_nothing_else(store: Store) -> None:
    found = opened(store)
    other = opened(store, camera=EAST_CAMERA)
    with store.reading() as session:
        assert [item.incident_id for item in owed(session, WANG)] == [found.incident_id]
        assert [item.incident_id for item in owed(session, SUN)] == [other.incident_id]
    take(store, found, Step.RESOLVE, photo=PHOTO)
    with store.reading() as session:
        assert owed(session, WANG) == []
