import json

import cv2
import numpy as np
import pytest

from detect.background import LEARN_LOOKS, STATIC_LOOKS, Background
from models.errors import PayloadError
from models.pictures import Detections, Image
from models.places import ZoneKind
from tests.detect.scenes import NAMES, codes, everywhere, look, observer, seen, street

NOTHING = Detections.empty(NAMES)


def with_bag(image: Image) -> Image:
    copy = image.copy()
    cv2.rectangle(copy, (60, 50), (80, 66), (30, 60, 30), -1)
    return copy


def noisy(brightness: float, seed: int) -> Image:
    noise = np.random.default_rng(seed).normal(0, 3, (90, 160, 1))
    return np.clip(street(brightness).astype(np.float32) + noise, 0, 255).astype(np.uint8)


def learnt(looks: int = LEARN_LOOKS + 2) -> Background:
    background = Background()
    for number in range(looks):
        assert len(background.changes(noisy(120, number), NOTHING)) == 0
    return background


def test_a_bag_put_down_is_found_where_it_lies_and_stays_found() -> None:
    background = learnt()
    found = [background.changes(with_bag(noisy(120, 99 + number)), NOTHING) for number in range(60)]
    assert [len(changes) for changes in found[: STATIC_LOOKS - 1]] == [0] * (STATIC_LOOKS - 1)
    assert all(len(changes) == 1 for changes in found[STATIC_LOOKS + 1 :])
    x1, y1, x2, y2 = found[-1].boxes[0]
    assert (x1, y1, x2, y2) == pytest.approx((0.375, 0.55, 0.5, 0.73), abs=0.06)


def test_it_is_gone_when_it_was_taken_away() -> None:
    background = learnt()
    for number in range(10):
        background.changes(with_bag(noisy(120, number)), NOTHING)
    assert len(background.changes(noisy(120, 50), NOTHING)) == 0


def test_somebody_the_detector_misses_walks_past_and_the_bag_still_lies_there() -> None:
    background = learnt()
    for number in range(10):
        background.changes(with_bag(noisy(120, number)), NOTHING)
    for number in range(3):
        passing = with_bag(noisy(120, number))
        cv2.rectangle(passing, (66 + number, 30), (74 + number, 70), (200, 200, 220), -1)
        assert len(background.changes(passing, NOTHING)) == 1


def test_weak_finds_hide_nothing() -> None:
    """A chair the detector takes for a person at a score that begins nothing is still a new object."""
    watching = observer(everywhere(ZoneKind.FOOTWAY))
    chair = seen(("person", 0.22, (60 / 160, 50 / 90, 80 / 160, 66 / 90)))
    told = []
    for number in range(150):
        image = noisy(120, number) if number < 12 else with_bag(noisy(120, number))
        told += watching.see(look(number, image=image), chair if number >= 12 else seen())
    assert codes(told) == ["A5"]


def test_a_quiet_camera_learns_its_background_and_finds_the_bag_without_inferring() -> None:
    watching = observer(everywhere(ZoneKind.FOOTWAY))
    watching.see(look(0, image=noisy(120, 0)), seen())
    for number in range(1, 20):
        assert watching.unchanged(look(number, image=noisy(120, number))) == []
    told = watching.see(look(20, image=with_bag(noisy(120, 20))), seen())
    for number in range(21, 160):
        told += watching.unchanged(look(number, image=with_bag(noisy(120, number))))
    assert codes(told) == ["A5"]


def test_what_always_stood_there_is_furniture() -> None:
    watching = observer(everywhere(ZoneKind.FOOTWAY))
    told = []
    for number in range(150):
        told += watching.see(look(number, image=with_bag(noisy(120, number))), seen())
    assert told == []


def test_a_parked_car_the_detector_misses_now_and_then_is_no_new_object() -> None:
    watching = observer(everywhere(ZoneKind.FOOTWAY), F5={"enabled": 0})
    car = seen(("car", 0.8, (60 / 160, 50 / 90, 80 / 160, 66 / 90)))
    told = []
    for number in range(150):
        image = noisy(120, number) if number < 12 else with_bag(noisy(120, number))
        told += watching.see(look(number, image=image), car if number >= 12 and number % 3 else seen())
    assert told == []


def test_a_chair_and_the_static_change_it_is_are_told_once() -> None:
    watching = observer(everywhere(ZoneKind.FIRE_LANE))
    chair = seen(("chair", 0.6, (60 / 160, 46 / 90, 80 / 160, 66 / 90)))
    told = []
    for number in range(80):
        image = noisy(120, number) if number < 12 else with_bag(noisy(120, number))
        told += watching.see(look(number, image=image), chair if number >= 12 else seen())
    assert codes(told) == ["I3"]
    assert "chair" in told[0].why.en


def test_clouds_dusk_and_exposure_are_no_objects() -> None:
    background = learnt()
    for number in range(80):
        light = 120 + 80 * np.sin(number / 6)
        assert len(background.changes(noisy(light, number), NOTHING)) == 0


def test_people_passing_or_waiting_are_no_objects_and_hide_what_is_behind_them() -> None:
    background = learnt()
    box = (60 / 160, 50 / 90, 80 / 160, 66 / 90)
    waiting = seen(("person", 0.8, box))
    for number in range(20):
        assert len(background.changes(with_bag(noisy(120, number)), waiting)) == 0


def test_a_camera_that_was_turned_learns_its_new_view() -> None:
    background = learnt()
    turned = np.ascontiguousarray(np.rot90(noisy(120, 1), 2)[:, ::-1])
    other = cv2.resize(turned[:45, :80], (160, 90))
    found = [len(background.changes(other, NOTHING)) for _ in range(30)]
    assert found[-10:] == [0] * 10


def test_the_background_survives_a_restart() -> None:
    state = json.loads(json.dumps(learnt().to_state()))
    background = Background.from_state(state)
    found = [len(background.changes(with_bag(noisy(120, number)), NOTHING)) for number in range(8)]
    assert found[-1] == 1
    with pytest.raises(PayloadError, match="damaged"):
        Background.from_state({"looks": 3, "reference": "!"})


def test_things_left_on_the_footway_become_an_incident_in_words() -> None:
    watching = observer(everywhere(ZoneKind.FOOTWAY))
    told = []
    for number in range(150):
        image = noisy(120, number) if number < 12 else with_bag(noisy(120, number))
        told += watching.see(look(number, image=image), seen())
    assert codes(told) == ["A5"]
    assert told[0].why.zh.startswith("“路口”内1 处新出现的物体已停留 15 分钟")
