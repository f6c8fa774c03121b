"""Random histories of all actors against an independent model of the lifecycle, on the real record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from dispatch.node_requests import VERIFY, waiting_requests
from dispatch.outbox import due_messages, note_published
from dispatch.queries import get_incident, last_seq, list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.sweeps import sweep
from dispatch.testing import CENTRE, LI, PHOTO, WANG, ZHAO, fill_small_district, observation, see, verify
from dispatch.verify_log import verify_log
from models.errors import StepRefusedError
from models.geometry import Box
from models.ids import IncidentId
from models.incidents import FINISHED, IncidentState
from models.lifecycle import Step
from models.observations import Observation, Verdict
from models.people import Actor, Role
from models.testing import FakeClock

ACTORS = (
    Actor(Role.WORKER, WANG),
    Actor(Role.WORKER, LI),
    Actor(Role.LEADER, ZHAO),
    Actor(Role.OPERATOR, CENTRE),
    Actor(Role.ANALYST, "analyst"),
)
PLACES = tuple(Box(0.1 * place, 0.1, 0.1 * place + 0.08, 0.2) for place in range(3))

# What may follow what, written down a second time by hand: a change of the table must be meant
IN_HAND = {"assigned", "received", "accepted", "rework"}
MODEL: dict[Step, tuple[set[str], set[str]]] = {
    Step.RECEIVE: ({"assigned"}, {"received"}),
    Step.ACCEPT: ({"assigned", "received"}, {"accepted"}),
    Step.RESOLVE: (IN_HAND, {"verifying"}),
    Step.RETURN: (IN_HAND, {"assigned"}),
    Step.NOTHING_HERE: (IN_HAND, {"rejected"}),
    Step.CONFIRM_GONE: ({"verifying"}, {"closed"}),
    Step.CONFIRM_STILL_THERE: ({"verifying"}, {"rework"}),
    Step.ASSIGN: (IN_HAND, {"assigned"}),
    Step.EXTEND: (IN_HAND, IN_HAND),
    Step.SUSPEND: (IN_HAND, {"suspended"}),
    Step.RESUME: ({"suspended"}, {"assigned"}),
    Step.MERGE: (IN_HAND | {"verifying", "suspended"}, {"merged"}),
    Step.REOPEN: ({"closed", "rejected"}, {"assigned"}),
}
WORKERS = {Step.RECEIVE, Step.ACCEPT, Step.RESOLVE, Step.RETURN, Step.NOTHING_HERE}


class Lifecycle(RuleBasedStateMachine):
    told = Bundle("told")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.store = Store.open(self.new_database(), clock=self.clock)
        fill_small_district(self.store)
        self.sent: set[str] = set()

    def new_database(self) -> str:
        return f"sqlite:///{Path(self.folder.name) / 'record.db'}"

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert verify_log(self.store).differences == ()
            self.store.close()
            self.folder.cleanup()

    @rule(target=told, place=st.sampled_from(PLACES))
    def something_is_seen(self, place: Box) -> Observation:
        seen = observation(self.clock.now(), subcategory="A1", box=place)
        see(self.store, seen)
        return seen

    @rule(seen=told)
    def a_message_comes_again(self, seen: Observation) -> None:
        before = self._seq()
        see(self.store, seen)
        assert self._seq() == before

    @rule(seen=consumes(told), minutes=st.integers(0, 30))
    def an_old_message_comes_late(self, seen: Observation, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        see(self.store, seen)

    @rule(
        step=st.sampled_from(sorted(MODEL)),
        actor=st.sampled_from(ACTORS),
        number=st.integers(0, 4),
        repeat=st.booleans(),
    )
    def somebody_does_something(self, step: Step, actor: Actor, number: int, repeat: bool) -> None:
        with self.store.reading() as session:
            incidents = list_incidents(session)
        if not incidents:
            return
        chosen = incidents[number % len(incidents)]
        other = incidents[(number + 1) % len(incidents)]
        data = {"photo": PHOTO, "reason": "因为", "person": LI, "into": other.incident_id}
        key = f"key-{self._seq()}"
        for _ in range(2 if repeat else 1):
            done = self._take(chosen.incident_id, step, actor, key, data)
        mine = chosen.assignment is not None and chosen.assignment.person_id == actor.actor_id
        sources, targets = MODEL[step]
        if done:
            assert chosen.state in sources
            assert self._state(chosen.incident_id) in targets
            assert actor.role is not Role.ANALYST
            assert actor.role is not Role.WORKER or (mine and step in WORKERS)
        else:
            assert self._state(chosen.incident_id) == chosen.state

    @rule(verdict=st.sampled_from(list(Verdict)), number=st.integers(0, 4))
    def a_camera_answers(self, verdict: Verdict, number: int) -> None:
        with self.store.reading() as session:
            waiting = [
                (incident, request.key)
                for incident in list_incidents(session)
                for request in waiting_requests(session, incident.incident_id)
                if request.kind == VERIFY
            ]
        if waiting:
            incident, key = waiting[number % len(waiting)]
            assert incident.state is IncidentState.VERIFYING
            for _ in range(2):
                verify(self.store, incident, key, verdict)

    @rule(minutes=st.sampled_from([1, 6, 20, 200]))
    def time_goes_by(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        sweep(self.store, now=self.clock.now())

    @rule(noted=st.booleans())
    def the_relay_publishes(self, noted: bool) -> None:
        with self.store.reading() as session:
            due = due_messages(session, now=self.clock.now())
        if noted:
            with self.store.transaction() as session:
                note_published(session, due, now=self.clock.now())

    @invariant()
    def every_unfinished_incident_has_an_owner_and_a_deadline(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.reading() as session:
            for incident in list_incidents(session):
                assert incident.assignment is not None
                assert incident.assignment.due_at is not None
                assert (incident.closed_at is not None) == (incident.state in FINISHED)
                assert incident.state not in (IncidentState.OPENED, IncidentState.RETURNED, IncidentState.RESOLVED)

    @invariant()
    def no_place_has_two_unfinished_incidents(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.reading() as session:
            boxes = [i.box for i in list_incidents(session) if i.state not in FINISHED]
        assert len(boxes) <= len(set(boxes)) + self._reopened()

    def _reopened(self) -> int:
        """A person may reopen an incident whose place has a newer one: the only way to two."""
        with self.store.reading() as session:
            return sum(
                event.kind == Step.REOPEN
                for incident in list_incidents(session)
                for event in timeline(session, incident.incident_id)
            )

    def _take(self, incident_id: IncidentId, step: Step, actor: Actor, key: str, data: dict[str, Any]) -> bool:
        try:
            with self.store.transaction() as session:
                take_step(
                    session,
                    incident_id=incident_id,
                    step=step,
                    actor=actor,
                    now=self.clock.now(),
                    cause=key,
                    data=data,
                )
        except StepRefusedError as refused:
            assert refused.state == self._state(incident_id)  # noqa: PT017 - either way is fine here
            return False
        return True

    def _state(self, incident_id: IncidentId) -> str:
        with self.store.reading() as session:
            return get_incident(session, incident_id).state.value

    def _seq(self) -> int:
        with self.store.reading() as session:
            return last_seq(session)


class LifecycleOnPostgresql(Lifecycle):
    empty_databases: Callable[[], str]

    def new_database(self) -> str:
        return type(self).empty_databases()


class TestLifecycle(Lifecycle.TestCase):
    settings = settings(max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


class TestLifecycleOnPostgresql(LifecycleOnPostgresql.TestCase):
    settings = settings(max_examples=5, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))

    @pytest.fixture(autouse=True)
    def _cluster(self, postgresql: Callable[[], str]) -> None:
        LifecycleOnPostgresql.empty_databases = staticmethod(postgresql)
