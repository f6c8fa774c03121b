"""Who is on duty in a cell at a moment: posts in order, shifts across midnight. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from dispatch.deadlines import LOCAL
from models.ids import CellId, DepartmentId, PersonId
from models.people import Duty, Post

POST_ORDER = (Post.WORKER, Post.SUBSTITUTE, Post.LEADER)


def on_duty(
    duties: Iterable[Duty], *, cell_id: CellId, department_id: DepartmentId, at: datetime
) -> list[tuple[Post, PersonId]]:
    """Everybody on duty there for that department's incidents, first asked first, each once.

    Within a post, lines written for the department go before lines for all departments.
    """
    fitting = [
        duty
        for duty in duties
        if duty.cell_id == cell_id and duty.department_id in (None, department_id) and _is_running(duty, at)
    ]
    fitting.sort(key=lambda duty: (POST_ORDER.index(duty.post), duty.department_id is None))
    asked: dict[PersonId, Post] = {}
    for duty in fitting:
        asked.setdefault(duty.person_id, duty.post)
    return [(post, person_id) for person_id, post in asked.items()]


def _is_running(duty: Duty, at: datetime) -> bool:
    """A shift past midnight belongs to the weekday it began on."""
    local = at.astimezone(LOCAL)
    now, today, yesterday = local.time(), local.weekday(), (local - timedelta(days=1)).weekday()
    if duty.starts == duty.ends:
        begun_today = now >= duty.starts
        return (begun_today and today in duty.weekdays) or (not begun_today and yesterday in duty.weekdays)
    if duty.starts < duty.ends:
        return today in duty.weekdays and duty.starts <= now < duty.ends
    return (today in duty.weekdays and now >= duty.starts) or (yesterday in duty.weekdays and now < duty.ends)
