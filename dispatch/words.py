"""What workers read when a step is not possible, in both languages."""

from __future__ import annotations

from models.incidents import IncidentState as State
from models.lifecycle import Step
from models.text import Text

STATES = {
    State.OPENED: Text("待派遣", "waiting for dispatch"),
    State.ASSIGNED: Text("已派遣", "assigned"),
    State.RECEIVED: Text("已接收", "received"),
    State.ACCEPTED: Text("处置中", "accepted"),
    State.RESOLVED: Text("已处置", "resolved"),
    State.VERIFYING: Text("核查中", "being verified"),
    State.CLOSED: Text("已结案", "closed"),
    State.RETURNED: Text("已回退", "returned"),
    State.REWORK: Text("返工", "in rework"),
    State.SUSPENDED: Text("挂账", "suspended"),
    State.REJECTED: Text("已作废", "rejected"),
    State.MERGED: Text("已合并", "merged"),
}

STEPS = {
    "seen": Text("查看", "see"),
    Step.RECEIVE: Text("接收", "receive"),
    Step.ACCEPT: Text("接单", "accept"),
    Step.RESOLVE: Text("处置完成", "resolve"),
    Step.RETURN: Text("回退", "return"),
    Step.NOTHING_HERE: Text("现场无此问题", "nothing here"),
}

DONE = Text("已记录", "recorded")
NOT_YOURS = Text("该案件不在您名下", "this incident is not assigned to you")
UNKNOWN = Text("没有这个案件", "there is no such incident")


def refused(step: str, state: State, *, because: str) -> Text:
    """`because` is the precise reason in English, for whoever looks into it."""
    what = STEPS.get(step, Text(step, step))
    zh = f"不能“{what.zh}”：案件现为“{STATES[state].zh}”"
    return Text(zh, because)
