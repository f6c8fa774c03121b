from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.memory import (
    ESTABLISHED_SIGHTINGS,
    LONGEST_GAP_S,
    MAX_DEPARTED,
    MAX_THINGS,
    Scene,
    remember,
)
from detect.memory_state import scene_from_state, scene_to_state
from detect.things import PATIENCE_LOOKS
from models.pictures import Detections
from tests.detect.scenes import CAR, NAMES, START, Row, seen


def shown(*looks: Detections, every_s: float = 8, scene: Scene | None = None, start: int = 0) -> Scene:
    scene = scene or Scene()
    for number, detections in enumerate(looks, start):
        scene = remember(scene, detections, START + timedelta(seconds=every_s * number))
    return scene


def test_a_thing_that_stands_still_is_the_same_thing() -> None:
    scene = shown(*[seen(CAR)] * 10)
    (car,) = scene.things
    assert (car.standing, car.sightings) == (True, 10)
    assert car.last_seen - car.first_seen == timedelta(seconds=72)


def test_a_thing_somewhere_else_is_another_thing_not_a_track() -> None:
    scene = shown(seen(CAR), seen(("car", 0.8, (0.5, 0.3, 0.7, 0.5))))
    assert [(thing.thing_id, thing.standing) for thing in scene.present] == [(2, False)]


def test_one_thing_with_two_names_is_one_thing_and_keeps_the_better_name() -> None:
    van = seen(("car", 0.7, (0.2, 0.3, 0.4, 0.5)), ("truck", 0.5, (0.2, 0.3, 0.4, 0.505)))
    scene = shown(van, seen(("truck", 0.5, (0.2, 0.3, 0.4, 0.5))), van)
    assert [thing.name for thing in scene.things] == ["car"]


def test_a_missed_detection_does_not_end_a_standing_thing_but_leaving_does() -> None:
    scene = shown(*[seen(CAR)] * 3, *[seen()] * PATIENCE_LOOKS)
    assert len(scene.things) == 1
    assert shown(seen(), scene=scene, start=20).things == ()


def test_a_thing_behind_a_passing_bus_is_hidden_not_gone() -> None:
    bus: Row = ("truck", 0.9, (0.1, 0.1, 0.6, 0.8))
    bag: Row = ("garbage", 0.6, (0.2, 0.5, 0.3, 0.6))
    scene = shown(*[seen(bag)] * 3, *[seen(bus)] * 30, seen(bag))
    assert {thing.thing_id for thing in scene.things if thing.name == "garbage"} == {1}


def test_weak_detections_hold_a_thing_but_begin_none() -> None:
    weak: Row = ("car", 0.2, CAR[2])
    assert shown(seen(weak)).things == ()
    assert shown(seen(CAR), *[seen(weak)] * 9).things[0].sightings == 10


def test_weak_smoke_holds_nothing() -> None:
    def plume(score: float) -> Detections:
        boxes, scores = np.array([[0.2, 0.5, 0.3, 0.6]], np.float32), np.array([score], np.float32)
        return Detections(boxes, scores, np.zeros(1, np.int32), ("smoke",))

    assert shown(plume(0.5), *[plume(0.22)] * 10).things == ()
    assert len(shown(*[plume(0.5)] * 10).things) == 1


def test_after_a_long_blindness_dwell_starts_again_and_identity_stays() -> None:
    scene = shown(*[seen(CAR)] * 3)
    late = START + timedelta(seconds=LONGEST_GAP_S + 60)
    (car,) = remember(scene, seen(CAR), late).things
    assert (car.thing_id, car.first_seen, car.standing_since) == (1, START, late)


def test_what_belonged_somewhere_is_remembered_when_it_leaves_and_forgotten_when_it_is_back() -> None:
    scene = shown(*[seen(CAR)] * ESTABLISHED_SIGHTINGS, *[seen()] * 10)
    assert [thing.name for thing in scene.departed] == ["car"]
    assert shown(seen(CAR), scene=scene, start=30).departed == ()


def test_an_unchanged_picture_confirms_everything_present() -> None:
    scene = shown(seen(CAR)).confirmed(START + timedelta(seconds=8))
    assert (scene.things[0].sightings, scene.things[0].standing) == (2, True)


rows = st.tuples(
    st.sampled_from(NAMES),
    st.floats(0.1, 1),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(1, 4),
    st.integers(1, 4),
).map(lambda r: (r[0], r[1], (r[2] / 13, r[3] / 13, (r[2] + r[4]) / 13, (r[3] + r[5]) / 13)))
films = st.lists(st.lists(rows, max_size=6).map(lambda found: seen(*found)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(films, st.lists(st.floats(-5, 400), min_size=12, max_size=12))
def test_whatever_is_seen_memory_stays_sane(film: list[Detections], gaps: list[float]) -> None:
    scene, at = Scene(), START
    for detections, gap in zip(film, gaps, strict=False):
        at += timedelta(seconds=gap)
        scene = remember(scene, detections, at)
        ids = [thing.thing_id for thing in scene.things]
        assert len(set(ids)) == len(ids) <= MAX_THINGS
        assert all(number < scene.next_id for number in ids)
        assert len(scene.departed) <= MAX_DEPARTED
        assert scene.looked_at is not None
        for thing in scene.things:
            assert thing.first_seen <= thing.standing_since <= scene.looked_at
            assert thing.missed <= thing.patience
            assert 0 <= thing.score <= 1


@settings(max_examples=40, deadline=None)
@given(films)
def test_a_scene_survives_the_disk_unchanged(film: list[Detections]) -> None:
    scene = shown(*film)
    assert scene_from_state(scene_to_state(scene)) == scene


@settings(max_examples=30, deadline=None)
@given(films, st.randoms())
def test_the_order_of_detections_in_a_look_does_not_matter_for_how_many_things_there_are(
    film: list[Detections], random: np.random.RandomState
) -> None:
    shuffled = []
    for detections in film:
        order = list(range(len(detections)))
        random.shuffle(order)
        shuffled.append(detections[np.array(order, np.intp)])
    scores = [tuple(detections.scores) for detections in film]
    if all(len(set(found)) == len(found) for found in scores):
        assert len(shown(*film).things) == len(shown(*shuffled).things)
