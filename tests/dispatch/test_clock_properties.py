"""Deadlines under everything that happens to a clock: nights, weekends, late holidays, new limits, jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.calendars import ChineseCalendar
from dispatch.city import CalendarDay, DatedLimit
from dispatch.city_records import put_calendar_day, put_limit
from dispatch.clocks import calendar, due_from, recompute
from dispatch.deadlines import LOCAL, add, between
from dispatch.queries import get_incident, list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.sweeps import REMIND_AT, sweep
from dispatch.testing import CENTRE, PHOTO, WANG, ZHAO, fill_small_district, observation, see, worker
from models.errors import StepRefusedError
from models.ids import SubcategoryCode
from models.incidents import Happening, Incident, IncidentEvent
from models.lifecycle import Step
from models.people import Actor, Role
from models.taxonomy import LimitKind, TimeLimit
from models.testing import FakeClock

MINUTE = timedelta(minutes=1)
OPERATOR = Actor(Role.OPERATOR, CENTRE)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 20)).map(
    lambda naive: naive.replace(second=0, microsecond=0, tzinfo=UTC)
)
NEAR = st.dates(date(2026, 1, 1), date(2026, 12, 31))
OVERRIDES = st.dictionaries(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.booleans(), max_size=12)
WORKING = LimitKind.WORKING_HOURS


def minutes_worked(start: datetime, days: ChineseCalendar) -> Iterator[datetime]:
    """The end of every worked minute from `start` on, one by one: slow, and too simple to be wrong."""
    now = start
    while True:
        local = now.astimezone(LOCAL)
        if days.is_working_day(local.date()) and (8 <= local.hour < 12 or 14 <= local.hour < 18):
            yield now + MINUTE
        now += MINUTE


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.integers(1, 1200), OVERRIDES)
def test_the_deadline_is_where_counting_minute_by_minute_ends(
    start: datetime, minutes: int, overrides: dict[date, bool]
) -> None:
    days = ChineseCalendar(overrides)
    worked = minutes_worked(start, days)
    for _ in range(minutes - 1):
        next(worked)
    assert add(WORKING, minutes * MINUTE, start, days) == next(worked)


@given(MOMENTS, st.integers(1, 2000), NEAR)
def test_a_holiday_announced_later_never_brings_a_deadline_forward(start: datetime, minutes: int, day: date) -> None:
    calm, holiday = ChineseCalendar(), ChineseCalendar({day: False})
    assert add(WORKING, minutes * MINUTE, start, holiday) >= add(WORKING, minutes * MINUTE, start, calm)


@given(MOMENTS, st.integers(1, 2000), NEAR)
def test_a_make_up_workday_never_puts_a_deadline_off(start: datetime, minutes: int, day: date) -> None:
    calm, worked = ChineseCalendar(), ChineseCalendar({day: True})
    assert add(WORKING, minutes * MINUTE, start, worked) <= add(WORKING, minutes * MINUTE, start, calm)


@given(MOMENTS, MOMENTS, MOMENTS, OVERRIDES)
def test_running_time_adds_up_over_any_moment_between(
    one: datetime, two: datetime, three: datetime, overrides: dict[date, bool]
) -> None:
    first, middle, last = sorted((one, two, three))
    days = ChineseCalendar(overrides)
    halves = between(WORKING, first, middle, days) + between(WORKING, middle, last, days)
    assert between(WORKING, first, last, days) == halves


@given(st.integers(0, 47), st.integers(1, 90))
def test_urgent_hours_run_through_midnight_and_holidays(half_hours: int, hours: int) -> None:
    start = datetime(2026, 9, 30, tzinfo=UTC) + timedelta(minutes=30 * half_hours)
    assert add(LimitKind.URGENT_HOURS, timedelta(hours=hours), start, ChineseCalendar()) - start == timedelta(
        hours=hours
    )


def found(store: Store, subcategory: str) -> Incident:
    see(store, observation(store.clock.now(), subcategory=subcategory))
    with store.reading() as session:
        return list_incidents(session)[0]


def due(store: Store, incident: Incident) -> datetime:
    with store.reading() as session:
        assignment = get_incident(session, incident.incident_id).assignment
    assert assignment
    assert assignment.due_at
    return assignment.due_at


def events(store: Store, incident: Incident) -> list[IncidentEvent]:
    with store.reading() as session:
        return list(timeline(session, incident.incident_id))


def reminders(store: Store, incident: Incident) -> list[float]:
    return [event.data["share"] for event in events(store, incident) if event.kind == Happening.REMINDED]


def part_reminders(store: Store, incident: Incident) -> list[Any]:
    reminded = [event.data for event in events(store, incident) if event.kind == Happening.REMINDED]
    return [data for data in reminded if "part" in data]


def act(store: Store, incident: Incident, step: Step, actor: Actor = OPERATOR, **data: object) -> None:
    with store.transaction() as session:
        take_step(
            session, incident_id=incident.incident_id, step=step, actor=actor, now=store.clock.now(), data=data
        )  # fmt: skip


def test_a_holiday_announced_later_moves_what_is_open_and_not_what_is_urgent(store: Store, clock: FakeClock) -> None:
    clock.set(datetime.combine(date(2026, 11, 23), time(16), LOCAL).astimezone(UTC))
    slow, urgent = found(store, "B1"), found(store, "A1")
    slow_due, urgent_due = due(store, slow), due(store, urgent)
    with store.transaction() as session:
        put_calendar_day(session, CalendarDay(date(2026, 11, 24), working=False, note="临时放假"))
    with store.transaction() as session:
        assert recompute(session, now=clock.now(), why="calendar") == 1
        assert recompute(session, now=clock.now(), why="calendar") == 0
    assert due(store, slow) == slow_due + timedelta(days=1)
    assert due(store, urgent) == urgent_due


def test_a_changed_limit_counts_for_what_is_dispatched_from_then_on(store: Store, clock: FakeClock) -> None:
    before = found(store, "A1")
    with store.transaction() as session:
        put_limit(session, DatedLimit(SubcategoryCode("A1"), clock.now() + MINUTE, TimeLimit.parse("1u")))
    old = due(store, before)
    clock.advance(minutes=5)
    act(store, before, Step.NOTHING_HERE, worker(WANG))
    clock.advance(hours=24 * 3)
    after = found(store, "A1")
    assert old - before.opened_at == timedelta(hours=2)
    assert due(store, after) - clock.now() == timedelta(hours=1)


@pytest.mark.parametrize("jump", [-6, 6])
def test_a_clock_that_jumps_changes_no_deadline_and_reminds_once(store: Store, clock: FakeClock, jump: int) -> None:
    incident = found(store, "A1")
    promised = due(store, incident)
    clock.advance(hours=jump)
    for _ in range(3):
        sweep(store, now=clock.now())
    assert due(store, incident) == promised
    assert len(reminders(store, incident)) == (1 if jump > 0 else 0)
    clock.set(promised + MINUTE)
    sweep(store, now=clock.now())
    assert reminders(store, incident).count(1.0) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(("extend", "pause", "wait", "holiday")), max_size=8), st.integers(0, 47))
def test_the_deadline_on_record_is_the_one_the_events_tell(
    tmp_path_factory: pytest.TempPathFactory, story: list[str], hours: int
) -> None:
    clock = FakeClock(datetime(2026, 9, 29, tzinfo=UTC) + timedelta(hours=hours))
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('clock') / 'record.db'}", clock=clock)
    fill_small_district(store)
    incident = found(store, "B1")
    for word in story:
        try:
            if word == "extend":
                act(store, incident, Step.EXTEND, reason="大雨")
            elif word == "pause":
                act(store, incident, Step.SUSPEND, reason="等审批", minutes=60 * 24 * 30)
                clock.advance(hours=30)
                act(store, incident, Step.RESUME)
        except StepRefusedError:
            pass
        if word == "holiday":
            with store.transaction() as session:
                day = (clock.now() + timedelta(days=1)).astimezone(LOCAL).date()
                put_calendar_day(session, CalendarDay(day, working=False))
            with store.transaction() as session:
                recompute(session, now=clock.now(), why="calendar")
        clock.advance(minutes=50)
    with store.transaction() as session:
        recompute(session, now=clock.now(), why="calendar")
    with store.reading() as session:
        told = due_from(timeline(session, incident.incident_id), calendar(session))
    assert due(store, incident) == told
    store.close()


def test_a_whistled_department_is_reminded_at_each_share_of_its_own_time(store: Store, clock: FakeClock) -> None:
    incident = found(store, "A1")
    clock.advance(minutes=30)
    act(store, incident, Step.CALL_IN, department="SQ", reason="协调居民")
    start = clock.now()
    for share in REMIND_AT:
        clock.set(start + timedelta(hours=2) * share)
        for _ in range(2):
            sweep(store, now=clock.now())
    told = part_reminders(store, incident)
    assert [one["share"] for one in told] == list(REMIND_AT)
    assert {one["person"] for one in told} == {ZHAO}


def test_a_part_that_is_done_is_not_reminded_of(store: Store, clock: FakeClock) -> None:
    incident = found(store, "A1")
    act(store, incident, Step.CALL_IN, department="SQ", reason="协调居民")
    act(store, incident, Step.PART_DONE, Actor(Role.LEADER, ZHAO), part=1, photo=PHOTO)
    clock.advance(hours=3)
    sweep(store, now=clock.now())
    assert part_reminders(store, incident) == []
