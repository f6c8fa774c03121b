import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StepRefusedError
from models.incidents import FINISHED, IncidentState
from models.lifecycle import TRANSITIONS, Needs, Step, allowed_steps, next_state, transition
from models.lifecycle_words import NEEDS
from models.people import Role

ALL = frozenset(Needs)


def test_every_step_but_opening_has_exactly_one_row() -> None:
    assert [row.step for row in TRANSITIONS].count(Step.ASSIGN) == 1
    assert {row.step for row in TRANSITIONS} == set(Step) - {Step.OPEN}
    assert transition(Step.OPEN) is None


@given(st.sampled_from(IncidentState), st.sampled_from(Step), st.sampled_from(Role), st.booleans())
def test_a_step_is_possible_exactly_when_it_is_offered(
    state: IncidentState, step: Step, role: Role, mine: bool
) -> None:
    offered = step in allowed_steps(state, role=role, is_assignee=mine)
    try:
        next_state(state, step, role=role, is_assignee=mine, brings=ALL)
        possible = True
    except StepRefusedError as refused:
        assert refused.state == state  # noqa: PT017 - either way is fine here
        possible = False
    assert possible == offered


@pytest.mark.parametrize("state", sorted(IncidentState))
def test_there_is_a_way_from_every_unfinished_state_to_a_finished_one(state: IncidentState) -> None:
    reached, new = {state}, {state}
    while new:
        new = {row.to for row in TRANSITIONS if row.to and row.sources & new} - reached
        reached |= new
    assert reached & FINISHED


def test_analysts_only_look() -> None:
    assert not any(allowed_steps(state, role=Role.ANALYST, is_assignee=True) for state in IncidentState)


def test_a_worker_is_offered_only_what_is_theirs() -> None:
    assert allowed_steps(IncidentState.ASSIGNED, role=Role.WORKER, is_assignee=False) == []
    assert Step.ACCEPT in allowed_steps(IncidentState.ASSIGNED, role=Role.WORKER, is_assignee=True)


@pytest.mark.parametrize(("step", "need"), [(row.step, need) for row in TRANSITIONS for need in sorted(row.needs)])
def test_what_a_step_needs_must_be_brought(step: Step, need: Needs) -> None:
    row = transition(step)
    assert row is not None
    with pytest.raises(StepRefusedError, match=NEEDS[need].en):
        next_state(min(row.sources), step, role=min(row.roles), is_assignee=True, brings=ALL - {need})
