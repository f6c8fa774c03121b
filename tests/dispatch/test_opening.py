from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.opening import Attach, Decision, Known, Open, Reopen, Sighting, decide
from dispatch.testing import CAMERA, EAST_CAMERA, observation
from models.geometry import Box
from models.ids import IncidentId, SubcategoryCode
from models.incidents import FINISHED, Incident, IncidentState
from models.observations import Observation
from models.text import Text

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=10)
HERE = Box(0.2, 0.2, 0.4, 0.4)
KNOWN = Incident(
    incident_id=IncidentId("one"),
    number=1,
    subcategory=SubcategoryCode("B1"),
    state=IncidentState.ASSIGNED,
    camera_id=CAMERA,
    cell_id=None,
    position=(120.0, 30.0),
    box=HERE,
    why=Text("", ""),
    confidence=0.8,
    sightings=1,
    opened_at=NOW,
    last_seen_at=NOW,
)


def closed(minutes_ago: float, state: IncidentState = IncidentState.CLOSED) -> Incident:
    return replace(KNOWN, state=state, closed_at=NOW - timedelta(minutes=minutes_ago))


def decided(known: list[Incident], seen: Observation) -> Decision:
    sighting = Sighting(seen.camera_id, seen.subcategory, seen.captured_at, seen.box)
    return decide([Known(incident) for incident in known], sighting, reopening=WINDOW)


@pytest.mark.parametrize(
    ("known", "box", "expected"),
    [
        ([], HERE, Open()),
        ([KNOWN], HERE, Attach(IncidentId("one"))),
        ([KNOWN], Box(0.22, 0.18, 0.42, 0.38), Attach(IncidentId("one"))),
        ([KNOWN], Box(0.25, 0.25, 0.35, 0.35), Attach(IncidentId("one"))),
        ([KNOWN], Box(0.1, 0.1, 0.9, 0.9), Attach(IncidentId("one"))),
        ([KNOWN], Box(0.39, 0.2, 0.6, 0.4), Open()),
        ([replace(KNOWN, camera_id=EAST_CAMERA)], HERE, Open()),
        ([replace(KNOWN, subcategory=SubcategoryCode("B2"))], HERE, Open()),
        ([replace(KNOWN, state=IncidentState.VERIFYING)], HERE, Attach(IncidentId("one"))),
        ([closed(5)], HERE, Reopen(IncidentId("one"))),
        ([closed(-1)], HERE, Attach(IncidentId("one"))),
        ([closed(20)], HERE, Open()),
        ([closed(5, IncidentState.REJECTED)], HERE, Attach(IncidentId("one"))),
    ],
    ids=[
        "nothing known",
        "the same box",
        "a box that breathes",
        "a part of it",
        "a pile that has grown",
        "the neighbour",
        "another camera",
        "another kind of problem",
        "while it is verified",
        "back soon after closing",
        "told late, seen before the closing",
        "back long after closing",
        "a false alarm told again",
    ],
)
def test_a_problem_we_know_is_not_opened_again(known: list[Incident], box: Box, expected: object) -> None:
    assert decided(known, observation(NOW, box=box)) == expected


def test_a_merged_incident_stands_for_the_one_it_was_merged_into() -> None:
    merged = replace(closed(1, IncidentState.MERGED), merged_into=IncidentId("two"))
    assert decided([merged], observation(NOW)) == Attach(IncidentId("two"))


def test_an_open_incident_goes_before_a_closed_one_that_fits_better() -> None:
    other = replace(KNOWN, incident_id=IncidentId("open"), box=Box(0.15, 0.2, 0.35, 0.4))
    assert decided([closed(5), other], observation(NOW)) == Attach(IncidentId("open"))


@given(
    st.lists(st.sampled_from(sorted(IncidentState)), max_size=6),
    st.permutations(range(6)),
)
def test_the_decision_does_not_depend_on_the_order_of_what_is_known(
    states: list[IncidentState], order: list[int]
) -> None:
    known = [
        replace(
            KNOWN,
            incident_id=IncidentId(str(number)),
            state=state,
            box=Box(0.2 + number / 100, 0.2, 0.4, 0.4),
            closed_at=NOW - timedelta(minutes=number) if state in FINISHED else None,
        )
        for number, state in enumerate(states)
    ]
    shuffled = [known[place] for place in order if place < len(known)]
    seen = observation(NOW)
    assert decided(known, seen) == decided(shuffled, seen)
