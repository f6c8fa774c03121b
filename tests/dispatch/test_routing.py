from datetime import UTC, datetime, time

import pytest

from dispatch.deadlines import LOCAL
from dispatch.roster import on_duty
from dispatch.routing import Directory, cell_at, choose, line_of_duty
from dispatch.testing import CENTRE, EAST, LI, PEOPLE, ROSTER, SUN, WANG, WEST, ZHAO, square
from models.geometry import Polygon
from models.ids import CellId, DepartmentId
from models.people import Duty, Post
from models.places import GridCell

CG, HW = DepartmentId("CG"), DepartmentId("HW")
CELLS = (GridCell(WEST, "W", "西", square(120.0, 30.0)), GridCell(EAST, "E", "东", square(120.1, 30.0)))
DIRECTORY = Directory(CELLS, PEOPLE, ROSTER)
MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def asked(*duties: Duty, at: datetime) -> list[str]:
    return [person for _, person in on_duty(duties, cell_id=WEST, department_id=CG, at=at)]


@pytest.mark.parametrize(
    ("hour", "day", "expected"),
    [(21, 23, [WANG]), (3, 24, [WANG]), (6, 24, []), (3, 23, []), (12, 23, [])],
    ids=["monday night", "early tuesday belongs to monday's shift", "over", "sunday's shift is another's", "not yet"],
)
def test_a_shift_past_midnight_belongs_to_the_day_it_began(hour: int, day: int, expected: list[str]) -> None:
    night = Duty(WEST, WANG, Post.WORKER, weekdays=(0,), starts=time(20), ends=time(6))
    assert asked(night, at=datetime(2026, 11, day, hour, tzinfo=LOCAL)) == expected


def test_equal_start_and_end_is_around_the_clock_on_its_weekdays() -> None:
    always = Duty(WEST, WANG, Post.WORKER, weekdays=(0,))
    assert asked(always, at=datetime(2026, 11, 23, 0, 0, tzinfo=LOCAL)) == [WANG]
    assert asked(always, at=datetime(2026, 11, 24, 0, 0, tzinfo=LOCAL)) == []


def test_a_line_for_the_department_goes_before_a_line_for_all() -> None:
    assert asked(Duty(WEST, LI, Post.WORKER), Duty(WEST, WANG, Post.WORKER, CG), at=MONDAY_NOON) == [WANG, LI]
    assert asked(Duty(WEST, LI, Post.WORKER, HW), at=MONDAY_NOON) == []


def test_worker_substitute_leader_and_command_centre_are_asked_in_this_order() -> None:
    line = line_of_duty(DIRECTORY, cell_id=WEST, department_id=CG, at=MONDAY_NOON)
    assert line[:4] == [WANG, LI, ZHAO, CENTRE]
    assert choose(line, passed={WANG}) == LI


def test_a_cell_with_nobody_on_duty_and_a_place_outside_all_cells_go_to_the_command_centre() -> None:
    for cell in (CellId("nowhere"), None):
        assert line_of_duty(DIRECTORY, cell_id=cell, department_id=CG, at=MONDAY_NOON)[0] == CENTRE


def test_an_off_duty_leader_of_the_cell_is_asked_before_the_command_centre() -> None:
    directory = Directory(CELLS, PEOPLE, ())
    assert line_of_duty(directory, cell_id=WEST, department_id=CG, at=MONDAY_NOON)[:2] == [ZHAO, CENTRE]
    assert SUN not in line_of_duty(directory, cell_id=EAST, department_id=CG, at=MONDAY_NOON)


def test_the_smaller_of_nested_cells_has_the_place() -> None:
    micro = GridCell(CellId("micro"), "W-01-1", "微网格", Polygon(((120.04, 30.04), (120.06, 30.04), (120.06, 30.06))))
    assert cell_at((120.055, 30.045), [*CELLS, micro]) == micro
    assert cell_at((120.01, 30.01), [*CELLS, micro]) == CELLS[0]
    assert cell_at((121.0, 31.0), CELLS) is None
