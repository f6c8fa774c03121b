from datetime import timedelta

import pytest

from ingest.health import Health, cut_off, failed, lateness, seen
from models.places import CameraCondition, Trouble


def test_a_camera_starts_comes_online_and_stays_so(clock):
    health = Health.starting(clock.now())
    assert health.condition is CameraCondition.STARTING
    first = clock.now()
    health = seen(health, first)
    clock.advance(seconds=10)
    health = seen(health, clock.now())
    assert (health.condition, health.since, health.looks) == (CameraCondition.ONLINE, first, 2)


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.TIMEOUT])
def test_one_lost_look_is_forgiven_two_are_offline_since_the_second(clock, trouble):
    health = seen(Health.starting(clock.now()), clock.now())
    health = failed(health, clock.now(), trouble=trouble, message="gone")
    assert health.condition is CameraCondition.ONLINE
    clock.advance(seconds=2)
    health = failed(health, clock.now(), trouble=trouble, message="gone")
    assert (health.condition, health.since, health.trouble) == (CameraCondition.OFFLINE, clock.now(), trouble)


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.NOT_A_PICTURE, Trouble.MISSING, Trouble.ENDED])
def test_a_definite_answer_is_offline_at_once(clock, trouble):
    health = failed(seen(Health.starting(clock.now()), clock.now()), clock.now(), trouble=trouble, message="why")
    assert (health.condition, health.message) == (CameraCondition.OFFLINE, "why")


def test_a_camera_that_never_gave_a_picture_is_offline_at_its_first_failure(clock):
    health = failed(Health.starting(clock.now()), clock.now(), trouble=Trouble.TIMEOUT, message="slow")
    assert health.condition is CameraCondition.OFFLINE


def test_a_camera_that_is_back_has_no_trouble_left(clock):
    health = failed(Health.starting(clock.now()), clock.now(), trouble=Trouble.REFUSED, message="who?")
    clock.advance(minutes=5)
    health = seen(health, clock.now())
    assert (health.condition, health.since, health.trouble, health.message) == (
        CameraCondition.ONLINE,
        clock.now(),
        None,
        "",
    )
    assert health.failures == 1


def test_late_is_said_with_the_moment_it_became_so(clock):
    begin = clock.now()
    health = seen(Health.starting(begin), begin)
    clock.advance(seconds=14)
    assert lateness(health, clock.now(), max_interval_s=10).condition is CameraCondition.ONLINE
    clock.advance(seconds=2)
    late = lateness(health, clock.now(), max_interval_s=10)
    assert (late.condition, late.since) == (CameraCondition.LATE, begin + timedelta(seconds=15))


def test_a_camera_behind_a_dead_host_is_offline_without_a_failure_of_its_own(clock):
    health = cut_off(seen(Health.starting(clock.now()), clock.now()), clock.now(), message="recorder down")
    assert (health.condition, health.failures) == (CameraCondition.OFFLINE, 0)
