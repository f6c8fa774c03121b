"""Every figure of the assessment counted a second time, in plain Python from the events, on random histories."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.indicator_lives import INDICATORS, SPANS
from dispatch.indicators import Counted, count, incident_ids
from dispatch.node_requests import VERIFY, waiting_requests
from dispatch.queries import list_incidents, timeline
from dispatch.reports import report
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.sweeps import sweep
from dispatch.testing import (
    CAMERA,
    CENTRE,
    EAST_CAMERA,
    LI,
    PHOTO,
    fill_small_district,
    observation,
    see,
    verify,
    worker,
)
from models.errors import GridwardenError, StepRefusedError
from models.geometry import Box
from models.incidents import IncidentEvent
from models.lifecycle import Step
from models.observations import Verdict
from models.people import Actor, Role
from models.testing import FakeClock

OPERATOR = Actor(Role.OPERATOR, CENTRE)
HANDLER = (Step.RECEIVE, Step.ACCEPT, Step.RESOLVE, Step.RESOLVE, Step.RETURN, Step.NOTHING_HERE)
SOMEBODY = (
    Step.CONFIRM,
    Step.ASSIGN,
    Step.CONFIRM_GONE,
    Step.CONFIRM_STILL_THERE,
    Step.EXTEND,
    Step.SUSPEND,
    Step.RESUME,
    Step.MERGE,
    Step.REOPEN,
    Step.NOTHING_HERE,
)
_numbers = itertools.count()


@st.composite
def acts(draw: st.DrawFn) -> tuple[str, int, int, int]:
    """What is done, to which incident, with what, and how many minutes go by before."""
    kind = draw(st.sampled_from(("see", "hold", "report", "step", "step", "work", "work", "camera", "camera", "sweep")))
    return kind, draw(st.integers(0, 5)), draw(st.integers(0, 40)), draw(st.sampled_from((0, 3, 11, 40, 200, 1500)))


class Story:
    """A district in which the drawn acts happen."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.store = Store.open(url, clock=self.clock)
        fill_small_district(self.store)

    def go_on(self, kind: str, number: int, choice: int, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        if kind in ("see", "hold"):
            box = Box(0.15 * number, 0.1, 0.15 * number + 0.1, 0.2)
            seen = observation(
                self.clock.now(),
                camera=(CAMERA, EAST_CAMERA)[choice % 2],
                box=box,
                subcategory=("A1", "B1")[choice % 3 % 2],
            )
            see(self.store, replace(seen, assist=kind == "hold"))
        elif kind == "report":
            self._report(number, choice)
        elif kind == "sweep":
            sweep(self.store, now=self.clock.now())
        else:
            self._act(kind, number, choice)

    def _report(self, number: int, choice: int) -> None:
        box = Box(0.15 * number, 0.6, 0.15 * number + 0.1, 0.7) if choice % 2 else None
        with self.store.transaction() as session:
            report(
                session,
                actor=OPERATOR,
                subcategory="B1",
                now=self.clock.now(),
                key=f"report-{next(_numbers)}",
                camera_id=CAMERA if box else None,
                position=None if box else (120.02 + 0.02 * number, 30.02),
                box=box,
            )

    def _act(self, kind: str, number: int, choice: int) -> None:
        with self.store.reading() as session:
            incidents = list_incidents(session, limit=100)
            if not incidents:
                return
            chosen, other = incidents[number % len(incidents)], incidents[(number + 1) % len(incidents)]
            asked = [one.key for one in waiting_requests(session, chosen.incident_id) if one.kind == VERIFY]
        if kind == "camera":
            for key in asked:
                verify(self.store, chosen, key, list(Verdict)[choice % len(Verdict)])
            return
        step, actor = SOMEBODY[choice % len(SOMEBODY)], OPERATOR
        if kind == "work" and chosen.assignment:
            step, actor = HANDLER[choice % len(HANDLER)], worker(chosen.assignment.person_id)
        data = {"photo": PHOTO, "reason": "因为", "person": LI, "into": other.incident_id}
        try:
            with self.store.transaction() as session:
                take_step(
                    session, incident_id=chosen.incident_id, step=step, actor=actor,
                    now=self.clock.now(), data=data,
                )  # fmt: skip
        except (StepRefusedError, GridwardenError):
            return


@dataclass
class Told:
    """One incident as its events tell it."""

    events: list[IncidentEvent]
    at: datetime

    def first(self, *kinds: str) -> datetime | None:
        return min((event.at for event in self.events if event.kind in kinds), default=None)

    @property
    def opening(self) -> IncidentEvent:
        return self.events[0]

    @property
    def state(self) -> str:
        return self.events[-1].after.value

    @property
    def filed(self) -> datetime | None:
        return next((e.at for e in self.events if e.after.value not in ("suspected", "rejected", "merged")), None)

    def last_word(self, key: str) -> Any:
        """Of the assignment: taken away by a return or a reopening."""
        word = None
        for event in self.events:
            if event.kind in ("return", "reopen"):
                word = None
            elif event.kind == "assign" or (event.kind in ("extend", "resume", "clock") and key == "due_at"):
                word = event.data[key]
        return word

    @property
    def due(self) -> datetime | None:
        word = self.last_word("due_at")
        return None if word is None else datetime.fromisoformat(word)

    @property
    def closed(self) -> datetime | None:
        if self.state != "closed":
            return None
        return [
            e.at for e in self.events if e.after.value == "closed" and e.before is not None and e.before != e.after
        ][-1]

    def counts(self) -> set[str]:
        filed, due, resolved = self.filed is not None, self.due, self.first("resolve")
        done = max((e.at for e in self.events if e.kind == "resolve"), default=None)
        void = self.state in ("rejected", "merged")
        camera = self.opening.actor.role.value in ("camera", "system")
        passed_due = due is not None and due <= self.at and self.state != "suspended"
        must = filed and not void and (resolved is not None or passed_due)
        must_close = filed and not void and (self.state == "closed" or passed_due)
        in_time = resolved is not None and (due is None or resolved <= due)
        seen = self.opening.data["camera"] is not None
        gone, still = self.first("confirm_gone"), self.first("confirm_still_there")
        truths = {
            "reported": True,
            "opened": filed,
            "filed_on_time": filed and self.filed - self.opening.at <= timedelta(minutes=15),  # type: ignore[operator]
            "assigned": filed and self.first("assign"),
            "dispatched_right": filed and self.first("assign") and not self.first("return"),
            "received": filed and self.first("receive", "accept", "resolve"),
            "accepted": filed and self.first("accept", "resolve"),
            "resolved": filed and resolved,
            "verified": filed and (gone or still),
            "passed": filed and gone and not still,
            "closed": self.state == "closed",
            "rejected": self.state == "rejected",
            "merged": self.state == "merged",
            "on_time": filed and in_time,
            "due": must,
            "due_done": must and resolved,
            "due_on_time": must and in_time,
            "due_to_close": must_close,
            "closed_due": must_close and self.state == "closed",
            "closed_on_time": must_close and self.closed and (due is None or (done or self.closed) <= due),
            "overdue": filed and due is not None and due <= self.at
            and self.state in ("opened", "assigned", "received", "accepted", "rework", "returned"),
            "rework": filed and still,
            "returned": filed and self.first("return"),
            "extended": filed and self.first("extend"),
            "suspended": filed and self.first("suspend"),
            "camera": camera,
            "false_alarms": camera and self.state == "rejected",
            "missed": filed and not void and not camera and seen,
            "in_view": filed and not void and seen,
        }  # fmt: skip
        return {name for name, true in truths.items() if true}

    def length(self, name: str) -> float | None:
        start, end = self.filed, self.closed if name == "to_close" else self.first(SPANS[name][1])
        return None if start is None or end is None else (end - start).total_seconds()


KEYS: dict[str, Callable[[Told], Any]] = {
    "whole": lambda told: "all",
    "cell": lambda told: told.opening.data["cell"],
    "person": lambda told: told.last_word("person"),
    "department": lambda told: told.last_word("department"),
    "subcategory": lambda told: told.opening.data["subcategory"],
    "reporter": lambda told: told.opening.actor.actor_id,
}


def histories(store: Store, *, since: datetime, until: datetime, at: datetime) -> list[Told]:
    with store.reading() as session:
        every = [timeline(session, incident.incident_id) for incident in list_incidents(session, limit=1000)]
    return [Told(events, at) for events in every if since <= events[0].at < until]


def agree(counted: Iterable[Counted], told: list[Told], key: Callable[[Told], Any]) -> None:
    groups: dict[Any, list[Told]] = {}
    for one in told:
        groups.setdefault(key(one), []).append(one)
    found = {one.key: one for one in counted}
    assert set(found) == set(groups)
    for name, members in groups.items():
        expected = dict.fromkeys(INDICATORS, 0)
        for member in members:
            for indicator in member.counts():
                expected[indicator] += 1
        assert dict(found[name].counts) == expected
        assert found[name].sightings == sum(e.kind in ("open", "attached") for m in members for e in m.events)
        for span, figure in found[name].spans.items():
            lengths = sorted(one for m in members if (one := m.length(span)) is not None)
            if not lengths:
                assert figure.mean is figure.p90 is None
                continue
            assert figure.mean is not None
            assert figure.p90 is not None
            assert figure.mean.total_seconds() == pytest.approx(sum(lengths) / len(lengths), abs=0.01)
            assert figure.p90.total_seconds() == pytest.approx(lengths[ceil(0.9 * len(lengths)) - 1], abs=0.01)


def check(url: str, history: list[tuple[str, int, int, int]]) -> None:
    story = Story(url)
    try:
        start = story.clock.now()
        for act in history:
            story.go_on(*act)
        now = story.clock.now()
        for since, until in ((start, now + timedelta(seconds=1)), (start, start + (now - start) / 2)):
            told = histories(story.store, since=since, until=until, at=now)
            with story.store.reading() as session:
                for by, key in KEYS.items():
                    agree(count(session, by=by, since=since, until=until, at=now), told, key)
                for indicator in INDICATORS:
                    named = incident_ids(session, indicator, since=since, until=until, at=now)
                    assert set(named) == {one.opening.incident_id for one in told if indicator in one.counts()}
    finally:
        story.store.close()


HISTORIES = st.lists(acts(), min_size=5, max_size=60)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORIES)
def test_every_figure_agrees_with_a_second_count_on_sqlite(
    tmp_path: Path, history: list[tuple[str, int, int, int]]
) -> None:
    check(f"sqlite:///{tmp_path / f'record-{next(_numbers)}.db'}", history)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORIES)
def test_every_figure_agrees_with_a_second_count_on_postgresql(
    postgresql: Callable[[], str], history: list[tuple[str, int, int, int]]
) -> None:
    check(postgresql(), history)


def test_a_held_find_is_reported_and_not_opened_until_somebody_confirms_it(store: Store, clock: FakeClock) -> None:
    start = clock.now()
    see(store, replace(observation(start), assist=True))
    assert figures(store, start)["opened"] == 0
    assert figures(store, start)["reported"] == 1
    clock.advance(minutes=20)
    with store.transaction() as session:
        held = list_incidents(session)[0]
        take_step(session, incident_id=held.incident_id, step=Step.CONFIRM, actor=OPERATOR, now=clock.now())
    after = figures(store, start)
    assert (after["opened"], after["assigned"], after["filed_on_time"]) == (1, 1, 0)


def figures(store: Store, start: datetime) -> dict[str, int]:
    with store.reading() as session:
        now = store.clock.now()
        return dict(count(session, by="whole", since=start, until=now + timedelta(seconds=1), at=now)[0].counts)
