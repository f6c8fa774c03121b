"""The ledger (台账): a line per incident of a period, as districts keep it, in Chinese and in local time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dispatch.deadlines import LOCAL
from dispatch.directory import read_directory
from dispatch.indicator_lives import lives
from dispatch.people import list_departments
from dispatch.rows import INCIDENT
from dispatch.store.store import StoreSession
from models.ids import CellId, SubcategoryCode
from models.lifecycle_words import STATES
from models.taxonomy import Taxonomy

Cell = str | int | float | datetime | None

HEADERS = (
    "案卷号",
    "大类",
    "小类代码",
    "小类",
    "状态",
    "网格",
    "摄像头",
    "经度",
    "纬度",
    "来源",
    "说明",
    "发现时间(北京时间)",
    "立案时间(北京时间)",
    "派遣时间(北京时间)",
    "处置部门",
    "处置人",
    "时限",
    "截止时间(北京时间)",
    "处置时间(北京时间)",
    "结案时间(北京时间)",
    "是否按期",
    "上报次数",
    "返工次数",
    "回退次数",
    "延期次数",
)

MOST_LINES = 100_000
"""A year of a busy sub-district; a spreadsheet with more is opened by nobody, and XLSX ends at 1,048,576."""


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called; an id without a name stands for itself."""

    cells: Mapping[str, str]
    cameras: Mapping[str, str]
    people: Mapping[str, str]
    departments: Mapping[str, str]


def ledger(
    session: StoreSession,
    taxonomy: Taxonomy,
    *,
    since: datetime,
    until: datetime,
    cells: Collection[CellId] | None = None,
) -> Iterator[tuple[Cell, ...]]:
    """The lines, in the order of their numbers; as many columns as `HEADERS`. Times are naive local ones."""
    life = lives(since=since, until=until, cells=cells)
    query = (
        select(INCIDENT, life.c.filed, life.c.resolve, life.c.assign, life.c.found_by_role, life.c.found)
        .join(life, life.c.incident_id == INCIDENT.c.incident_id)
        .order_by(INCIDENT.c.number)
        .limit(MOST_LINES)
    )
    names = _names(session)
    for row in session.core.execute(query):
        yield _line(row, taxonomy, names)


def _line(row: Any, taxonomy: Taxonomy, names: Names) -> tuple[Cell, ...]:
    kind = taxonomy.subcategories.get(SubcategoryCode(row.subcategory))
    category = taxonomy.categories.get(kind.category) if kind else None
    return (
        row.number,
        category.zh if category else "",
        row.subcategory,
        kind.zh if kind else "",
        STATES[row.state].zh,
        names.cells.get(row.cell_id, row.cell_id or "未划入"),
        names.cameras.get(row.camera_id, row.camera_id or ""),
        row.longitude,
        row.latitude,
        "摄像头" if row.found_by_role == "camera" else "人工上报",
        row.why_zh,
        _local(row.found),
        _local(row.filed),
        _local(row.assign),
        names.departments.get(row.department_id, row.department_id or ""),
        names.people.get(row.assignee_id, row.assignee_id or ""),
        row.time_limit or "",
        _local(row.due_at),
        _local(row.resolve),
        _local(row.closed_at),
        _in_time(row),
        row.sightings,
        row.reworks,
        row.returns,
        row.extensions,
    )


def _in_time(row: Any) -> str:
    if row.resolve is None:
        return ""
    return "是" if row.due_at is None or row.resolve <= row.due_at else "否"


def _local(moment: datetime | None) -> datetime | None:
    """Spreadsheets have no time zones: the header names the one meant."""
    return None if moment is None else moment.astimezone(LOCAL).replace(tzinfo=None, microsecond=0)


def _names(session: StoreSession) -> Names:
    directory = read_directory(session)
    return Names(
        cells={cell.cell_id: cell.name for cell in directory.cells},
        cameras={camera.camera_id: camera.name for camera in directory.cameras},
        people={person.person_id: person.name for person in directory.people},
        departments={one.department_id: one.zh for one in list_departments(session)},
    )
