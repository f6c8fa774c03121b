from datetime import timedelta

import pytest

from detect.requests import VerifyRequest
from detect.verification import DECIDE_WITHIN, Verifications, Waiting, decide, take_vote, vote
from models.geometry import Box
from models.ids import SubcategoryCode
from models.observations import Verdict
from models.pictures import Detections
from models.taxonomy import Recipe, Subcategory, load_taxonomy
from tests.detect.scenes import CAR, START, seen

PLACE = Box(0.2, 0.3, 0.4, 0.5)


def subcategory(code: str) -> Subcategory:
    return load_taxonomy().subcategories[SubcategoryCode(code)]


def recipe(code: str) -> Recipe:
    found = subcategory(code).recipe
    assert found is not None
    return found


def waiting(code: str = "F1") -> Waiting:
    request = VerifyRequest(
        v=1, type="verify", key="k1", incident="i1", camera="c1", subcategory=code, box=PLACE.xyxy, since=START
    )
    return Waiting(request, START)


def verdict(*looks: Detections, every_s: float = 3, code: str = "F1") -> Verdict | None:
    asked = waiting(code)
    answer = None
    for number, found in enumerate(looks, 1):
        answer = answer or take_vote(asked, subcategory(code), found, START + timedelta(seconds=every_s * number))
    return answer


def test_three_looks_without_it_say_gone() -> None:
    assert verdict(seen(), seen()) is None
    assert verdict(seen(), seen(), seen()) is Verdict.GONE


def test_two_looks_with_it_say_still_there_whatever_the_first_said() -> None:
    assert verdict(seen(), seen(CAR), seen(CAR)) is Verdict.STILL_THERE


def test_one_false_find_does_not_outweigh_three_clear_looks() -> None:
    assert verdict(seen(CAR), seen(), seen(), seen()) is Verdict.GONE


def test_a_hidden_place_is_no_answer() -> None:
    bus = seen(("truck", 0.9, (0.0, 0.0, 1.0, 1.0)))
    assert vote(recipe("B1"), bus, PLACE) is None
    assert verdict(*[bus] * 10, code="B1") is None


def test_the_other_name_of_the_same_vehicle_is_still_there() -> None:
    assert vote(recipe("F1"), seen(("truck", 0.5, PLACE.xyxy)), PLACE) is True


def test_another_car_elsewhere_is_not_the_one() -> None:
    assert vote(recipe("F1"), seen(("car", 0.9, (0.6, 0.3, 0.8, 0.5))), PLACE) is False


def test_a_bin_that_is_back_is_gone_as_a_problem() -> None:
    assert vote(recipe("G5"), seen(("garbage_bin", 0.8, PLACE.xyxy)), PLACE) is False
    assert vote(recipe("G5"), seen(), PLACE) is True


def test_looks_of_the_same_moment_or_from_before_count_once_or_not() -> None:
    assert verdict(*[seen()] * 9, every_s=0.5) is Verdict.GONE
    assert verdict(*[seen()] * 4, every_s=0.5) is None
    assert take_vote(waiting(), subcategory("F1"), seen(CAR), START - timedelta(seconds=1)) is None


@pytest.mark.parametrize(("votes", "expected"), [([], None), ([True], None), ([False] * 3, Verdict.GONE)])
def test_the_table_of_votes(votes: list[bool], expected: Verdict | None) -> None:
    assert decide(votes) == expected


def test_asking_again_changes_nothing_and_time_runs_out() -> None:
    desk = Verifications()
    request = waiting().request
    assert desk.ask(request, START)
    assert not desk.ask(request, START)
    assert [item.request.key for item in desk.overdue(START + DECIDE_WITHIN)] == ["k1"]
    assert desk.overdue(START) == []
