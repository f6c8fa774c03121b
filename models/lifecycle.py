"""The lifecycle as a table: which step, from where, to where, by whom, with what.

A city that works differently edits rows, not code. `next_state` is the only reader of the table.
Stages follow GB/T 30428.8's 案卷建立 (open), 任务派遣 (assign), 任务处理 (handle), 处理反馈 (resolve),
核查结案 (verify, close).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.errors import StepRefusedError
from models.incidents import IncidentState as State
from models.people import Role


class Step(StrEnum):
    """What can be done to an incident."""

    OPEN = "open"
    ASSIGN = "assign"
    RECEIVE = "receive"
    ACCEPT = "accept"
    RESOLVE = "resolve"
    RETURN = "return"
    NOTHING_HERE = "nothing_here"
    VERIFY = "verify"
    CONFIRM_GONE = "confirm_gone"
    CONFIRM_STILL_THERE = "confirm_still_there"
    EXTEND = "extend"
    SUSPEND = "suspend"
    RESUME = "resume"
    MERGE = "merge"
    REOPEN = "reopen"


class Needs(StrEnum):
    """What a step must bring along, a key of its data."""

    PHOTO = "photo"
    REASON = "reason"
    PERSON = "person"
    INTO = "into"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `to` None keeps the state; `own` limits workers to incidents assigned to them."""

    step: Step
    sources: frozenset[State]
    to: State | None
    roles: frozenset[Role]
    needs: frozenset[Needs] = frozenset()
    own: bool = True


_IN_HAND = frozenset({State.ASSIGNED, State.RECEIVED, State.ACCEPTED, State.REWORK})
_OPEN = _IN_HAND | {State.OPENED, State.RETURNED, State.RESOLVED, State.VERIFYING, State.SUSPENDED}
_COMMAND = frozenset({Role.LEADER, Role.OPERATOR, Role.ADMINISTRATOR})
_HANDLER = frozenset({Role.WORKER, Role.LEADER})
_MACHINE = frozenset({Role.SYSTEM, Role.CAMERA})

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Step.ASSIGN, _IN_HAND | {State.OPENED, State.RETURNED}, State.ASSIGNED, _COMMAND | {Role.SYSTEM},
               frozenset({Needs.PERSON})),
    Transition(Step.RECEIVE, frozenset({State.ASSIGNED}), State.RECEIVED, _HANDLER),
    Transition(Step.ACCEPT, frozenset({State.ASSIGNED, State.RECEIVED}), State.ACCEPTED, _HANDLER),
    Transition(Step.RESOLVE, _IN_HAND, State.RESOLVED, _HANDLER, frozenset({Needs.PHOTO})),
    Transition(Step.RETURN, _IN_HAND, State.RETURNED, _HANDLER, frozenset({Needs.REASON})),
    Transition(Step.NOTHING_HERE, _IN_HAND, State.REJECTED, _HANDLER | _COMMAND),
    Transition(Step.VERIFY, frozenset({State.RESOLVED}), State.VERIFYING, frozenset({Role.SYSTEM})),
    Transition(Step.CONFIRM_GONE, frozenset({State.RESOLVED, State.VERIFYING}), State.CLOSED, _COMMAND | _MACHINE),
    Transition(Step.CONFIRM_STILL_THERE, frozenset({State.RESOLVED, State.VERIFYING}), State.REWORK,
               _COMMAND | _MACHINE),
    Transition(Step.EXTEND, _IN_HAND, None, _COMMAND, frozenset({Needs.REASON})),
    Transition(Step.SUSPEND, _IN_HAND, State.SUSPENDED, _COMMAND, frozenset({Needs.REASON})),
    Transition(Step.RESUME, frozenset({State.SUSPENDED}), State.ASSIGNED, _COMMAND | {Role.SYSTEM}),
    Transition(Step.MERGE, _OPEN, State.MERGED, _COMMAND, frozenset({Needs.INTO})),
    Transition(Step.REOPEN, frozenset({State.CLOSED, State.REJECTED}), State.OPENED, _COMMAND | {Role.SYSTEM},
               frozenset({Needs.REASON})),
)

_BY_STEP = {row.step: row for row in TRANSITIONS}


def transition(step: Step) -> Transition | None:
    """The step's row; None for OPEN, which has no state to come from."""
    return _BY_STEP.get(step)


def allowed_steps(state: State, *, role: Role, is_assignee: bool) -> list[Step]:
    """The steps this role may take from this state, in table order: what a page shows as buttons."""
    return [row.step for row in TRANSITIONS if state in row.sources and _may(row, role, is_assignee)]


def next_state(state: State, step: Step, *, role: Role, is_assignee: bool, brings: frozenset[Needs]) -> State:
    """The state after the step. Raises StepRefusedError that says what stands in the way."""
    row = _BY_STEP.get(step)
    if row is None or state not in row.sources:
        raise StepRefusedError(f"'{step}' is not possible: the incident is '{state}' now", state=state)
    if not _may(row, role, is_assignee):
        raise StepRefusedError(f"'{step}' is not for you: it takes {_who(row)}", state=state)
    if missing := row.needs - brings:
        raise StepRefusedError(f"'{step}' needs a {', '.join(sorted(missing))}", state=state)
    return state if row.to is None else row.to


def _may(row: Transition, role: Role, is_assignee: bool) -> bool:
    return role in row.roles and (is_assignee or role is not Role.WORKER or not row.own)


def _who(row: Transition) -> str:
    names = " or ".join(sorted(row.roles))
    return f"{names} (a worker: the one it is assigned to)" if Role.WORKER in row.roles else names
