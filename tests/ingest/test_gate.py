import itertools
from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.gate import FULL_AT_MOST_S, FULL_EVERY_S, Gate, Verdict, signature, unexplained
from ingest.sources.film import Film
from models.ids import CameraId
from models.pictures import Look, LookReason
from models.testing import FakeClock


def scene(seed: int = 1, *, width: int = 640, height: int = 360):
    coarse = np.random.default_rng(seed).integers(30, 180, (13, 21, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def noisy(image, seed: int, level: float = 4.0):
    noise = np.random.default_rng(seed).normal(0, level, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def compressed(image, quality: int = 60):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def look(image, clock, *, reason=LookReason.ROUTINE, camera="c") -> Look:
    return Look(CameraId(camera), image, clock.now(), 1, reason)


def opens(gate: Gate, one: Look, *, surprising: bool = False) -> bool:
    """Whether the look goes through; it then is inferred, as in a node that keeps up."""
    verdict = gate.judge(one)
    if verdict is Verdict.INFER:
        gate.inferred(one, surprising=surprising)
    return verdict is Verdict.INFER


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 1.3), st.floats(-25, 35), st.integers(0, 999))
def test_a_change_of_brightness_does_not_open_it(gain, offset, seed):
    clock, gate = FakeClock(), Gate()
    opens(gate, look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    brighter = np.clip(scene(seed) * gain + offset, 0, 255).astype(np.uint8)
    assert not opens(gate, look(compressed(noisy(brighter, 2)), clock))


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.05, 0.85),
    st.floats(0.05, 0.75),
    st.integers(0, 999),
    st.sampled_from([-70, -50, 50, 70]),
    st.floats(0.8, 1.2),
)
def test_a_new_object_opens_it_also_when_the_light_changes(x, y, seed, contrast, gain):
    """6 × 17 % of the picture: a person near the camera, half a car."""
    clock, gate = FakeClock(), Gate()
    opens(gate, look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    image = scene(seed).astype(np.float32)
    left, top = int(x * 640), int(y * 360)
    place = image[top : top + 60, left : left + 38]
    place += contrast if 0 <= place.mean() + contrast <= 255 else -contrast
    image = np.clip(image * gain, 0, 255).astype(np.uint8)
    assert opens(gate, look(compressed(noisy(image, 2)), clock))


def test_noise_and_compression_do_not_open_it(clock):
    gate = Gate()
    opened = []
    for turn in range(5):
        opened.append(opens(gate, look(compressed(noisy(scene(), turn, level=8), quality=40), clock)))
        clock.advance(seconds=10)
    assert opened == [True, False, False, False, False]


def test_a_small_shake_does_not_open_it(clock):
    gate = Gate()
    opens(gate, look(scene(), clock))
    clock.advance(seconds=10)
    shifted = cv2.warpAffine(scene(), np.float32([[1, 0, 1], [0, 1, 1]]), (640, 360), borderMode=cv2.BORDER_REPLICATE)
    assert not opens(gate, look(shifted, clock))


def full_looks(gate, clock, looks: int, *, surprising: bool = False) -> list[float]:
    """Seconds between the looks of an empty street that went through all the same."""
    at = []
    for _ in range(looks):
        if opens(gate, look(scene(), clock), surprising=surprising):
            at.append(clock.now())
        clock.advance(seconds=10)
    return [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(at)]


def test_full_looks_go_through_less_often_while_they_show_nothing_new(clock):
    gaps = full_looks(Gate(), clock, 300)
    assert gaps[0] <= FULL_EVERY_S
    assert gaps == sorted(gaps)
    assert FULL_EVERY_S * 4 < gaps[-1] <= FULL_AT_MOST_S


def test_after_a_missed_change_full_looks_come_every_minute_again_and_the_gate_is_keener(clock):
    gate = Gate()
    assert max(full_looks(gate, clock, 60, surprising=True)) <= FULL_EVERY_S
    assert gate.misses >= 5
    faint = scene().copy()
    faint[200:260, 300:380] = np.clip(faint[200:260, 300:380].astype(int) + 7, 0, 255)
    assert not opens(fresh := Gate(), look(scene(), clock)) or not opens(fresh, look(faint, clock))
    assert opens(gate, look(faint, clock))


def passers_by(gate, clock, looks: int) -> list[Verdict]:
    """A street in which somebody else stands somewhere else at every look."""
    verdicts = []
    for turn in range(looks):
        image = scene().copy()
        left = 60 + turn * 137 % 500
        image[150:250, left : left + 50] = 255 - image[150:250, left : left + 50]
        one = look(image, clock)
        verdicts.append(gate.judge(one))
        if verdicts[-1] is Verdict.INFER:
            gate.inferred(one)
        clock.advance(seconds=10)
    return verdicts


def test_what_only_passes_by_is_inferred_now_and_then(clock):
    verdicts = passers_by(Gate(), clock, 60)
    assert verdicts[:3] == [Verdict.INFER] * 3
    assert 0.2 < verdicts[20:].count(Verdict.INFER) / 40 < 0.6
    assert Verdict.UNCHANGED not in verdicts


def test_what_comes_to_stand_in_a_busy_street_opens_it_within_two_looks(clock):
    gate = Gate()
    passers_by(gate, clock, 40)
    verdicts = []
    for turn in range(2):
        image = scene().copy()
        image[260:340, 400:480] = 255 - image[260:340, 400:480]
        left = 60 + turn * 211
        image[100:200, left : left + 50] = 255 - image[100:200, left : left + 50]
        verdicts.append(gate.judge(look(image, clock)))
        clock.advance(seconds=10)
    assert Verdict.INFER in verdicts


def test_a_camera_is_inferred_until_one_inference_succeeded(clock):
    gate = Gate()
    assert [gate.judge(look(scene(), clock)) for _ in range(3)] == [Verdict.INFER] * 3


@pytest.mark.parametrize("reason", [reason for reason in LookReason if reason is not LookReason.ROUTINE])
def test_a_promised_look_always_goes_through(clock, reason):
    gate = Gate()
    opens(gate, look(scene(), clock))
    assert opens(gate, look(scene(), clock, reason=reason))


def test_what_was_not_inferred_is_compared_with_again(clock):
    """Something that creeps in, each step too small, adds up against the last inferred look."""
    gate = Gate()
    opens(gate, look(scene(), clock))
    opened = []
    for step in range(1, 8):
        clock.advance(seconds=5)
        image = scene().astype(np.int16)
        image[100:200, 100:200] += 3 * step
        opened.append(opens(gate, look(np.clip(image, 0, 255).astype(np.uint8), clock)))
    assert not opened[0]
    assert any(opened)


def test_a_restless_place_is_learnt_and_a_change_elsewhere_still_opens(clock):
    gate = Gate()
    opened = []
    for turn in range(60):
        image = scene().copy()
        image[:120, :160] = noisy(image[:120, :160], turn)
        image[:120, :160] = np.clip(image[:120, :160] + 14.0 * np.sin(turn * 1.7), 0, 255)
        opened.append(opens(gate, look(image, clock)))
        clock.advance(seconds=2)
    assert sum(opened[40:]) < sum(opened[:20])
    image = scene().copy()
    image[220:300, 400:460] = 255 - image[220:300, 400:460]
    assert any(opens(gate, look(image, clock)) for _ in range(2))


def test_a_clock_set_back_opens_it(clock):
    gate = Gate()
    opens(gate, look(scene(), clock))
    clock.advance(hours=-1)
    assert opens(gate, look(scene(), clock))


def test_cameras_do_not_disturb_each_other_and_can_be_forgotten(clock):
    gate = Gate()
    assert opens(gate, look(scene(1), clock, camera="a"))
    assert opens(gate, look(scene(2), clock, camera="b"))
    assert not opens(gate, look(scene(1), clock, camera="a"))
    gate.forget(CameraId("a"))
    assert opens(gate, look(scene(1), clock, camera="a"))


def test_a_change_of_resolution_is_not_a_change_of_the_scene(clock):
    gate = Gate()
    large = scene(width=1280, height=720)
    opens(gate, look(large, clock))
    assert not opens(gate, look(cv2.resize(large, (640, 360), interpolation=cv2.INTER_AREA), clock))


@pytest.mark.parametrize("shape", [(2, 2, 3), (20, 3000, 3), (3000, 20, 3), (1080, 1920, 3)])
def test_any_shape_has_a_signature(shape):
    cells = signature(np.full(shape, 90, np.uint8))
    assert cells.shape == (27, 48)
    assert unexplained(cells, cells).max() == 0


def test_cars_driving_through_a_real_street_open_it_and_the_empty_street_does_not(clip, clock):
    film = Film(clip("road-overhead-intel-car.mp4"))
    gate, begin = Gate(), clock.now()
    opened = []
    for second in np.arange(0, film.duration_s, 0.5):
        clock.set(begin + timedelta(seconds=float(second)))
        opened.append(opens(gate, look(film.picture_at(float(second), budget_s=10), clock)))
    film.close()
    assert 0.15 < sum(opened) / len(opened) < 0.8


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(-2, 2), st.integers(-2, 2), st.floats(0.9, 1.1))
def test_a_shaking_mast_does_not_open_it(seed, across, down, gain):
    clock, gate = FakeClock(), Gate()
    opens(gate, look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    shift = np.array([[1, 0, across], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(scene(seed), shift, (640, 360), borderMode=cv2.BORDER_REFLECT)
    assert not opens(gate, look(compressed(noisy(np.clip(moved * gain, 0, 255), 2)), clock))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 0.85), st.floats(0.05, 0.75), st.integers(0, 999), st.integers(-2, 2))
def test_what_is_left_in_front_of_a_shaking_camera_opens_it(left, top, seed, shift):
    clock, gate = FakeClock(), Gate()
    opens(gate, look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    picture = np.roll(scene(seed), shift, axis=1).astype(int)
    x, y = int(left * 640), int(top * 360)
    picture[y : y + 70, x : x + 70] += np.where(picture[y : y + 70, x : x + 70] > 110, -60, 60)
    assert opens(gate, look(compressed(noisy(picture, 2)), clock))
