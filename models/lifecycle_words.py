"""What states, steps, roles and needs are called, in both languages; refusals and pages use the same words."""

from __future__ import annotations

from collections.abc import Mapping

from models.incidents import IncidentState as State
from models.people import Role
from models.text import Text

STATES: Mapping[State, Text] = {
    State.SUSPECTED: Text("待确认", "to be confirmed"),
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

STEPS: Mapping[str, Text] = {
    "seen": Text("查看", "see"),
    "open": Text("立案", "open"),
    "confirm": Text("确认立案", "confirm"),
    "assign": Text("派遣", "assign"),
    "receive": Text("接收", "receive"),
    "accept": Text("接单", "accept"),
    "resolve": Text("处置完成", "resolve"),
    "return": Text("回退", "return"),
    "nothing_here": Text("现场无此问题", "nothing here"),
    "verify": Text("核查", "verify"),
    "confirm_gone": Text("核查通过", "confirm gone"),
    "confirm_still_there": Text("核查不通过", "confirm still there"),
    "extend": Text("延期", "extend"),
    "suspend": Text("挂账", "suspend"),
    "resume": Text("恢复", "resume"),
    "merge": Text("合并", "merge"),
    "unmerge": Text("撤销合并", "undo the merge"),
    "split": Text("拆分", "split"),
    "reopen": Text("重新立案", "reopen"),
    "call_in": Text("吹哨协办", "call in"),
    "part_done": Text("协办完成", "part done"),
    "appeal": Text("申诉", "appeal"),
}
"""By step, and "seen" which only a worker's app says."""

ROLES: Mapping[Role, Text] = {
    Role.SYSTEM: Text("系统", "system"),
    Role.CAMERA: Text("摄像头", "camera"),
    Role.WORKER: Text("网格员", "worker"),
    Role.LEADER: Text("网格长", "leader"),
    Role.OPERATOR: Text("值班员", "operator"),
    Role.ANALYST: Text("分析员", "analyst"),
    Role.ADMINISTRATOR: Text("管理员", "administrator"),
}

NEEDS: Mapping[str, Text] = {
    "photo": Text("现场照片", "photo"),
    "reason": Text("原因", "reason"),
    "person": Text("处置人", "person"),
    "into": Text("并入的案件", "incident to merge into"),
    "events": Text("要拆出的发现", "sightings to split off"),
    "department": Text("协办部门", "department"),
    "part": Text("协办事项", "part"),
}
