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
from models.lifecycle_words import NEEDS, ROLES, STATES, STEPS
from models.people import Role
from models.text import Text


class Step(StrEnum):
    """What can be done to an incident."""

    OPEN = "open"
    CONFIRM = "confirm"
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
    UNMERGE = "unmerge"
    SPLIT = "split"
    REOPEN = "reopen"
    CALL_IN = "call_in"
    PART_DONE = "part_done"
    APPEAL = "appeal"


class Needs(StrEnum):
    """What a step must bring along, a key of its data."""

    PHOTO = "photo"
    REASON = "reason"
    PERSON = "person"
    INTO = "into"
    EVENTS = "events"
    DEPARTMENT = "department"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `to` None keeps the state (UNMERGE: brings back the one before the merge); `own` limits workers to
    incidents assigned to them, `part` to parts they have been called in for."""

    step: Step
    sources: frozenset[State]
    to: State | None
    roles: frozenset[Role]
    needs: frozenset[Needs] = frozenset()
    own: bool = True
    part: bool = False


_IN_HAND = frozenset({State.ASSIGNED, State.RECEIVED, State.ACCEPTED, State.REWORK})
_OPEN = _IN_HAND | {State.SUSPECTED, State.OPENED, State.RETURNED, State.RESOLVED, State.VERIFYING, State.SUSPENDED}
_COMMAND = frozenset({Role.LEADER, Role.OPERATOR, Role.ADMINISTRATOR})
_HANDLER = frozenset({Role.WORKER, Role.LEADER})
_MACHINE = frozenset({Role.SYSTEM, Role.CAMERA})

TRANSITIONS: tuple[Transition, ...] = (
    Transition(Step.CONFIRM, frozenset({State.SUSPECTED}), State.OPENED, _COMMAND | {Role.SYSTEM}),
    Transition(Step.ASSIGN, _IN_HAND | {State.OPENED, State.RETURNED}, State.ASSIGNED, _COMMAND | {Role.SYSTEM},
               frozenset({Needs.PERSON})),
    Transition(Step.RECEIVE, frozenset({State.ASSIGNED}), State.RECEIVED, _HANDLER),
    Transition(Step.ACCEPT, frozenset({State.ASSIGNED, State.RECEIVED}), State.ACCEPTED, _HANDLER),
    Transition(Step.RESOLVE, _IN_HAND, State.RESOLVED, _HANDLER, frozenset({Needs.PHOTO})),
    Transition(Step.RETURN, _IN_HAND, State.RETURNED, _HANDLER, frozenset({Needs.REASON})),
    Transition(Step.NOTHING_HERE, _IN_HAND | {State.SUSPECTED}, State.REJECTED, _HANDLER | _COMMAND),
    Transition(Step.VERIFY, frozenset({State.RESOLVED}), State.VERIFYING, frozenset({Role.SYSTEM})),
    Transition(Step.CONFIRM_GONE, frozenset({State.RESOLVED, State.VERIFYING}), State.CLOSED, _COMMAND | _MACHINE),
    Transition(Step.CONFIRM_STILL_THERE, frozenset({State.RESOLVED, State.VERIFYING}), State.REWORK,
               _COMMAND | _MACHINE),
    Transition(Step.EXTEND, _IN_HAND, None, _COMMAND, frozenset({Needs.REASON})),
    Transition(Step.SUSPEND, _IN_HAND, State.SUSPENDED, _COMMAND, frozenset({Needs.REASON})),
    Transition(Step.RESUME, frozenset({State.SUSPENDED}), State.ASSIGNED, _COMMAND | {Role.SYSTEM}),
    Transition(Step.MERGE, _OPEN, State.MERGED, _COMMAND, frozenset({Needs.INTO})),
    Transition(Step.UNMERGE, frozenset({State.MERGED}), None, _COMMAND),
    Transition(Step.SPLIT, _OPEN, None, _COMMAND, frozenset({Needs.EVENTS})),
    Transition(Step.REOPEN, frozenset({State.CLOSED, State.REJECTED}), State.OPENED, _COMMAND | {Role.SYSTEM},
               frozenset({Needs.REASON})),
    Transition(Step.CALL_IN, _IN_HAND, None, _COMMAND, frozenset({Needs.DEPARTMENT, Needs.REASON})),
    Transition(Step.PART_DONE, _IN_HAND | {State.SUSPENDED}, None, _HANDLER | _COMMAND, frozenset({Needs.PART}), part=True),
    Transition(Step.APPEAL, frozenset({State.ACCEPTED, State.REWORK}), None, _HANDLER, frozenset({Needs.REASON})),
)

_BY_STEP = {row.step: row for row in TRANSITIONS}


def transition(step: Step) -> Transition | None:
    """The step's row; None for OPEN, which has no state to come from."""
    return _BY_STEP.get(step)


def allowed_steps(state: State, *, role: Role, is_assignee: bool, holds_part: bool = False) -> list[Step]:
    """The steps this role may take from this state, in table order: what a page shows as buttons.

    holds_part: has been called in for a part that is not done yet.
    """
    return [
        row.step for row in TRANSITIONS if state in row.sources and _may(row, role, holds_part if row.part else is_assignee)
    ]


def next_state(state: State, step: Step, *, role: Role, is_assignee: bool, brings: frozenset[Needs]) -> State:
    """The state after the step. is_assignee: for a step on a part, whether the part is theirs.

    Raises StepRefusedError that says what stands in the way.
    """
    row = _BY_STEP.get(step)
    words = STEPS[step]
    if row is None or state not in row.sources:
        present = STATES[state]
        raise StepRefusedError(
            Text(
                f"案件现在是“{present.zh}”，不能“{words.zh}”。",
                f"The incident is “{present.en}” now; “{words.en}” is not possible.",
            ),
            state=state,
        )
    if role not in row.roles:
        raise StepRefusedError(_takes(row), state=state)
    if not _may(row, role, is_assignee):
        raise StepRefusedError(
            Text(
                f"“{words.zh}”只能由现在的处置人来做。", f"“{words.en}” is for the person who has the incident now."
            ),
            state=state,
        )
    if missing := [NEEDS[need] for need in sorted(row.needs - brings)]:
        raise StepRefusedError(
            Text(
                f"“{words.zh}”还缺：{'、'.join(each.zh for each in missing)}。",
                f"“{words.en}” also needs: {', '.join(each.en for each in missing)}.",
            ),
            state=state,
        )
    return state if row.to is None else row.to


def _may(row: Transition, role: Role, is_assignee: bool) -> bool:
    return role in row.roles and (is_assignee or role is not Role.WORKER or not row.own)


def _takes(row: Transition) -> Text:
    words, who = STEPS[row.step], [ROLES[role] for role in sorted(row.roles)]
    return Text(
        f"“{words.zh}”要由{'、'.join(each.zh for each in who)}来做。",
        f"“{words.en}” takes {' or '.join(each.en for each in who)}.",
    )
