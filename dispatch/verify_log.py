"""Proof that the present state is what the log says: every incident is folded again and compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.projection import apply
from dispatch.rows import EVENT, INCIDENT, event_of, incident_of
from dispatch.store.store import Store
from models.incidents import Incident, IncidentEvent


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as the log says. field: of the incident, or what is wrong with the log."""

    incident_id: str
    field: str
    kept: str
    folded: str


@dataclass(frozen=True, slots=True)
class LogReport:
    """clean: nothing differs."""

    events: int
    incidents: int
    differences: tuple[Difference, ...]

    @property
    def clean(self) -> bool:
        return not self.differences


def verify_log(store: Store) -> LogReport:
    """Reads the whole log once, one incident at a time in memory."""
    with store.reading() as session:
        kept = {row.incident_id: incident_of(row) for row in session.execute(select(INCIDENT))}
        seqs = list(session.scalars(select(EVENT.c.seq).order_by(EVENT.c.seq)))
        differences = [*_gaps(seqs), *_compare(session, kept)]
    return LogReport(events=len(seqs), incidents=len(kept), differences=tuple(differences))


def _gaps(seqs: list[int]) -> Iterator[Difference]:
    for place, seq in enumerate(seqs, start=1):
        if place != seq:
            yield Difference("", "seq", kept=str(seq), folded=str(place))
            return


def _compare(session: Session, kept: dict[str, Incident]) -> Iterator[Difference]:
    rows = session.execute(select(EVENT).order_by(EVENT.c.incident_id, EVENT.c.seq).execution_options(yield_per=500))
    unseen = dict(kept)
    for incident_id, group in groupby((event_of(row) for row in rows), key=lambda event: event.incident_id):
        present = unseen.pop(incident_id, None)
        yield from _compare_one(incident_id, present, list(group))
    for incident_id in unseen:
        yield Difference(incident_id, "incident", kept="there", folded="no events")


def _compare_one(incident_id: str, present: Incident | None, events: list[IncidentEvent]) -> Iterator[Difference]:
    folded: Incident | None = None
    for event in events:
        state = None if folded is None else folded.state
        if event.before != state:
            yield Difference(incident_id, f"before of event {event.seq}", kept=str(event.before), folded=str(state))
        try:
            folded = apply(folded, event)
        except (KeyError, ValueError, TypeError) as error:
            yield Difference(incident_id, f"event {event.seq}", kept=event.kind, folded=f"cannot be read: {error}")
            return
    if present is None or folded is None:
        yield Difference(incident_id, "incident", kept="missing", folded="there")
        return
    for field in fields(Incident):
        there, expected = getattr(present, field.name), getattr(folded, field.name)
        if there != expected:
            yield Difference(incident_id, field.name, kept=repr(there), folded=repr(expected))
