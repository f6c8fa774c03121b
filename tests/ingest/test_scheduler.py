"""The attention budget, simulated: no clock, no network, only decisions."""

import heapq
from collections import defaultdict

import pytest

from ingest.backoff import REFUSED_RETRY_S
from ingest.scheduler import AIM, MIN_INTERVAL_S, PROMISED_IN_A_ROW, Scheduler
from models.ids import CameraId
from models.pictures import LookReason

A, B = CameraId("a"), CameraId("b")


class Simulation:
    """`workers` looks at a time, each taking `cost_s`; `works(camera, now)` says whether a look gives a picture."""

    def __init__(self, cameras, *, interval_s=10.0, workers=64, cost_s=0.1, works=lambda camera, now: True):
        self.scheduler = Scheduler(seed=7)
        self.now = 0.0
        self.workers, self.cost_s, self.works = workers, cost_s, works
        self.flying: list[tuple[float, str]] = []
        self.tries: dict[str, list[float]] = defaultdict(list)
        self.seen: dict[str, list[float]] = defaultdict(list)
        for camera in cameras:
            self.scheduler.add(CameraId(camera), max_interval_s=interval_s, now=0.0)

    def run_until(self, end: float) -> None:
        while self.now < end:
            while self.flying and self.flying[0][0] <= self.now:
                self._land(CameraId(heapq.heappop(self.flying)[1]))
            while len(self.flying) < self.workers and (turn := self.scheduler.take(self.now)) is not None:
                self.tries[turn.camera_id].append(self.now)
                heapq.heappush(self.flying, (self.now + self.cost_s, turn.camera_id))
            ends = [self.flying[0][0]] if self.flying else []
            due = self.scheduler.next_at() if len(self.flying) < self.workers else None
            self.now = min([*ends, end, *([due] if due is not None else [])])

    def _land(self, camera):
        if self.works(camera, self.now):
            self.seen[camera].append(self.now)
            self.scheduler.succeeded(camera, now=self.now)
        else:
            self.scheduler.failed(camera, now=self.now)


def longest_gap(times, *, end):
    return max(later - earlier for earlier, later in zip([0.0, *times], [*times, end], strict=True))


def test_every_camera_is_looked_at_within_its_interval():
    simulation = Simulation([f"c{i}" for i in range(1438)], workers=64, cost_s=0.2)
    simulation.run_until(60)
    assert len(simulation.seen) == 1438
    assert max(longest_gap(times, end=60) for times in simulation.seen.values()) <= 10
    assert simulation.scheduler.behind_s(simulation.now) < 0.5


def test_cameras_added_together_do_not_stay_together():
    simulation = Simulation([f"c{i}" for i in range(500)], workers=500, cost_s=0.01)
    simulation.run_until(60)
    second = defaultdict(int)
    for times in simulation.tries.values():
        for time in times:
            second[int(time)] += time >= 30
    assert max(second.values()) < 3 * 500 / 10


def test_a_hundred_thousand_cameras_are_scheduled_in_order():
    scheduler = Scheduler(seed=1)
    for i in range(100_000):
        scheduler.add(CameraId(str(i)), max_interval_s=60, now=i * 1e-4)
    owed = []
    for _ in range(100_000):
        turn = scheduler.take(20.0)
        owed.append(turn.owed_at)
        scheduler.succeeded(turn.camera_id, now=20.0)
    assert owed == sorted(owed)
    assert scheduler.take(20.0) is None


def test_an_overloaded_box_is_late_evenly_and_says_so():
    simulation = Simulation([f"c{i}" for i in range(200)], workers=1, cost_s=0.1)
    simulation.run_until(200)
    counts = [len(times) for times in simulation.seen.values()]
    assert max(counts) - min(counts) <= 2
    assert simulation.scheduler.behind_s(simulation.now) == pytest.approx(20 - 10 * AIM, abs=2)


def test_one_dead_camera_does_not_delay_the_others():
    simulation = Simulation(["dead", "b", "c"], workers=2, cost_s=0.1, works=lambda camera, now: camera != "dead")
    simulation.run_until(100)
    assert max(longest_gap(simulation.seen[name], end=100) for name in ("b", "c")) <= 10


def test_a_dead_camera_is_asked_ever_less_but_at_least_once_a_minute():
    simulation = Simulation(["dead"], works=lambda camera, now: False)
    simulation.run_until(1000)
    gaps = [
        later - earlier for earlier, later in zip(simulation.tries["dead"], simulation.tries["dead"][1:], strict=False)
    ]
    assert gaps[0] < 3
    assert max(gaps) <= 60.2
    assert len(gaps) < 40


def test_a_thousand_cameras_fail_and_return_together_within_a_minute_and_spread_out():
    def works(camera, now):
        return not 30 <= now < 330

    simulation = Simulation([f"c{i}" for i in range(1000)], workers=64, cost_s=0.2, works=works)
    simulation.run_until(480)
    back = [next(time for time in times if time >= 330) for times in simulation.seen.values()]
    assert max(back) <= 330 + 60 + 5
    tries = defaultdict(int)
    for times in simulation.tries.values():
        for time in times:
            if 200 <= time < 330:
                tries[int(time)] += 1
    assert max(tries.values()) < 100, "the dead come in a trickle, never together"
    settled = [longest_gap([t - 400 for t in times if t > 400], end=80) for times in simulation.seen.values()]
    assert max(settled) <= 10.5


def test_a_flapping_camera_keeps_coming_back_and_costs_the_others_nothing():
    def works(camera, now):
        return camera != "flapping" or int(now / 30) % 2 == 0

    simulation = Simulation(["flapping", *(f"c{i}" for i in range(50))], workers=8, works=works)
    simulation.run_until(1200)
    for minute in range(1, 20):
        assert any(minute * 60 <= time < minute * 60 + 30 for time in simulation.seen["flapping"])
    assert max(longest_gap(times, end=1200) for name, times in simulation.seen.items() if name != "flapping") <= 10


def test_a_promised_look_goes_before_overdue_routine_ones():
    scheduler = Scheduler(seed=1)
    for i in range(20):
        scheduler.add(CameraId(f"c{i}"), max_interval_s=10, now=0)
    scheduler.add(A, max_interval_s=10, now=50)
    assert scheduler.take(50).camera_id == "c0"
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=4, now=48)
    turn = scheduler.take(50)
    assert (turn.camera_id, turn.reason) == (A, LookReason.VERIFICATION)


def test_a_promise_about_an_overdue_camera_is_kept_ahead_of_the_other_overdue_ones():
    scheduler = Scheduler(seed=1)
    for i in range(20):
        scheduler.add(CameraId(f"c{i}"), max_interval_s=10, now=0)
    scheduler.promise(CameraId("c19"), reason=LookReason.VERIFICATION, within_s=2, now=30)
    assert scheduler.take(31.5, routine=False).camera_id == "c19"
    assert scheduler.take(31.5, routine=False) is None
    assert scheduler.take(31.5).camera_id == "c0"


def test_promised_looks_leave_every_fifth_turn_to_routine():
    scheduler = Scheduler(seed=1)
    for i in range(10):
        scheduler.add(CameraId(f"p{i}"), max_interval_s=10, now=0.5)
        scheduler.add(CameraId(f"r{i}"), max_interval_s=10, now=0)
        scheduler.promise(CameraId(f"p{i}"), reason=LookReason.FOLLOW_UP, within_s=0, now=0)
    reasons = [scheduler.take(1).reason for _ in range(10)]
    assert reasons.index(LookReason.ROUTINE) == PROMISED_IN_A_ROW
    assert reasons.count(LookReason.ROUTINE) == 2


def test_a_promise_is_kept_half_way_and_only_once():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=100, now=0)
    scheduler.take(0)
    scheduler.succeeded(A, now=0)
    scheduler.promise(A, reason=LookReason.FOLLOW_UP, within_s=6, now=0)
    assert scheduler.take(2.9) is None
    assert scheduler.take(3).reason is LookReason.FOLLOW_UP
    scheduler.succeeded(A, now=3)
    assert scheduler.take(20) is None


def test_a_promise_survives_failed_looks_until_one_succeeds():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=0, now=0)
    now = 0.0
    for _ in range(4):
        now = max(scheduler.next_at(), now)
        assert scheduler.take(now).reason is LookReason.VERIFICATION
        scheduler.failed(A, now=now)
    now = scheduler.next_at()
    assert scheduler.take(now).reason is LookReason.VERIFICATION
    scheduler.succeeded(A, now=now)
    assert scheduler.take(now + 10).reason is LookReason.ROUTINE


def test_a_promise_made_during_a_look_asks_for_another():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=100, now=0)
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=0, now=0)
    scheduler.take(0)
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=2, now=0.1)
    scheduler.succeeded(A, now=0.2)
    assert scheduler.take(1.2).reason is LookReason.VERIFICATION


def test_the_weightier_of_two_promises_names_the_look():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=100, now=0)
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=9, now=0)
    scheduler.promise(A, reason=LookReason.FOLLOW_UP, within_s=0, now=0)
    assert scheduler.take(0).reason is LookReason.VERIFICATION


def test_asking_again_and_again_gives_two_looks_a_second_at_most():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=100, now=0)
    looks, now = 0, 0.0
    while now < 10:
        scheduler.promise(A, reason=LookReason.OPERATOR, within_s=0, now=now)
        if scheduler.take(now) is not None:
            looks += 1
            scheduler.succeeded(A, now=now)
        now += 0.01
    assert 18 <= looks <= 21


def test_a_camera_is_never_taken_twice_at_once():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    assert scheduler.take(0) is not None
    scheduler.promise(A, reason=LookReason.OPERATOR, within_s=0, now=0)
    scheduler.add(A, max_interval_s=1, now=0)
    assert scheduler.take(100) is None


def test_a_removed_camera_is_forgotten_even_in_flight():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    scheduler.add(B, max_interval_s=10, now=0)
    assert scheduler.take(0).camera_id == A
    scheduler.remove(A)
    scheduler.remove(B)
    scheduler.succeeded(A, now=1)
    assert scheduler.next_at() is None
    assert len(scheduler) == 0


def test_a_shorter_interval_takes_effect_at_once():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=600, now=0)
    scheduler.take(0)
    scheduler.succeeded(A, now=0)
    scheduler.add(A, max_interval_s=5, now=1)
    assert scheduler.next_look_at(A) <= 6


def test_failed_cameras_wait_while_retries_are_not_allowed():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    scheduler.take(0)
    scheduler.failed(A, now=0)
    assert scheduler.take(30, retries=False) is None
    assert scheduler.take(30).retry


def test_a_postponed_look_is_not_a_failure():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    scheduler.promise(A, reason=LookReason.VERIFICATION, within_s=0, now=0)
    scheduler.take(0)
    scheduler.postponed(A, until=5)
    assert scheduler.take(4.9) is None
    turn = scheduler.take(5)
    assert (turn.retry, turn.reason) == (False, LookReason.VERIFICATION)


def test_a_refused_password_is_tried_seldom_enough_not_to_lock_the_account():
    scheduler = Scheduler(seed=1)
    scheduler.add(A, max_interval_s=10, now=0)
    now, tries = 0.0, 0
    while now < 1800:
        if scheduler.take(now) is not None:
            tries += 1
            scheduler.failed(A, now=now, at_least_s=REFUSED_RETRY_S)
        now = scheduler.next_at()
    assert 6 <= tries <= 13


@pytest.mark.parametrize("interval_s", [0.0, -5.0, float("nan")])
def test_an_interval_of_nothing_does_not_take_the_whole_box(interval_s):
    simulation = Simulation(["greedy"], interval_s=interval_s, cost_s=0.001)
    simulation.run_until(10)
    assert len(simulation.seen["greedy"]) <= 10 / (MIN_INTERVAL_S * AIM) + 2
