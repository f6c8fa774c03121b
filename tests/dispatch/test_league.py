"""The weekly league: scores, ranks, black flags, Monday's tasks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.assessment import assess
from dispatch.deadlines import LOCAL
from dispatch.league import LEAST_RANKED, black_flags, league, monday_tasks
from dispatch.periods import Kind, Period, period_of
from dispatch.queries import list_incidents
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import CAMERA, EAST, EAST_CAMERA, PHOTO, SUN, WANG, WEST, observation, see, worker
from models.geometry import Box
from models.incidents import Incident
from models.lifecycle import Step
from models.testing import FakeClock

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WEEK = period_of(Kind.WEEK, date(2026, 11, 23))
DAYS = st.dates(date(2001, 1, 1), date(2090, 12, 31))


def find(store: Store, count: int, *, camera: str, row: float = 0.1) -> list[Incident]:
    for number in range(count):
        box = Box(0.1 * number, row, 0.1 * number + 0.05, row + 0.1)
        see(store, observation(store.clock.now(), camera=camera, box=box, subcategory="A1"))  # type: ignore[arg-type]
    with store.reading() as session:
        return list_incidents(session, limit=count)


def resolve(store: Store, incident: Incident) -> None:
    assert incident.assignment
    with store.transaction() as session:
        take_step(
            session,
            incident_id=incident.incident_id,
            step=Step.RESOLVE,
            actor=worker(incident.assignment.person_id),
            now=store.clock.now(),
            data={"photo": PHOTO},
        )


def test_who_is_in_time_stands_above_who_is_late(store: Store, clock: FakeClock) -> None:
    west = find(store, LEAST_RANKED, camera=CAMERA)
    find(store, LEAST_RANKED, camera=EAST_CAMERA)
    for incident in west:
        resolve(store, incident)
    clock.advance(hours=3)
    with store.reading() as session:
        places = league(session, by="cell", period=WEEK, at=clock.now())
    assert [(place.key, place.rank) for place in places] == [(WEST, 1), (EAST, 2)]
    assert places[0].score is not None
    assert places[1].score is not None
    assert places[0].score > places[1].score
    assert (len(places[0].flags), len(places[1].flags)) == (0, LEAST_RANKED)


def test_a_unit_with_few_incidents_is_shown_and_not_ranked(store: Store, clock: FakeClock) -> None:
    find(store, LEAST_RANKED - 1, camera=CAMERA)
    with store.reading() as session:
        (place,) = league(session, by="person", period=WEEK, at=clock.now())
    assert (place.key, place.rank, place.moved) == (WANG, None, None)
    assert place.compared.now.counts["opened"] == LEAST_RANKED - 1


def test_a_black_flag_stays_until_the_overdue_thing_is_done(store: Store, clock: FakeClock) -> None:
    (late,) = find(store, 1, camera=EAST_CAMERA)
    flagged = {SUN: (late.incident_id,)}
    for hours, expected in ((1, {}), (2, flagged), (24 * 9, flagged)):
        clock.advance(hours=hours)
        with store.reading() as session:
            assert black_flags(session, by="person", at=clock.now()) == expected
    before = clock.now()
    clock.advance(hours=1)
    resolve(store, late)
    with store.reading() as session:
        assert black_flags(session, by="person", at=clock.now()) == {}
        assert black_flags(session, by="person", at=before) == flagged


def test_mondays_tasks_are_judged_on_friday(store: Store, clock: FakeClock) -> None:
    clock.set(MONDAY - timedelta(days=2))
    incidents = find(store, 4, camera=CAMERA)
    resolve(store, incidents[0])
    clock.set(MONDAY + timedelta(days=2))
    resolve(store, incidents[1])
    clock.set(MONDAY + timedelta(days=5))
    resolve(store, incidents[2])
    with store.reading() as session:
        judged = monday_tasks(session, by="cell", period=WEEK, at=clock.now())[WEST]
    assert (judged.numerator, judged.denominator) == (1, 3)
    assert WEEK.judged_at == datetime(2026, 11, 27, 18, tzinfo=LOCAL)


def test_a_week_is_compared_with_the_one_before_and_the_one_a_year_ago(store: Store, clock: FakeClock) -> None:
    for days, count, row in ((364, 2, 0.1), (7, 3, 0.4), (0, 4, 0.7)):
        clock.set(MONDAY - timedelta(days=days))
        done = find(store, count, camera=CAMERA, row=row)
        if days != 7:
            for incident in done:
                resolve(store, incident)
    clock.advance(hours=5)
    with store.reading() as session:
        (west,) = assess(session, by="cell", period=WEEK, at=clock.now())
    assert west.previous
    assert west.last_year
    assert [one.counts["opened"] for one in (west.last_year, west.previous, west.now)] == [2, 3, 4]
    assert west.change("handled", against="previous") == pytest.approx(1.0)
    assert west.change("handled", against="last_year") == pytest.approx(0.0)
    assert west.change("rework", against="previous") is None


@given(DAYS, st.sampled_from(list(Kind)))
def test_periods_follow_each_other_without_gap_or_overlap(day: date, kind: Kind) -> None:
    period = period_of(kind, day)
    assert period.first <= day < period.after
    assert period.previous.after == period.first
    assert period_of(kind, period.after).previous == period
    assert period.last_year.kind is kind
    assert timedelta(days=361) <= period.since - period.last_year.since <= timedelta(days=366)
    assert period.since.astimezone(LOCAL).hour == 0


def test_a_period_starts_at_local_midnight() -> None:
    assert Period(Kind.WEEK, date(2026, 11, 23), date(2026, 11, 30)) == WEEK
    assert WEEK.since == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert period_of(Kind.QUARTER, date(2026, 11, 24)).first == date(2026, 10, 1)
