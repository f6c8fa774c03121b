from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.rules.episodes import HEARTBEAT_S, QUIET_S
from detect.rules.hours import in_force_since, in_hours, permitted
from detect.rules.plan import plan
from models.errors import SettingsError
from models.observations import Observation
from models.pictures import Detections
from models.places import ZoneKind
from models.taxonomy import Recipe, RuleKind, load_taxonomy
from tests.detect.scenes import CAR, NAMES, START, Row, camera, codes, everywhere, look, observer, seen, street, watch

PERSON: Row = ("person", 0.8, (0.7, 0.3, 0.75, 0.5))


def person(x: float, y: float = 0.3) -> Row:
    return ("person", 0.8, (x, y, x + 0.04, y + 0.2))


class TestDwell:
    def test_a_parked_car_is_told_when_its_time_is_up_with_figures_in_both_languages(self) -> None:
        told = watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(CAR)] * 60)
        assert codes(told) == ["F1"]
        assert told[0].captured_at - told[0].first_seen_at == timedelta(seconds=304)
        assert told[0].why.zh == "“路口”内1 辆小汽车已停留 5.1 分钟，限 5 分钟"
        assert told[0].why.en == "1 car in “路口” for 5.1 min, limit 5 min"

    def test_outside_the_zone_it_may_stand(self) -> None:
        assert watch(observer(everywhere(ZoneKind.WATER)), [seen(CAR)] * 60) == []

    def test_moving_cars_are_never_parked(self) -> None:
        film = [seen(("car", 0.8, (x / 10, 0.3, x / 10 + 0.2, 0.5))) for x in (0, 3, 6) * 30]
        assert watch(observer(everywhere(ZoneKind.NO_PARKING)), film) == []

    def test_a_car_that_has_just_driven_off_is_not_announced(self) -> None:
        film = [*[seen(CAR)] * 37, *[seen()] * 30]
        assert watch(observer(everywhere(ZoneKind.NO_PARKING)), film) == []

    def test_cars_that_follow_each_other_over_one_spot_are_not_one_parked_car(self) -> None:
        assert codes(self.cars_at_one_spot(lambda number: number)) == []
        assert codes(self.cars_at_one_spot(lambda number: 0)) == ["F1"]

    def cars_at_one_spot(self, which: Callable[[int], int]) -> list[Observation]:
        """A car of another look for every number `which` gives, boxed a little differently each time."""
        watching, told = observer(everywhere(ZoneKind.NO_PARKING)), list[Observation]()
        for number in range(60):
            image = street()
            paint = np.random.default_rng(which(number)).integers(0, 255, (5, 8, 3), np.uint8)
            image[27:45, 32:64] = cv2.resize(paint, (32, 18))
            shift = 0.005 * (number % 3)
            told += watching.see(look(number, image=image), seen(("car", 0.8, (0.2 + shift, 0.3, 0.4 + shift, 0.5))))
        return told

    def test_a_camera_s_override_counts(self) -> None:
        told = watch(observer(everywhere(ZoneKind.NO_PARKING), F1={"dwell_s": 60}), [seen(CAR)] * 10)
        assert codes(told) == ["F1"]
        assert "限 60 秒" in told[0].why.zh

    def test_a_lying_person_is_told_and_a_standing_one_is_not(self) -> None:
        lying: Row = ("person", 0.8, (0.3, 0.6, 0.6, 0.7))
        assert codes(watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(lying)] * 6)) == ["J2"]
        assert watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(PERSON)] * 6) == []


class TestOnce:
    def test_two_hundred_looks_in_changing_light_tell_a_standing_thing_once(self) -> None:
        watching = observer(
            everywhere(ZoneKind.NO_PARKING), everywhere(ZoneKind.FIRE_LANE), everywhere(ZoneKind.FOOTWAY)
        )
        told = []
        for number in range(200):
            score = 0.5 + 0.3 * ((number * 7) % 10) / 10
            shift = 0.004 * ((number * 3) % 5 - 2)
            car: Row = ("car", score, (0.2 + shift, 0.3, 0.4 + shift, 0.5))
            image = street(60 + 90 * abs(number % 40 - 20) / 20)
            missing = number % 17 == 5
            told += watching.see(look(number, image=image), seen() if missing else seen(car))
        assert sorted(codes(told)) == ["F1", "F5", "I3"]

    def test_it_is_told_again_when_it_left_and_came_back(self) -> None:
        away = [seen()] * int(QUIET_S / 8 + 10)
        watching = observer(everywhere(ZoneKind.NO_PARKING))
        told = watch(watching, [*[seen(CAR)] * 50, *away, *[seen(CAR)] * 50])
        assert codes(told) == ["F1", "F1"]
        assert told[0].key != told[1].key

    def test_a_lorry_in_front_of_it_does_not_make_it_new(self) -> None:
        lorry: Row = ("truck", 0.9, (0.05, 0.05, 0.9, 0.9))
        told = watch(
            observer(everywhere(ZoneKind.NO_PARKING)), [*[seen(CAR)] * 50, *[seen(lorry)] * 5, *[seen(CAR)] * 50]
        )
        assert codes(told) == ["F1"]

    def test_the_key_is_the_same_for_whoever_works_it_out(self) -> None:
        keys = {watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(CAR)] * 50)[0].key for _ in range(3)}
        assert len(keys) == 1

    def test_a_restart_from_disk_tells_nothing_twice(self) -> None:
        before = observer(everywhere(ZoneKind.NO_PARKING))
        assert len(watch(before, [seen(CAR)] * 45)) == 1
        after = observer(everywhere(ZoneKind.NO_PARKING))
        assert after.restore(before.changed_states()) == 1
        assert watch(after, [seen(CAR)] * 45, first=45) == []

    def test_a_restart_does_not_forget_how_long_something_stands(self) -> None:
        before = observer(everywhere(ZoneKind.NO_PARKING))
        assert watch(before, [seen(CAR)] * 30) == []
        after = observer(everywhere(ZoneKind.NO_PARKING))
        after.restore(before.changed_states())
        assert codes(watch(after, [seen(CAR)] * 15, first=30)) == ["F1"]

    def test_a_damaged_memory_is_learnt_again(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING))
        assert watching.restore({camera().camera_id: '{"v": 1, "scene": 7}'}) == 0
        assert codes(watch(watching, [seen(CAR)] * 50)) == ["F1"]

    def test_what_still_stands_is_confirmed_hourly_under_a_key_of_its_own(self) -> None:
        looks = int((HEARTBEAT_S + 400) / 60)
        told = watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(CAR)] * looks, every_s=60)
        assert codes(told) == ["F1", "F1"]
        assert told[0].key != told[1].key
        assert told[0].first_seen_at == told[1].first_seen_at

    def test_what_could_not_be_kept_is_told_again(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING), F1={"dwell_s": 16, "looks": 3})
        first = watch(watching, [seen(CAR)] * 3)
        watching.take_back(camera().camera_id)
        second = watch(watching, [seen(CAR)], first=3)
        assert [item.key for item in first] == [item.key for item in second]

    def test_a_place_that_was_handled_is_new_again_at_once(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING), F1={"dwell_s": 16, "looks": 3})
        (told,) = watch(watching, [seen(CAR)] * 3)
        watch(watching, [seen()] * 5, first=3)
        watching.forget_place(told.camera_id, told.subcategory, told.box)
        assert codes(watch(watching, [seen(CAR)] * 3, first=8)) == ["F1"]


class TestCountAndCrossing:
    def test_a_crowd_must_last(self) -> None:
        crowd = seen(*[person(x / 20) for x in range(16)])
        assert codes(watch(observer(everywhere(ZoneKind.GATHERING)), [crowd] * 30)) == ["J1"]
        assert watch(observer(everywhere(ZoneKind.GATHERING)), [crowd] * 10) == []

    def test_a_crowd_that_thins_for_a_moment_is_still_that_crowd(self) -> None:
        crowd, thin = seen(*[person(x / 20) for x in range(16)]), seen(*[person(x / 20, 0.7) for x in range(9)])
        film = [crowd, crowd, crowd, thin] * 8
        (told,) = watch(observer(everywhere(ZoneKind.GATHERING), J1={"looks": 4}), film)
        assert (told.captured_at - told.first_seen_at).total_seconds() >= 180

    def test_somebody_in_a_forbidden_zone_is_told_at_once_and_once(self) -> None:
        film = [seen(person(x / 10)) for x in range(8)]
        told = watch(observer(everywhere(ZoneKind.FORBIDDEN)), film)
        assert codes(told) == ["J3"]
        assert told[0].captured_at == START
        assert told[0].why.zh == "“路口”内发现 1 人"

    def test_a_lorry_may_enter_at_night(self) -> None:
        lorry = seen(("truck", 0.8, (0.2, 0.3, 0.4, 0.5)))
        assert codes(watch(observer(everywhere(ZoneKind.RESTRICTED_STREET)), [lorry])) == ["F7"]
        night = START + timedelta(hours=14)
        assert watch(observer(everywhere(ZoneKind.RESTRICTED_STREET)), [lorry], start=night) == []

    def test_a_dog_with_its_owner_is_fine(self) -> None:
        dog: Row = ("dog", 0.7, (0.5, 0.6, 0.6, 0.7))
        watching = observer(everywhere(ZoneKind.COURTYARD))
        assert watch(watching, [seen(dog, ("person", 0.8, (0.62, 0.4, 0.68, 0.7)))] * 4) == []
        assert codes(watch(watching, [seen(dog, person(0.05))] * 4, first=4)) == ["K1"]


class TestAreaTogetherAbsent:
    def test_heaps_side_by_side_are_one_pile_with_its_area(self) -> None:
        film = [seen(("garbage", 0.6, (0.2, 0.5, 0.3, 0.6)), ("garbage", 0.7, (0.32, 0.5, 0.45, 0.6)))] * 90
        (told,) = watch(observer(), film)
        assert told.subcategory == "B1"
        assert told.box.xyxy == pytest.approx((0.2, 0.5, 0.45, 0.6))
        assert told.why.en.startswith("2 heaps of garbage covering 2.3% of the picture for 10 min")

    def test_a_stall_is_goods_with_somebody_at_them(self) -> None:
        goods: Row = ("umbrella", 0.7, (0.4, 0.4, 0.5, 0.6))
        vendor = person(0.52, 0.42)
        told = watch(observer(everywhere(ZoneKind.CARRIAGEWAY), A4={"enabled": 0}), [seen(goods, vendor)] * 30)
        assert codes(told) == ["A1"]
        alone = watch(observer(everywhere(ZoneKind.CARRIAGEWAY), A4={"enabled": 0}), [seen(goods)] * 30)
        assert alone == []

    def test_a_bin_that_was_always_there_is_missed(self) -> None:
        bin_: Row = ("garbage_bin", 0.8, (0.4, 0.5, 0.5, 0.7))
        told = watch(observer(everywhere(ZoneKind.BIN)), [*[seen(bin_)] * 20, *[seen()] * 60], every_s=60)
        assert codes(told)[:1] == ["G5"]
        assert told[0].why.en.startswith("bin missing in “路口” for")


class TestHeldWornLying:
    UMBRELLA: Row = ("umbrella", 0.7, (0.40, 0.30, 0.50, 0.38))

    def test_an_umbrella_over_somebody_who_waits_is_no_awning_and_one_left_standing_is(self) -> None:
        waiting: Row = ("person", 0.8, (0.42, 0.34, 0.47, 0.60))
        assert "A4" not in codes(watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(self.UMBRELLA, waiting)] * 60))
        assert codes(watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(self.UMBRELLA)] * 60)) == ["A4"]

    def test_a_parasol_is_a_stall_s_though_its_vendor_stands_under_it(self) -> None:
        parasol, vendor = ("umbrella", 0.7, (0.3, 0.3, 0.5, 0.4)), ("person", 0.8, (0.38, 0.36, 0.43, 0.6))
        assert "A1" in codes(watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(parasol, vendor)] * 40))

    def test_bicycles_people_sit_on_are_not_parked_and_those_left_are(self) -> None:
        bicycles: list[Row] = [("bicycle", 0.7, (x, 0.5, x + 0.1, 0.7)) for x in (0.1, 0.3, 0.5)]
        riders = [("person", 0.8, (x + 0.03, 0.35, x + 0.07, 0.65)) for x in (0.1, 0.3, 0.5)]
        assert watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(*bicycles, *riders)] * 90) == []
        assert codes(watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(*bicycles)] * 90)) == ["F2"]

    def test_bicycles_that_ride_past_are_not_parked(self) -> None:
        film = [
            seen(*[("bicycle", 0.7, (x + shift, 0.5, x + shift + 0.1, 0.7)) for x in (0.1, 0.3, 0.5)])
            for shift in (0.0, 0.12, 0.3) * 30
        ]
        assert watch(observer(everywhere(ZoneKind.FOOTWAY)), film) == []

    def test_a_person_with_a_bare_head_is_one_problem_however_the_head_flickers(self) -> None:
        worker: Row = ("person", 0.8, (0.4, 0.3, 0.5, 0.7))
        head: Row = ("head_no_helmet", 0.7, (0.43, 0.3, 0.47, 0.37))
        other: Row = ("head_no_helmet", 0.7, (0.44, 0.33, 0.475, 0.40))
        film = [seen(worker, head), seen(worker, other), seen(worker), seen(worker, head), seen(worker, other)] * 8
        told = watch(observer(everywhere(ZoneKind.SITE)), film)
        assert codes(told) == ["E5"]
        assert told[0].box.xyxy == pytest.approx(worker[2])

    def test_two_people_with_bare_heads_are_two_problems(self) -> None:
        film = [
            seen(
                *[("person", 0.8, (x, 0.3, x + 0.1, 0.7)) for x in (0.2, 0.6)],
                *[("head_no_helmet", 0.7, (x + 0.03, 0.3, x + 0.07, 0.37)) for x in (0.2, 0.6)],
            )
        ] * 12
        assert codes(watch(observer(everywhere(ZoneKind.SITE)), film)) == ["E5", "E5"]

    def test_a_bare_head_outside_a_works_zone_is_nobody_s_business(self) -> None:
        film = [seen(("head_no_helmet", 0.7, (0.43, 0.3, 0.47, 0.37)))] * 12
        assert watch(observer(everywhere(ZoneKind.FOOTWAY)), film) == []

    def test_somebody_cut_off_by_the_picture_s_edge_does_not_lie(self) -> None:
        cut_off: Row = ("person", 0.8, (0.3, 0.9, 0.6, 1.0))
        assert watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(cut_off)] * 8) == []

    def test_somebody_lying_is_shown_to_an_operator_and_sends_nobody(self) -> None:
        lying: Row = ("person", 0.8, (0.3, 0.6, 0.6, 0.7))
        (told,) = watch(observer(everywhere(ZoneKind.FOOTWAY)), [seen(lying)] * 8)
        assert told.assist
        (sure,) = watch(observer(everywhere(ZoneKind.FOOTWAY), J2={"assist": 0}), [seen(lying)] * 8)
        assert not sure.assist


class TestHoursAndPermits:
    EVENING = START + timedelta(hours=7)
    """17:00 in Shanghai."""

    def test_a_night_market_s_stall_has_its_time_from_closing_on(self) -> None:
        stall = seen(("umbrella", 0.7, (0.3, 0.3, 0.5, 0.4)), ("person", 0.8, (0.38, 0.36, 0.43, 0.6)))
        watching = observer(
            everywhere(ZoneKind.FOOTWAY), A1={"permit_from_hour": 17, "permit_to_hour": 18}, A4={"enabled": 0}
        )
        told = watch(watching, [stall] * 140, every_s=30, start=self.EVENING)
        assert codes(told) == ["A1"]
        assert told[0].captured_at == START + timedelta(hours=8, minutes=3)

    def test_a_permit_of_other_days_does_not_help(self) -> None:
        yesterday = float((START - timedelta(days=1)).toordinal())
        permit = {"permit_from": yesterday, "permit_to": yesterday}
        assert codes(watch(observer(everywhere(ZoneKind.NO_PARKING), F1=permit), [seen(CAR)] * 50)) == ["F1"]
        permit = {"permit_from": yesterday, "permit_to": yesterday + 1}
        assert watch(observer(everywhere(ZoneKind.NO_PARKING), F1=permit), [seen(CAR)] * 50) == []

    def test_a_car_that_stands_when_the_hours_begin_has_its_time_from_then_on(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING), F1={"from_hour": 11, "to_hour": 20})
        (told,) = watch(watching, [seen(CAR)] * 150, every_s=30)
        assert told.captured_at == START + timedelta(hours=1, minutes=5)

    def test_the_next_day_s_telling_has_a_key_of_its_own(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING), F1={"from_hour": 10, "to_hour": 10.5})
        told = watch(watching, [seen(CAR)] * 560, every_s=200, start=START)
        assert codes(told) == ["F1", "F1"]
        assert told[0].key != told[1].key


class TestWeakFinds:
    def test_a_weak_find_begins_nothing_and_holds_what_is_known(self) -> None:
        weak: Row = ("car", 0.22, CAR[2])
        assert watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(weak)] * 60) == []
        film = [seen(CAR), *[seen(weak)] * 60]
        (told,) = watch(observer(everywhere(ZoneKind.NO_PARKING)), film)
        assert told.confidence == pytest.approx(0.8)

    def test_one_thing_with_two_names_is_told_once(self) -> None:
        film = [seen(("garbage_bin", 0.6, (0.4, 0.5, 0.5, 0.7)), ("garbage", 0.6, (0.4, 0.5, 0.5, 0.69)))] * 40
        assert codes(watch(observer(everywhere(ZoneKind.FIRE_LANE)), film)) == ["I3"]

    def test_a_lorry_and_its_cab_are_told_once_and_a_car_before_it_for_itself(self) -> None:
        lorry: Row = ("truck", 0.8, (0.2, 0.3, 0.4, 0.6))
        cab: Row = ("car", 0.5, (0.2, 0.45, 0.36, 0.6))
        before: Row = ("car", 0.8, (0.25, 0.52, 0.33, 0.6))
        assert codes(watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(lorry, cab)] * 60)) == ["F1"]
        assert codes(watch(observer(everywhere(ZoneKind.NO_PARKING)), [seen(lorry, before)] * 60)) == ["F1", "F1"]


class TestPlan:
    def test_only_what_the_weights_see_and_the_zones_allow_is_planned(self) -> None:
        planned = plan(camera(everywhere(ZoneKind.NO_PARKING)), load_taxonomy(), NAMES)
        assert [rule.subcategory.code for rule in planned] == ["B1", "B2", "F1", "F6", "I1"]

    def test_an_override_of_something_unknown_is_refused_with_its_place(self) -> None:
        with pytest.raises(SettingsError, match=r"camera c1: overrides for F1: dwel_s"):
            plan(camera(F1={"dwel_s": 3}), load_taxonomy(), NAMES)
        with pytest.raises(SettingsError, match=r"camera c1: overrides for unknown Z9"):
            plan(camera(Z9={"dwell_s": 3}), load_taxonomy(), NAMES)

    def test_a_camera_with_a_wrong_override_is_watched_without_it_and_named(self) -> None:
        watching = observer(everywhere(ZoneKind.NO_PARKING))
        wrong = replace(camera(everywhere(ZoneKind.NO_PARKING)), overrides={"F1": {"dwel_s": 3.0}})
        assert "dwel_s" in watching.set_cameras([wrong])[wrong.camera_id]
        assert codes(watch(watching, [seen(CAR)] * 50)) == ["F1"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=5, max_size=80), st.integers(3, 15))
def test_nothing_is_told_before_its_time_and_no_key_twice(there: list[bool], every_s: int) -> None:
    film: list[Detections] = [seen(CAR) if shown else seen() for shown in there]
    told = watch(observer(everywhere(ZoneKind.NO_PARKING), F1={"dwell_s": 60}), film, every_s=every_s)
    assert all((item.captured_at - item.first_seen_at).total_seconds() >= 60 for item in told)
    assert len({item.key for item in told}) == len(told)
    assert len(told) <= 1 + len(there) * every_s / QUIET_S


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 48), st.integers(0, 48), st.integers(0, 127), st.integers(0, 14 * 24 * 4), st.integers(0, 48),
    st.integers(0, 48),
)  # fmt: skip
def test_a_recipe_is_in_force_exactly_when_its_hours_hold_and_no_permit_does(
    start: int, end: int, days: int, quarter: int, first: int, last: int
) -> None:
    recipe = Recipe(
        RuleKind.DWELL, ("car",), from_hour=start / 2, to_hour=end / 2,
        permit_from_hour=first / 2, permit_to_hour=last / 2, permit_days=days,
    )  # fmt: skip
    at = START + timedelta(minutes=15 * quarter)
    since = in_force_since(at, recipe)
    assert (since is None) == (not in_hours(at, recipe) or permitted(at, recipe))
    assert since is None or since <= at
