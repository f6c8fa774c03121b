"""Merging, undoing, splitting, calling in, holding for a word, escalating: the record always follows from its log."""

from dataclasses import replace
from datetime import date, timedelta

from dispatch.city import CalendarDay, DatedLimit, Leave
from dispatch.city_records import put_calendar_day, put_leave, put_limit
from dispatch.clocks import recompute
from dispatch.places import put_camera
from dispatch.queries import list_incidents, owed, timeline
from dispatch.reports import report
from dispatch.sightlines import moved
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.sweeps import sweep
from dispatch.testing import CENTRE, LI, NODE, PHOTO, WANG, ZHAO, incident, observation, see, worker
from dispatch.verify_log import verify_log
from models.geometry import Box
from models.ids import CameraId, SubcategoryCode
from models.incidents import Incident, IncidentState
from models.lifecycle import Step
from models.people import Actor, Role
from models.places import Camera
from models.taxonomy import TimeLimit
from models.testing import FakeClock

OPERATOR = Actor(Role.OPERATOR, CENTRE)


def found(store: Store, **seen: object) -> Incident:
    see(store, observation(store.clock.now(), **seen))  # type: ignore[arg-type]
    with store.reading() as session:
        return list_incidents(session)[0]


def take(store: Store, item: Incident, step: Step, actor: Actor = OPERATOR, **data: object) -> Incident:
    with store.transaction() as session:
        take_step(session, incident_id=item.incident_id, step=step, actor=actor, now=store.clock.now(), data=data)
    assert verify_log(store).clean
    return incident(store, item.incident_id)


def test_an_undone_merge_leaves_both_as_they_were(store: Store) -> None:
    first = found(store, box=Box(0.1, 0.1, 0.2, 0.2))
    second = found(store, box=Box(0.6, 0.6, 0.8, 0.8))
    take(store, second, Step.MERGE, into=first.incident_id)
    assert incident(store, first.incident_id).sightings == 2
    back = take(store, second, Step.UNMERGE)
    assert back == second
    assert incident(store, first.incident_id) == first


def test_sightings_split_off_are_an_incident_of_their_own_and_can_be_put_back(store: Store, clock: FakeClock) -> None:
    first = found(store)
    clock.advance(minutes=1)
    see(store, observation(clock.now(), picture="d" * 64))
    with store.reading() as session:
        attached = next(e.seq for e in timeline(session, first.incident_id) if e.kind == "attached")
    left = take(store, first, Step.SPLIT, events=[attached])
    with store.reading() as session:
        new = list_incidents(session)[0]
    assert (left.sightings, new.sightings) == (1, 1)
    assert new.evidence[0].picture == "d" * 64
    take(store, new, Step.MERGE, into=first.incident_id)
    assert incident(store, first.incident_id).sightings == 2


def test_a_find_that_needs_a_word_goes_to_nobody_until_an_operator_confirms(store: Store, clock: FakeClock) -> None:
    see(store, replace(observation(clock.now()), assist=True))
    with store.reading() as session:
        held = list_incidents(session)[0]
    assert (held.state, held.assignment) == (IncidentState.SUSPECTED, None)
    confirmed = take(store, held, Step.CONFIRM)
    assert confirmed.state is IncidentState.ASSIGNED


def test_two_cameras_and_a_person_see_one_problem(store: Store, clock: FakeClock) -> None:
    """The thing lies ten metres in front of both cameras, which look at each other."""
    here = (120.05, 30.06)
    box = Box(0.45, 0.7, 0.55, 0.95)
    with store.transaction() as session:
        south = Camera(CameraId("south"), "南", "file:a.mp4", here, NODE, bearing_deg=0)
        there = moved(here, east_m=0, north_m=20)
        put_camera(session, south)
        put_camera(session, replace(south, camera_id=CameraId("north"), position=there, bearing_deg=180))
    first = found(store, camera=CameraId("south"), box=box)
    clock.advance(minutes=1)
    assert found(store, camera=CameraId("north"), box=box).incident_id == first.incident_id
    with store.transaction() as session:
        told = report(
            session,
            actor=worker(WANG),
            subcategory="B1",
            now=clock.now(),
            key="phone-1",
            position=moved(here, east_m=3, north_m=10),
        )
    assert (told.incident_id, told.sightings) == (first.incident_id, 3)
    assert verify_log(store).clean


def test_a_department_called_in_has_its_own_queue_and_holds_up_the_resolving(store: Store) -> None:
    item = found(store)
    called = take(store, item, Step.CALL_IN, department="SQ", reason="协调居民")
    assert [(part.department_id, part.person_id) for part in called.open_parts] == [("SQ", ZHAO)]
    with store.reading() as session:
        assert [one.incident_id for one in owed(session, ZHAO)] == [item.incident_id]
    done = take(store, item, Step.PART_DONE, Actor(Role.LEADER, ZHAO), part=1)
    assert done.open_parts == ()
    assert take(store, item, Step.RESOLVE, worker(WANG), photo=PHOTO).state is IncidentState.VERIFYING


def test_overdue_goes_up_the_line_until_somebody_acts(store: Store, clock: FakeClock) -> None:
    item = found(store, subcategory="A1")
    take(store, item, Step.ACCEPT, worker(WANG))

    def told() -> list[str]:
        with store.reading() as session:
            events = timeline(session, item.incident_id)
        return [event.data["to"] for event in events if event.data.get("reason") == "overdue"]

    clock.advance(hours=2, minutes=1)
    for _ in range(4):
        sweep(store, now=clock.now())
        clock.advance(minutes=31)
    assert told() == [ZHAO, CENTRE, CENTRE, CENTRE]
    take(store, item, Step.ASSIGN, person=LI)
    sweep(store, now=clock.now())
    assert len(told()) == 4
    assert verify_log(store).clean


def test_a_holiday_announced_later_moves_running_working_clocks_and_new_limits_count_from_their_date(
    store: Store, clock: FakeClock
) -> None:
    item = found(store, subcategory="A5")  # one working day, from Monday 10:00
    assert item.assignment is not None
    due_at = item.assignment.due_at
    with store.transaction() as session:
        put_calendar_day(session, CalendarDay(date(2026, 11, 24), working=False, note="临时放假"))
        put_limit(session, DatedLimit(SubcategoryCode("A1"), clock.now() + timedelta(hours=1), TimeLimit.parse("1u")))
        assert recompute(session, now=clock.now(), why="calendar") == 1
    moved_to = incident(store, item.incident_id).assignment
    assert moved_to is not None
    assert due_at is not None
    assert moved_to.due_at == due_at + timedelta(days=1)
    clock.advance(hours=2)
    new = found(store, subcategory="A1").assignment
    assert new is not None
    assert new.due_at == clock.now() + timedelta(hours=1)
    assert verify_log(store).clean


def test_who_is_away_is_not_asked_and_their_substitute_is(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        put_leave(session, Leave(WANG, clock.now(), clock.now() + timedelta(days=1), substitute_id=ZHAO))
    item = found(store)
    assert item.assignment is not None
    assert item.assignment.person_id == ZHAO
