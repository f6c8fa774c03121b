"""The measuring itself: a judge that errs would make every figure worthless."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gridwarden.bench.cutting import Cut, read_cuts
from gridwarden.bench.judging import Verdict, announcements
from gridwarden.bench.playing import Told
from gridwarden.bench.plots import PLOTS, composed
from gridwarden.bench.scenes import TABLES
from gridwarden.bench.staging import Actor, Allowed, Expected, Scene, jpeg_at, read_places
from gridwarden.bench.stills import SETS, stills
from models.geometry import Box
from models.ids import SubcategoryCode
from models.taxonomy import load_taxonomy

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BAG = Cut("bag", "garbage", "soft", np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), np.float32), (0.5, 0.5))
HERE, ELSEWHERE = Box(0.4, 0.6, 0.5, 0.7), Box(0.1, 0.1, 0.2, 0.2)
B3, A5 = SubcategoryCode("B3"), SubcategoryCode("A5")
NEEDS_DATA = pytest.mark.skipif(not (DATA / "splits" / "val.txt").is_file(), reason="needs the data folder beside")


def scene(*allowed: Allowed) -> Scene:
    """A bag from 90 s on, to be told between 600 and 900 s."""
    bag = Actor(BAG, foot=(0.45, 0.7), height=0.1, width=0.1, since_s=90, until_s=1000)
    return Scene(
        name="bag", place=None, zones=(), actors=(bag,), expected=(Expected(B3, (0,), 600, 900),), allowed=allowed,
        starts_at=datetime(2026, 6, 9, 4, tzinfo=UTC), length_s=1000, interval_s=10, seed=1,
    )  # fmt: skip


def judged(*told: Told, allowed: tuple[Allowed, ...] = ()) -> tuple[int, int, int]:
    verdict = Verdict()
    verdict.take(scene(*allowed), told)
    count = verdict.counts["B3"]["composed"]
    return count.right, count.false, count.missed


def told(t: float, box: Box = HERE, code: str = "B3") -> Told:
    return Told(t, code, box, "")


def test_told_in_time_and_in_place_is_right() -> None:
    assert judged(told(700)) == (1, 0, 0)


@pytest.mark.parametrize("early_or_late", [300, 950])
def test_too_early_and_too_late_are_false_and_the_thing_is_missed(early_or_late: float) -> None:
    assert judged(told(early_or_late)) == (0, 1, 1)


def test_another_place_is_another_thing() -> None:
    assert judged(told(700, ELSEWHERE)) == (0, 1, 1)


def test_a_second_announcement_is_false_and_an_hourly_confirmation_is_not() -> None:
    assert judged(told(700), told(800)) == (1, 1, 0)
    assert judged(told(700), told(4300)) == (1, 0, 0)


def test_the_hourly_confirmations_of_a_false_find_are_one_false_find() -> None:
    assert judged(*(told(1000 + 3650 * hour, ELSEWHERE) for hour in range(20))) == (0, 1, 1)


def test_an_hourly_confirmation_on_a_quiet_camera_is_one_false_find() -> None:
    assert [item.t for item in announcements([told(900), told(4510), told(8120), told(4600, ELSEWHERE)])] == [900, 4600]


def test_nothing_told_is_missed() -> None:
    assert judged() == (0, 0, 1)


def test_what_nobody_would_call_wrong_is_not_counted() -> None:
    verdict = Verdict()
    verdict.take(scene(Allowed(A5, (0,))), [told(700), told(900, code="A5"), told(900, ELSEWHERE, "A5")])
    assert verdict.counts["A5"]["composed"].false == 1


@NEEDS_DATA
def test_the_same_seed_gives_the_same_pictures(tmp_path: Path) -> None:
    places, taxonomy = read_places(TABLES / "places.toml", DATA), load_taxonomy()
    plots = [plot for plot in PLOTS if plot.code == "J4"]
    tables = {"person": read_cuts(_only_people(tmp_path), DATA, cache=tmp_path)["person"]}
    first, second = (composed(plots, places, tables, taxonomy, scenes=1, seed=3)[0] for _ in range(2))
    assert first.expected == second.expected
    assert jpeg_at(first, 20, 200.0) == jpeg_at(second, 20, 200.0)
    assert jpeg_at(first, 20, 200.0) != jpeg_at(first, 20, 0.0)


@NEEDS_DATA
def test_stills_are_held_out_pictures_judged_for_their_own_set_only() -> None:
    found = list(stills(DATA, load_taxonomy(), share=20))
    assert found
    for one in found:
        assert one.picture is not None
        codes = {judged.code for judged in SETS[one.picture.parent.name]}
        assert {item.code for item in one.expected} <= codes


def _only_people(folder: Path) -> Path:
    """Cutting everything takes minutes; two people are enough here."""
    table = folder / "cuts.toml"
    table.write_text(
        '[labelled]\n[[drawn]]\nthing = "person"\nheight_m = 1.75\nmask = "grabcut"\n'
        'from = [["clips/walkway-pets09-vtest.mp4@0", 641, 240, 683, 324],'
        ' ["clips/walkway-pets09-vtest.mp4@50", 668, 256, 714, 368]]\n'
    )
    return table
