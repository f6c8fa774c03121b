"""What the record says about pictures: which were right, which were wrong, which were never judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dispatch.node_requests import waiting_requests
from dispatch.queries import list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.street_examples import MOST_PER_INCIDENT, judged, judged_sightings
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, PHOTO, WANG, observation, see, verify, worker
from models.geometry import Box
from models.incidents import Happening, Incident, IncidentState
from models.lifecycle import Step
from models.observations import Verdict
from models.people import Actor, Role
from models.teaching import JudgedSighting, StreetVerdict
from models.testing import FakeClock

OPERATOR = Actor(Role.OPERATOR, CENTRE)


def sightings(store: Store, **limits: object) -> list[JudgedSighting]:
    with store.reading() as session:
        return judged_sightings(session, **limits)  # type: ignore[arg-type]


def found(store: Store, *, times: int = 1, picture: str = "b", **where: object) -> Incident:
    for number in range(times):
        see(store, observation(store.clock.now(), picture=f"{number:x}" + picture * 63, **where))  # type: ignore[arg-type]
        assert isinstance(store.clock, FakeClock)
        store.clock.advance(minutes=1)
    with store.reading() as session:
        return list_incidents(session)[0]


def take(store: Store, incident: Incident, step: Step, actor: Actor | None = None, **data: object) -> None:
    with store.transaction() as session:
        take_step(
            session, incident_id=incident.incident_id, step=step, actor=actor or worker(WANG), now=store.clock.now(),
            data=data,
        )  # fmt: skip


def handled(store: Store, incident: Incident) -> None:
    take(store, incident, Step.ACCEPT)
    take(store, incident, Step.RESOLVE, photo=PHOTO)
    with store.reading() as session:
        key = waiting_requests(session, incident.incident_id)[0].key
    verify(store, incident, key, Verdict.GONE)


def test_nothing_here_makes_the_find_an_example_of_what_it_is_not(store: Store) -> None:
    incident = found(store, box=Box(0.1, 0.2, 0.3, 0.4))
    take(store, incident, Step.NOTHING_HERE)
    (one,) = sightings(store)
    assert one.verdict is StreetVerdict.NOTHING_HERE
    assert (one.number, one.camera_id, one.subcategory) == (incident.number, CAMERA, "B1")
    assert (one.box, one.picture) == (Box(0.1, 0.2, 0.3, 0.4), "0" + "b" * 63)
    assert (one.found_by, one.judged_by) == (Role.CAMERA, Role.WORKER)


def test_what_an_operator_rejects_is_told_apart_by_role_and_names_nobody(store: Store) -> None:
    take(store, found(store), Step.NOTHING_HERE, OPERATOR)
    (one,) = sightings(store)
    assert one.judged_by is Role.OPERATOR
    assert CENTRE not in repr(one)


def test_handled_and_verified_by_the_camera_is_confirmed(store: Store) -> None:
    handled(store, found(store))
    (one,) = sightings(store)
    assert (one.verdict, one.judged_by) == (StreetVerdict.CONFIRMED, Role.CAMERA)


def test_what_nobody_has_decided_is_no_example(store: Store) -> None:
    incident = found(store)
    take(store, incident, Step.ACCEPT)
    take(store, incident, Step.RESOLVE, photo=PHOTO)
    assert sightings(store) == []


def test_a_picture_taken_after_the_work_does_not_show_the_thing_any_more(store: Store) -> None:
    incident = found(store)
    take(store, incident, Step.ACCEPT)
    take(store, incident, Step.RESOLVE, photo=PHOTO)
    with store.reading() as session:
        key = waiting_requests(session, incident.incident_id)[0].key
    assert isinstance(store.clock, FakeClock)
    store.clock.advance(minutes=1)
    see(store, observation(store.clock.now(), picture="f" * 64))
    verify(store, incident, key, Verdict.GONE)
    assert [one.picture for one in sightings(store)] == ["0" + "b" * 63]


def test_a_heap_seen_for_hours_gives_its_first_middle_and_last_picture(store: Store) -> None:
    handled(store, found(store, times=9))
    assert [one.picture[0] for one in sightings(store)] == ["0", "4", "8"]
    assert MOST_PER_INCIDENT == 3


def test_a_rejection_that_was_taken_back_does_not_count(store: Store) -> None:
    incident = found(store)
    take(store, incident, Step.NOTHING_HERE)
    take(store, incident, Step.REOPEN, OPERATOR, reason="it is there")
    assert sightings(store) == []


def test_only_what_was_decided_in_the_asked_time_is_read_newest_first(store: Store) -> None:
    take(store, found(store, picture="b"), Step.NOTHING_HERE)
    first = store.clock.now()
    assert isinstance(store.clock, FakeClock)
    store.clock.advance(hours=2)
    take(store, found(store, picture="c", box=Box(0.6, 0.6, 0.8, 0.8)), Step.NOTHING_HERE)
    assert [one.number for one in sightings(store)] == [2, 1]
    assert [one.number for one in sightings(store, since=first + timedelta(hours=1))] == [2]
    assert [one.number for one in sightings(store, until=first + timedelta(hours=1))] == [1]
    assert [one.number for one in sightings(store, limit=1)] == [2]


def test_reading_examples_changes_nothing(store: Store) -> None:
    incident = found(store)
    take(store, incident, Step.NOTHING_HERE)
    with store.reading() as session:
        before = len(timeline(session, incident.incident_id))
    sightings(store)
    with store.reading() as session:
        assert len(timeline(session, incident.incident_id)) == before


def test_a_suspicion_that_an_operator_confirmed_is_confirmed_by_the_operator(store: Store) -> None:
    incident = found(store)
    with store.reading() as session:
        history = timeline(session, incident.incident_id)
    (opening, *rest) = history
    suspected = replace(opening, after=IncidentState.SUSPECTED)
    confirmed = replace(
        opening,
        seq=90,
        kind=Step.CONFIRM,
        actor=OPERATOR,
        before=IncidentState.SUSPECTED,
        at=store.clock.now(),
        data={},
    )
    closed = replace(
        confirmed, seq=91, kind=Step.CONFIRM_GONE, before=IncidentState.VERIFYING, after=IncidentState.CLOSED
    )
    (one,) = judged([suspected, *rest, confirmed, closed])
    assert (one.verdict, one.judged_by) == (StreetVerdict.CONFIRMED, Role.OPERATOR)


def test_a_sighting_of_an_overlapping_camera_belongs_to_that_camera(store: Store) -> None:
    incident = found(store)
    take(store, incident, Step.NOTHING_HERE)
    with store.reading() as session:
        opening, *rest = timeline(session, incident.incident_id)
    data = {**opening.data, "evidence": [{**opening.data["evidence"][0], "picture": "e" * 64}]}
    other = replace(opening, seq=90, kind=Happening.ATTACHED, actor=Actor(Role.CAMERA, EAST_CAMERA), data=data)
    cameras = {one.picture[0]: one.camera_id for one in judged([opening, other, *rest])}
    assert cameras == {"0": CAMERA, "e": EAST_CAMERA}


def test_sightings_that_were_split_off_are_not_judged_with_the_rest(store: Store) -> None:
    incident = found(store, times=2)
    take(store, incident, Step.NOTHING_HERE)
    with store.reading() as session:
        opening, *rest = timeline(session, incident.incident_id)
    (attached,) = [event for event in rest if event.kind == Happening.ATTACHED]
    split = replace(
        opening, seq=89, kind=Step.SPLIT, before=opening.after, actor=OPERATOR, data={"events": [attached.seq]}
    )
    split = replace(split, before=split.after)
    assert [one.picture[0] for one in judged([opening, split, *rest])] == ["0"]
