from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.gate import FULL_EVERY_S, Gate, signature, unexplained
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


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 1.3), st.floats(-25, 35), st.integers(0, 999))
def test_a_change_of_brightness_does_not_open_it(gain, offset, seed):
    clock, gate = FakeClock(), Gate()
    gate.changed(look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    brighter = np.clip(scene(seed) * gain + offset, 0, 255).astype(np.uint8)
    assert not gate.changed(look(compressed(noisy(brighter, 2)), clock))


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
    gate.changed(look(noisy(scene(seed), 1), clock))
    clock.advance(seconds=10)
    image = scene(seed).astype(np.float32)
    left, top = int(x * 640), int(y * 360)
    place = image[top : top + 60, left : left + 38]
    place += contrast if 0 <= place.mean() + contrast <= 255 else -contrast
    image = np.clip(image * gain, 0, 255).astype(np.uint8)
    assert gate.changed(look(compressed(noisy(image, 2)), clock))


def test_noise_and_compression_do_not_open_it(clock):
    gate = Gate()
    opened = []
    for turn in range(5):
        opened.append(gate.changed(look(compressed(noisy(scene(), turn, level=8), quality=40), clock)))
        clock.advance(seconds=10)
    assert opened == [True, False, False, False, False]


def test_a_small_shake_does_not_open_it(clock):
    gate = Gate()
    gate.changed(look(scene(), clock))
    clock.advance(seconds=10)
    shifted = cv2.warpAffine(scene(), np.float32([[1, 0, 1], [0, 1, 1]]), (640, 360), borderMode=cv2.BORDER_REPLICATE)
    assert not gate.changed(look(shifted, clock))


def test_a_full_look_goes_through_at_least_once_a_minute(clock):
    gate = Gate()
    opened = 0
    for _ in range(60):
        opened += gate.changed(look(scene(), clock))
        clock.advance(seconds=10)
    assert opened == 600 / FULL_EVERY_S


@pytest.mark.parametrize("reason", [reason for reason in LookReason if reason is not LookReason.ROUTINE])
def test_a_promised_look_always_goes_through(clock, reason):
    gate = Gate()
    gate.changed(look(scene(), clock))
    assert gate.changed(look(scene(), clock, reason=reason))


def test_what_was_not_inferred_is_compared_with_again(clock):
    """Something that creeps in, each step too small, adds up against the last inferred look."""
    gate = Gate()
    gate.changed(look(scene(), clock))
    opened = []
    for step in range(1, 8):
        clock.advance(seconds=5)
        image = scene().astype(np.int16)
        image[100:200, 100:200] += 3 * step
        opened.append(gate.changed(look(np.clip(image, 0, 255).astype(np.uint8), clock)))
    assert not opened[0]
    assert any(opened)


def test_a_restless_place_is_learnt_and_a_change_elsewhere_still_opens(clock):
    gate = Gate()
    opened = []
    for turn in range(60):
        image = scene().copy()
        image[:120, :160] = noisy(image[:120, :160], turn)
        image[:120, :160] = np.clip(image[:120, :160] + 14.0 * np.sin(turn * 1.7), 0, 255)
        opened.append(gate.changed(look(image, clock)))
        clock.advance(seconds=2)
    assert sum(opened[40:]) < sum(opened[:20])
    image = scene().copy()
    image[220:300, 400:460] = 255 - image[220:300, 400:460]
    assert gate.changed(look(image, clock))


def test_a_clock_set_back_opens_it(clock):
    gate = Gate()
    gate.changed(look(scene(), clock))
    clock.advance(hours=-1)
    assert gate.changed(look(scene(), clock))


def test_cameras_do_not_disturb_each_other_and_can_be_forgotten(clock):
    gate = Gate()
    assert gate.changed(look(scene(1), clock, camera="a"))
    assert gate.changed(look(scene(2), clock, camera="b"))
    assert not gate.changed(look(scene(1), clock, camera="a"))
    gate.forget(CameraId("a"))
    assert gate.changed(look(scene(1), clock, camera="a"))


def test_a_change_of_resolution_is_not_a_change_of_the_scene(clock):
    gate = Gate()
    large = scene(width=1280, height=720)
    gate.changed(look(large, clock))
    assert not gate.changed(look(cv2.resize(large, (640, 360), interpolation=cv2.INTER_AREA), clock))


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
        opened.append(gate.changed(look(film.picture_at(float(second), budget_s=10), clock)))
    film.close()
    assert 0.2 < sum(opened) / len(opened) < 0.8
