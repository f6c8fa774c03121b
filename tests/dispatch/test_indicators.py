from __future__ import annotations

import random
from datetime import timedelta

import pytest

from dispatch.indicator_lives import INDICATORS
from dispatch.indicators import Ratio, by_cell, by_person, by_subcategory, funnel, incident_ids
from dispatch.node_requests import VERIFY, waiting_requests
from dispatch.queries import list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import CAMERA, EAST, EAST_CAMERA, PHOTO, WEST, observation, see, verify, worker
from models.errors import StepRefusedError
from models.geometry import Box
from models.incidents import Incident
from models.lifecycle import Step
from models.observations import Verdict
from models.testing import FakeClock

STEPS = (Step.RECEIVE, Step.ACCEPT, Step.RESOLVE, Step.RETURN, Step.NOTHING_HERE)


@pytest.fixture
def history(store: Store, clock: FakeClock) -> list[Incident]:
    """Two weeks of a small district, the same on every run."""
    chance = random.Random(20261123)
    for number in range(24):
        camera = chance.choice((CAMERA, EAST_CAMERA))
        box = Box(0.04 * number, 0.1, 0.04 * number + 0.02, 0.2)
        for _ in range(chance.randint(1, 3)):
            see(store, observation(clock.now(), camera=camera, box=box, subcategory=chance.choice(("A1", "B1"))))
        clock.advance(minutes=chance.randint(1, 500))
        live(store, chance)
    with store.reading() as session:
        return list_incidents(session, limit=1000)


def live(store: Store, chance: random.Random) -> None:
    with store.reading() as session:
        incidents = list_incidents(session, limit=10)
    for incident in incidents:
        if incident.assignment is None:
            continue
        try:
            with store.transaction() as session:
                take_step(
                    session,
                    incident_id=incident.incident_id,
                    step=chance.choice(STEPS),
                    actor=worker(incident.assignment.person_id),
                    now=store.clock.now(),
                    data={"photo": PHOTO, "reason": "因为"},
                )
        except StepRefusedError:
            answer(store, incident, chance)


def answer(store: Store, incident: Incident, chance: random.Random) -> None:
    with store.reading() as session:
        waiting = [item for item in waiting_requests(session, incident.incident_id) if item.kind == VERIFY]
    for request in waiting:
        verify(store, incident, request.key, chance.choice(list(Verdict)))


def test_every_figure_agrees_with_counting_by_hand(store: Store, clock: FakeClock, history: list[Incident]) -> None:
    since, until = history[-5].opened_at, history[5].opened_at
    cohort = [incident for incident in history if since <= incident.opened_at < until]
    with store.reading() as session:
        kinds = {i.incident_id: [event.kind for event in timeline(session, i.incident_id)] for i in cohort}
        figures = funnel(session, since=since, until=until)
    assert figures.opened == len(cohort) > 10
    assert figures.reported == sum(k.count("open") + k.count("attached") for k in kinds.values())
    assert figures.received == sum(bool({"receive", "accept", "resolve"} & set(k)) for k in kinds.values())
    assert figures.accepted == sum(bool({"accept", "resolve"} & set(k)) for k in kinds.values())
    assert figures.resolved == sum("resolve" in k for k in kinds.values())
    assert figures.verified == sum(bool({"confirm_gone", "confirm_still_there"} & set(k)) for k in kinds.values())
    assert figures.closed == sum(incident.state == "closed" for incident in cohort)
    assert figures.rejected == sum(incident.state == "rejected" for incident in cohort)
    assert min(figures.closed, figures.rejected, figures.verified) > 0


def test_every_number_can_name_the_incidents_behind_it(store: Store, clock: FakeClock, history: list[Incident]) -> None:
    since, until = history[-1].opened_at, clock.now()
    with store.reading() as session:
        figures = funnel(session, since=since, until=until)
        for indicator in ("opened", "received", "accepted", "resolved", "verified", "closed", "rejected"):
            named = incident_ids(session, indicator, since=since, until=until)
            assert len(named) == getattr(figures, indicator)
        for row in by_cell(session, since=since, until=until):
            cells = {WEST if row.key == WEST else EAST}
            late = incident_ids(session, "on_time", since=since, until=until, cells=cells)
            assert len(late) == row.on_time.numerator


def test_the_parts_add_up_to_the_whole(store: Store, clock: FakeClock, history: list[Incident]) -> None:
    since, until = history[-1].opened_at, clock.now() + timedelta(seconds=1)
    with store.reading() as session:
        whole = funnel(session, since=since, until=until)
        for group in (by_cell, by_person, by_subcategory):
            rows = group(session, since=since, until=until)
            assert sum(row.funnel.opened for row in rows) == whole.opened == len(history)
            assert sum(row.funnel.closed for row in rows) == whole.closed
        west = funnel(session, since=since, until=until, cells={WEST})
        assert west.opened == next(
            row.funnel.opened for row in by_cell(session, since=since, until=until) if row.key == WEST
        )


def test_nothing_divided_by_nothing_is_no_figure(store: Store, clock: FakeClock) -> None:
    with store.reading() as session:
        assert by_cell(session, since=clock.now(), until=clock.now()) == []
        assert funnel(session, since=clock.now(), until=clock.now()).opened == 0
    assert Ratio(0, 0).value is None
    assert Ratio(1, 4).value == 0.25


def test_an_unknown_figure_is_an_error(store: Store, clock: FakeClock) -> None:
    assert "opened" in INDICATORS
    with store.reading() as session, pytest.raises(KeyError):
        incident_ids(session, "happiness", since=clock.now(), until=clock.now())
