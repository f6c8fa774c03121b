"""Why a step was refused, in both languages, from the same table that refused it."""

from __future__ import annotations

from dashboard.words import NEEDS_WORDS, ROLE_WORDS, STATE_WORDS, STEP_WORDS
from models.errors import StepRefusedError
from models.incidents import IncidentState
from models.lifecycle import Step, transition
from models.people import Role
from models.text import Text

# What `dispatch.steps` refuses beyond the table, by a phrase of its sentence.
_BEYOND_THE_TABLE = {
    "times already": Text("已经延期两次，不能再延。", "It has been extended twice already."),
    "suspended once": Text("已经挂账一次，不能再挂。", "It has been suspended once already."),
    "overdue": Text("已经超期，不能再延期或挂账。", "It is overdue; it can be neither extended nor suspended."),
    "no deadline": Text("没有时限，不需要延期或挂账。", "It has no deadline to extend or suspend."),
    "into itself": Text("不能把案件并入它自己。", "An incident cannot be merged into itself."),
    "takes nothing in": Text("要并入的案件已经办结。", "The incident to merge into is finished."),
}


def refusal(error: StepRefusedError, *, step: Step, role: Role, brought: frozenset[str]) -> Text:
    """The sentence people read: what stands in the way, and where the incident stands."""
    words = STEP_WORDS[step]
    row = transition(step)
    if row is None or error.state not in row.sources:
        state = STATE_WORDS[IncidentState(error.state)]
        return Text(
            f"案件现在是“{state.zh}”，不能“{words.zh}”。",
            f"The incident is “{state.en}” now; “{words.en}” is not possible.",
        )
    if role not in row.roles:
        who = [ROLE_WORDS[each] for each in sorted(row.roles)]
        return Text(
            f"“{words.zh}”要由{'、'.join(each.zh for each in who)}来做。",
            f"“{words.en}” takes {' or '.join(each.en for each in who)}.",
        )
    if missing := [NEEDS_WORDS[need] for need in sorted(row.needs) if need.value not in brought]:
        return Text(
            f"“{words.zh}”还缺：{'、'.join(each.zh for each in missing)}。",
            f"“{words.en}” also needs: {', '.join(each.en for each in missing)}.",
        )
    for phrase, text in _BEYOND_THE_TABLE.items():
        if phrase in str(error):
            return text
    return Text(f"“{words.zh}”只能由现在的处置人来做。", f"“{words.en}” is for the person who has the incident now.")
