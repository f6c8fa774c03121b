"""Drawn flames, smoke and lamps: what is marked is what was drawn, and nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.training.augment import Sample
from detect.training.rendered import burning, flame, lamp, lit, smoke

FIRE, SMOKE = 3, 4
seeds = st.integers(0, 2**32 - 1)


def street() -> Sample:
    """A grey street with one marked thing on it."""
    box = np.array([[10, 20, 40, 60]], np.float32)
    return Sample(np.full((180, 320, 3), 120, np.uint8), box, np.full(1, 7, np.int32))


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_every_box_of_a_drawn_fire_lies_in_the_picture_and_holds_what_was_drawn(seed: int) -> None:
    sample = burning(street(), fire=FIRE, smoke_class=SMOKE, random=np.random.default_rng(seed))
    assert sample.class_ids[0] == 7
    assert set(sample.class_ids[1:].tolist()) <= {FIRE, SMOKE}
    for x1, y1, x2, y2 in sample.boxes[1:].astype(int):
        assert 0 <= x1 < x2 <= 320
        assert 0 <= y1 < y2 <= 180
        assert np.any(sample.image[y1:y2, x1:x2] != 120)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_flames_of_one_fire_are_one_box(seed: int) -> None:
    sample = burning(street(), fire=FIRE, smoke_class=SMOKE, random=np.random.default_rng(seed))
    flames = sample.boxes[sample.class_ids == FIRE]
    for row, one in enumerate(flames):
        for other in flames[row + 1 :]:
            assert not ((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_lamps_light_the_picture_and_are_marked_as_nothing(seed: int) -> None:
    before = street()
    sample = lit(before, random=np.random.default_rng(seed))
    assert np.array_equal(sample.boxes, before.boxes)
    assert sample.image.astype(int).sum() != before.image.astype(int).sum()
    assert np.all(before.image == 120)


def test_a_flame_is_warm_a_lamp_is_brightest_in_its_middle_and_smoke_has_hardly_a_colour() -> None:
    random = np.random.default_rng(5)
    flames = [flame(random) for _ in range(30)]
    warm = [layer.colour[layer.cover > 0.5].mean(0) for layer in flames if (layer.cover > 0.5).any()]
    assert np.mean([mean[2] >= mean[0] for mean in warm]) == 1
    for _ in range(10):
        cover = lamp(random).cover
        assert cover[24, 24] == cover.max()
        grey = smoke(random).colour
        assert float((grey.max(2) - grey.min(2)).mean()) < 40
