"""Who works here, in which department, and who is on duty where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from models.ids import CellId, DepartmentId, PersonId


class Role(StrEnum):
    """What a person may do. `SYSTEM` and `CAMERA` are actors in events, nobody signs in as them."""

    SYSTEM = "system"
    CAMERA = "camera"
    WORKER = "worker"
    LEADER = "leader"
    OPERATOR = "operator"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused an event: a role and, for people, who; for cameras and parts of the system, which."""

    role: Role
    actor_id: str


@dataclass(frozen=True, slots=True)
class Department:
    """Who is responsible for kinds of problems, e.g. CG 城管."""

    department_id: DepartmentId
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in. `cells` limits what a worker or leader sees; empty means the whole sub-district."""

    person_id: PersonId
    name: str
    role: Role
    department_id: DepartmentId
    cells: tuple[CellId, ...] = ()


class Post(StrEnum):
    """A person's place in a cell's roster; asked in this order."""

    WORKER = "worker"
    SUBSTITUTE = "substitute"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Duty:
    """One line of the roster: this person holds this post in this cell.

    department_id: only for this department's incidents, None for all; weekdays: 0 Monday .. 6 Sunday;
    starts, ends: local time, a shift with ends <= starts runs past midnight, equal means around the clock.
    """

    cell_id: CellId
    person_id: PersonId
    post: Post
    department_id: DepartmentId | None = None
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    starts: time = time(0)
    ends: time = time(0)
