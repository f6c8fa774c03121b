"""A network in the shadow sees some of the pictures, costs the real path nothing, and decides nothing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from detect.backends.opening import open_detector
from detect.detector import Detector
from detect.pixels import read_picture
from detect.shadow import MOST_FAILURES, Budget, ShadowingDetector
from detect.shadow_journal import MOST_AN_HOUR, MOST_PICTURES, ShadowJournal, by_hour, compared, totals
from detect.shadow_plan import PLAN, clear_plan, read_plan, write_plan
from detect.testing import RecordedDetector
from detect.weights import shipped_weights
from models.pictures import Detections, Image
from models.testing import FakeClock
from tests.detect.brokers import eventually
from tests.detect.scenes import CAR, NAMES, seen, street

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MOVED = ("car", 0.7, (0.6, 0.6, 0.8, 0.8))
BIN = ("garbage_bin", 0.6, (0.1, 0.1, 0.2, 0.3))
AT = FakeClock().now()


class Shadows:
    """A data folder with a plan, and detectors that follow it until the end of the test."""

    def __init__(self, data: Path) -> None:
        self.folder, self.weights = data / "shadow", data / "weights" / "new-1"
        self.clock = FakeClock()
        self.opened: list[Path] = []
        self._running: list[ShadowingDetector] = []

    def planned(self) -> None:
        write_plan(self.folder, self.weights, by="周敏", at=AT)

    def run(
        self,
        in_use: Detector,
        shadow: Callable[[], Detector],
        *,
        share: float = 1000.0,
        ready: bool = True,
        threshold: Callable[[str], float] = lambda _: 0.0,
    ) -> ShadowingDetector:
        def opened(weights: Path) -> Detector:
            self.opened.append(weights)
            return shadow()

        running = ShadowingDetector(
            in_use, self.folder, opened=opened, threshold=threshold, clock=self.clock, share=share
        )
        running.budget.earn(1)
        self._running.append(running)
        assert not ready or running.ready.wait(20)
        return running

    def close(self) -> None:
        for running in self._running:
            running.close()


@pytest.fixture
def shadows(tmp_path: Path) -> Iterator[Shadows]:
    made = Shadows(tmp_path / "data")
    yield made
    made.close()


def recorded(*finds: Detections) -> RecordedDetector:
    return RecordedDetector(NAMES, list(finds))


async def look(running: ShadowingDetector, image: Image | None = None) -> Detections:
    """One look that the shadow has taken too."""
    before = running.counters()["shadow_looks"] + running.counters()["shadow_failures"]
    running.budget.credit = 1.0
    (found,) = running.detect([street() if image is None else image])
    await eventually(lambda: running.counters()["shadow_looks"] + running.counters()["shadow_failures"] > before)
    return found


def test_agreement_is_counted_class_by_class_each_find_once() -> None:
    twice = ("car", 0.6, (0.21, 0.3, 0.41, 0.5))
    found = compared(seen(CAR, BIN), seen(CAR, twice))
    assert found.agreed == {"car": 1}
    assert [one.name for one in found.only_in_use] == ["garbage_bin"]
    assert [one.name for one in found.only_shadow] == ["car"]


def test_the_same_class_elsewhere_is_another_thing() -> None:
    found = compared(seen(CAR), seen(MOVED))
    assert not found.agreed
    assert len(found.only_in_use) == len(found.only_shadow) == 1


async def test_what_the_detector_in_use_sees_is_what_is_returned(shadows: Shadows) -> None:
    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: recorded(seen(MOVED, BIN)))
    found = await look(running)
    assert [one.name for one in found] == ["car"]
    assert running.names == NAMES


async def test_counts_lie_by_hour_and_class_and_survive_the_end(shadows: Shadows) -> None:
    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: recorded(seen(CAR, BIN)))
    await look(running)
    shadows.clock.advance(hours=1)
    await look(running)
    running.close()
    journal = shadows.folder / "new-1"
    assert list(by_hour(journal)) == ["2026-11-23T02:00Z", "2026-11-23T03:00Z"]
    assert totals(journal) == {"": {"looks": 2}, "car": {"agreed": 2}, "garbage_bin": {"only_shadow": 2}}


async def test_a_disagreement_leaves_a_picture_and_agreement_none(shadows: Shadows) -> None:
    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: recorded(seen(CAR), seen(BIN)))
    await look(running)
    pictures = shadows.folder / "new-1" / "pictures"
    assert not pictures.exists()
    await look(running)
    (picture,) = pictures.iterdir()
    assert "only-in-use-car" in picture.name
    assert read_picture(picture) is not None


def test_a_thing_that_stands_there_all_day_is_not_shown_all_day(tmp_path: Path) -> None:
    journal, clock = ShadowJournal(tmp_path), FakeClock()
    for _ in range(10):
        clock.advance(minutes=1)
        journal.note(street(), seen(CAR), seen(), at=clock.now())
    assert len(list((tmp_path / "pictures").iterdir())) == MOST_AN_HOUR


def test_the_oldest_pictures_make_room(tmp_path: Path) -> None:
    journal, clock = ShadowJournal(tmp_path), FakeClock()
    for _ in range(MOST_PICTURES + 5):
        clock.advance(hours=1)
        journal.note(street(height=36, width=64), seen(CAR), seen(), at=clock.now())
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert len(names) == MOST_PICTURES
    assert names[0].startswith("20261123T08")


def test_heads_in_a_disagreement_are_pixelated_whichever_network_saw_the_person(tmp_path: Path) -> None:
    sharp = np.random.default_rng(3).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    journal = ShadowJournal(tmp_path)
    journal.note(sharp, seen(), seen(("person", 0.5, (0.7, 0.1, 0.8, 0.9))), at=AT)
    (picture,) = (tmp_path / "pictures").iterdir()
    shown = read_picture(picture)
    assert shown is not None
    assert shown[50:80, 460:500].std() < shown[200:230, 460:500].std() / 2


def test_the_shadow_may_take_its_share_and_no_more() -> None:
    budget, taken = Budget(share=0.1), 0
    for _ in range(1000):
        budget.earn(0.05)
        if budget.allows():
            budget.spend(0.04)
            taken += 1
    assert taken * 0.04 <= 0.1 * 1000 * 0.05
    assert taken > 100


async def test_weak_finds_that_the_watch_passes_on_for_its_memory_do_not_count(shadows: Shadows) -> None:
    shadows.planned()
    weak = ("garbage", 0.2, (0.1, 0.1, 0.2, 0.2))
    running = shadows.run(recorded(seen(CAR, weak)), lambda: recorded(seen(CAR)), threshold=lambda _: 0.4)
    assert len(await look(running)) == 2
    running.close()
    assert totals(shadows.folder / "new-1").keys() == {"", "car"}


async def test_without_credit_nothing_is_offered(shadows: Shadows) -> None:
    shadows.planned()
    shadow = recorded(seen(CAR))
    running = shadows.run(recorded(seen(CAR)), lambda: shadow, share=0.0)
    running.budget.credit = 0.0
    for _ in range(5):
        running.detect([street()])
    assert running.counters()["shadow_passed_over"] == 5
    assert shadow.looks == 0


async def test_a_shadow_that_hangs_holds_up_nothing(shadows: Shadows) -> None:
    release = threading.Event()

    class Hanging(RecordedDetector):
        def detect(self, batch: list[Image]) -> list[Detections]:
            release.wait(20)
            return super().detect(batch)

    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: Hanging(NAMES))
    try:
        for _ in range(50):
            running.budget.credit = 1.0
            assert len(running.detect([street()])[0]) == 1
        assert running.counters()["shadow_looks"] == 0
    finally:
        release.set()


async def test_a_shadow_that_fails_is_counted_and_rests(shadows: Shadows) -> None:
    class Failing(RecordedDetector):
        def detect(self, batch: list[Image]) -> list[Detections]:
            raise RuntimeError("no")

    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: Failing(NAMES))
    for _ in range(MOST_FAILURES):
        assert len(await look(running)) == 1
    await eventually(lambda: not running.ready.is_set())
    assert len(running.detect([street()])[0]) == 1
    assert running.counters()["shadow_failures"] == MOST_FAILURES


async def test_weights_that_cannot_be_opened_leave_the_box_as_it_was(shadows: Shadows) -> None:
    shadows.planned()
    running = shadows.run(recorded(seen(CAR)), lambda: open_detector(shadows.weights), ready=False)
    await eventually(lambda: running.counters()["shadow_failures"] == 1)
    assert len(running.detect([street()])[0]) == 1


def test_the_error_of_the_detector_in_use_comes_through(shadows: Shadows) -> None:
    running = shadows.run(recorded(seen(CAR)), recorded, ready=False)
    with pytest.raises(ValueError, match="picture"):
        running.detect([np.zeros((4, 4), np.uint8)])


def test_a_plan_is_kept_with_who_and_when_and_taken_back(shadows: Shadows) -> None:
    shadows.planned()
    plan = read_plan(shadows.folder)
    assert plan is not None
    assert (plan.weights, plan.by, plan.since[:10]) == (shadows.weights, "周敏", "2026-11-23")
    clear_plan(shadows.folder)
    clear_plan(shadows.folder)
    assert read_plan(shadows.folder) is None


def test_a_damaged_plan_runs_no_shadow(shadows: Shadows) -> None:
    shadows.folder.mkdir(parents=True)
    (shadows.folder / PLAN).write_text("{")
    assert read_plan(shadows.folder) is None


async def test_damaged_counts_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text('{"hours": 3}')
    journal = ShadowJournal(tmp_path)
    journal.note(street(), seen(CAR), seen(CAR), at=AT)
    journal.save()
    assert totals(tmp_path)["car"] == {"agreed": 1}


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
async def test_the_shipped_network_in_its_own_shadow_agrees_on_every_real_picture(shadows: Shadows) -> None:
    shutil.copytree(shipped_weights(), shadows.weights)
    shadows.planned()
    running = shadows.run(open_detector(), lambda: open_detector(shadows.weights, streams=1))
    for line in (DATA / "splits" / "val.txt").read_text().split()[:12]:
        image = read_picture(DATA / line)
        assert image is not None
        await look(running, image)
    running.close()
    counted = totals(shadows.folder / "new-1")
    assert shadows.opened == [shadows.weights]
    assert counted.pop("")["looks"] == 12
    assert sum(counts["agreed"] for counts in counted.values()) >= 12
    assert all(counts.keys() == {"agreed"} for counts in counted.values())
