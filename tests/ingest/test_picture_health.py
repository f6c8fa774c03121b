"""Flaws on real clips where they are, and on drawn street scenes everywhere."""

import functools
import itertools
from datetime import timedelta

import av
import cv2
import numpy as np
import pytest

from ingest.picture_health import CLOCK_OFF_S, PictureHealth, first_impression
from models.ids import CameraId
from models.pictures import Look
from models.places import FLAW_WORDS, Flaw

EVERY_S = 10


class Watch:
    """A camera that is looked at every ten seconds."""

    def __init__(self, clock, *, live: bool = True) -> None:
        self.health = PictureHealth(live=live)
        self._clock = clock
        self._noise = np.random.default_rng(7)

    def see(self, images, *, looks: int) -> list[tuple[Flaw, ...]]:
        said = []
        for number in range(looks):
            image = images[number % len(images)].copy()
            image[:2, :2] = self._noise.integers(0, 255, (2, 2, 3))  # a sensor's noise never repeats
            self.health.judge(Look(CameraId("c"), image, self._clock.now(), number))
            self._clock.advance(seconds=EVERY_S)
            said.append(self.health.flaws)
        return said


@pytest.fixture
def watch(clock):
    return Watch(clock)


@pytest.fixture
def street(picture):
    """Coarse shapes under fine texture, as a street has both."""
    base = cv2.resize(picture(width=640, height=360, seed=3), (640, 360))
    drawing = np.random.default_rng(5)
    for _ in range(150):
        x, y = int(drawing.integers(0, 600)), int(drawing.integers(0, 330))
        colour = tuple(int(value) for value in drawing.integers(20, 230, 3))
        cv2.rectangle(base, (x, y), (x + int(drawing.integers(8, 60)), y + int(drawing.integers(8, 50))), colour, -1)
    return base


@functools.cache
def frames(path, *, every: int = 10, most: int = 20) -> list:
    """As small as the fleet decodes them for what needs no detail."""
    with av.open(str(path)) as container:
        pictures = (reduced(frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0))
        return [picture for number, picture in enumerate(pictures) if number % every == 0][:most]


def reduced(image):
    height, width = image.shape[:2]
    scale = next(scale for scale in (8, 4, 2, 1) if scale == 1 or width // scale >= 160)
    return cv2.resize(image, (width // scale, height // scale), interpolation=cv2.INTER_AREA)


def turned(image, *, across: float = 0.0, down: float = 0.0, degrees: float = 0.0):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += (across * width, down * height)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def at_night(image):
    noise = np.random.default_rng(2).normal(0, 6, image.shape)
    return np.clip((image / 255.0) ** 1.8 * 90 + noise, 0, 255).astype(np.uint8)


def in_infrared(image):
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def blurred(image):
    return cv2.GaussianBlur(image, (0, 0), image.shape[1] / 100)


CLIPS = [
    "fire-furg-house6.mp4",
    "motorway-bgslibrary-video02.mp4",
    "people-yas-sim.mp4",
    "road-trees-bgslibrary-video03.mp4",
    "walkway-pets09-vtest.mp4",
]


@pytest.mark.parametrize("name", CLIPS)
def test_on_real_footage_nothing_is_said_until_the_camera_is_turned_and_again_when_it_is_back(watch, clip, name):
    real = frames(clip(name))
    assert set(watch.see(real, looks=40)) == {()}
    away = watch.see([turned(image, across=0.12, degrees=4) for image in real], looks=15)
    assert away[1] == ()
    assert away[-1] == (Flaw.MOVED,)
    back = watch.see(real, looks=15)
    assert back[0] == (Flaw.MOVED,)
    assert back[-1] == ()


@pytest.mark.parametrize("name", CLIPS)
def test_real_footage_out_of_focus_is_said(watch, clip, name):
    real = frames(clip(name))
    watch.see(real, looks=30)
    assert watch.see([blurred(image) for image in real], looks=30)[-1] == (Flaw.BLURRED,)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("change", [at_night, in_infrared], ids=["night", "infrared"])
def test_night_and_infrared_are_no_flaw(watch, clip, name, change):
    real = frames(clip(name))
    night = [change(image) for image in real]
    watch.see(real, looks=30)
    assert {flaw for said in watch.see([*night, *real], looks=40) for flaw in said} == set()


def test_a_lorry_in_front_of_the_camera_is_no_flaw(watch, street):
    hidden = street.copy()
    hidden[60:, :260] = (90, 60, 70)
    watch.see([street], looks=30)
    assert set(watch.see([hidden], looks=30)) == {()}


@pytest.mark.parametrize("across", [0.06, 0.1, 0.5])
def test_a_camera_that_was_turned_stays_moved_until_its_zones_are_drawn_again(watch, street, across):
    watch.see([street], looks=30)
    away = turned(street, across=across)
    assert watch.see([away], looks=400)[-1] == (Flaw.MOVED,)
    watch.health.learn_anew()
    assert set(watch.see([away], looks=40)) == {()}


def test_shake_of_one_percent_is_no_move(watch, street):
    watch.see([street], looks=30)
    shaken = [turned(street, across=x, down=y) for x, y in ((0.008, 0), (0, 0.01), (-0.008, 0.004), (0, 0))]
    assert set(watch.see(shaken, looks=40)) == {()}


def test_a_blurred_picture_is_said_after_minutes_and_taken_back_when_it_is_sharp(watch, street):
    watch.see([street], looks=30)
    said = watch.see([blurred(street)], looks=40)
    assert said[6] == ()
    assert said[-1] == (Flaw.BLURRED,)
    assert watch.see([street], looks=20)[-1] == ()


@pytest.mark.parametrize(
    "cover", [np.full((360, 640, 3), 90, np.uint8), np.full((360, 640, 3), 250, np.uint8)], ids=["hand", "paint"]
)
def test_a_covered_lens_is_said_and_taken_back(watch, street, cover):
    watch.see([street], looks=20)
    assert watch.see([cover], looks=6)[-1] == (Flaw.COVERED,)
    assert watch.see([street], looks=6)[-1] == ()


def test_one_covered_look_raises_nothing(watch, street):
    watch.see([street], looks=20)
    hand = np.full((360, 640, 3), 90, np.uint8)
    assert set(watch.see([hand, street, street, street], looks=40)) == {()}


def test_a_flaw_does_not_come_and_go_with_every_look(watch, street):
    """Half good, half bad: said at most once."""
    watch.see([street], looks=20)
    hand = np.full((360, 640, 3), 90, np.uint8)
    said = watch.see([hand, hand, hand, street], looks=60)
    changes = sum(one != other for one, other in itertools.pairwise(said))
    assert changes <= 1


def test_a_black_picture_is_said_and_nothing_else_of_it(watch, street):
    watch.see([street], looks=20)
    dark = np.full((360, 640, 3), 5, np.uint8)
    assert watch.see([dark], looks=6)[-1] == (Flaw.BLACK,)
    assert watch.see([street], looks=4)[-1] == ()


def test_a_night_picture_with_a_lamp_is_not_black(watch):
    night = np.full((240, 320, 3), 5, np.uint8)
    night[40:80, 40:80] = 220
    assert set(watch.see([night], looks=10)) == {()}


def frozen_looks(health, clock, image, *, looks: int):
    for number in range(looks):
        health.judge(Look(CameraId("c"), image, clock.now(), number))
        clock.advance(seconds=EVERY_S)
    return health.flaws


def test_a_picture_identical_for_over_a_minute_is_frozen_until_it_changes(clock, street):
    health = PictureHealth(live=True)
    assert frozen_looks(health, clock, street, looks=6) == ()
    assert frozen_looks(health, clock, street, looks=2) == (Flaw.FROZEN,)
    assert health.message.startswith("frozen: ")
    assert frozen_looks(health, clock, turned(street, across=0.01), looks=1) == ()


def test_a_file_may_stand_still_and_show_something_else(clock, picture, street):
    watch = Watch(clock, live=False)
    watch.see([street], looks=30)
    assert set(watch.see([picture(width=640, height=360)], looks=30)) == {()}
    assert frozen_looks(watch.health, clock, street, looks=20) == ()


@pytest.mark.parametrize(
    ("off_s", "flaws"), [(-60, ()), (CLOCK_OFF_S * 2, (Flaw.CLOCK_WRONG,)), (-1.8e9, (Flaw.CLOCK_WRONG,))]
)
def test_a_clock_that_is_wrong_is_said_and_a_slow_answer_is_not(watch, street, off_s, flaws):
    watch.health.clock_off = timedelta(seconds=off_s)
    assert watch.see([street], looks=5)[-1] == flaws


def test_a_clock_set_back_in_the_middle_upsets_nothing(watch, clock, street):
    watch.see([street], looks=20)
    clock.advance(hours=-48)
    assert set(watch.see([street], looks=20)) == {()}
    assert watch.see([np.full((360, 640, 3), 90, np.uint8)], looks=8)[-1] == (Flaw.COVERED,)


def test_one_picture_alone_tells_whether_it_is_black_or_empty(street):
    assert first_impression(street) == ""
    assert "dark" in first_impression(np.zeros((240, 320, 3), np.uint8))
    assert "lens" in first_impression(np.full((240, 320, 3), 128, np.uint8))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (1080, 1920, 3), (45, 80)])
def test_pictures_of_any_shape_can_be_judged(clock, shape):
    health = PictureHealth(live=True)
    for number in range(30):
        image = np.random.default_rng(number).integers(0, 255, shape).astype(np.uint8)
        health.judge(Look(CameraId("c"), image, clock.now(), number))
        clock.advance(seconds=EVERY_S)


def test_every_flaw_has_words_in_both_languages():
    assert set(FLAW_WORDS) == set(Flaw)
    assert all(words.zh and words.en for words in FLAW_WORDS.values())
