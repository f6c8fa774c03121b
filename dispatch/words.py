"""What workers read in answer to their replies, in both languages."""

from __future__ import annotations

from models.text import Text

DONE = Text("已记录", "recorded")
NOT_YOURS = Text("该案件不在您名下", "this incident is not assigned to you")
UNKNOWN = Text("没有这个案件", "there is no such incident")
EXTENDED = Text("已经延期两次，不能再延。", "It has been extended twice already.")
SUSPENDED_ONCE = Text("已经挂账一次，不能再挂。", "It has been suspended once already.")
OVERDUE = Text("已经超期，不能再延期或挂账。", "It is overdue; it can be neither extended nor suspended.")
NO_DEADLINE = Text("没有时限，不需要延期或挂账。", "It has no deadline to extend or suspend.")
INTO_ITSELF = Text("不能把案件并入它自己。", "An incident cannot be merged into itself.")
TAKES_NOTHING_IN = Text("要并入的案件已经办结。", "The incident to merge into is finished.")
TARGET_GONE = Text(
    "并入的案件已经办结，不能再撤销合并；可重新立案。",
    "The incident it was merged into is finished; the merge cannot be undone any more, reopen it instead.",
)
WRONG_SIGHTINGS = Text(
    "只能拆出本案件的发现，并且至少留下一个。",
    "Only sightings of this incident can be split off, and at least one must stay.",
)
PARTS_OPEN = Text("还有协办未完成，不能报处置完成。", "Departments called in have not finished their parts yet.")
NO_SUCH_PART = Text("没有这个未完成的协办事项。", "There is no such open part.")
MOST_PARTS = Text("协办太多，请另立案件。", "Too many departments are called in; open another incident.")
NOBODY_THERE = Text("这个部门没有可派的人。", "There is nobody in this department to call in.")
