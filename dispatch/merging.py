"""Merging and splitting by hand, and taking either back; the log of both incidents stays whole.

A merge is undone by UNMERGE, a split by merging the new incident back in. What is left of an incident when sightings
are taken out of it is worked out by folding its own events without them, and told in the event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dispatch import words
from dispatch.events import find_incident
from dispatch.projection import apply, evidence_data
from dispatch.rows import EVENT, event_of
from dispatch.store.store import StoreSession
from models.errors import PayloadError, StepRefusedError
from models.incidents import FINISHED, Happening, Incident, IncidentEvent
from models.lifecycle import Step
from models.wire import moment

MOST_SPLIT = 200
"""Sightings split off at once: more are another day's work."""

_SEEN = (Happening.ATTACHED, Step.REOPEN)


def history(session: StoreSession, incident_id: str) -> list[IncidentEvent]:
    """Its events, those of this transaction included."""
    rows = session.core.execute(select(EVENT).where(EVENT.c.incident_id == incident_id).order_by(EVENT.c.seq))
    return [event_of(row) for row in rows]


def unmerged(session: StoreSession, incident: Incident, data: dict[str, Any], _now: datetime) -> dict[str, Any]:
    """Back to where it stood before the merge, as long as the other incident is still worked on."""
    target = find_incident(session, str(incident.merged_into))
    if target.state in FINISHED:
        raise StepRefusedError(words.TARGET_GONE, state=incident.state)
    merge = [event for event in history(session, incident.incident_id) if event.kind == Step.MERGE][-1]
    return data | {"after": merge.before, "from": target.incident_id}


def split_off(session: StoreSession, incident: Incident, data: dict[str, Any], _now: datetime) -> dict[str, Any]:
    """Takes these sightings out. Raises StepRefusedError unless they are its own and at least one stays."""
    chosen = data["events"]
    if not isinstance(chosen, list) or not chosen or len(chosen) > MOST_SPLIT:
        raise PayloadError(f"events must be a list of 1 to {MOST_SPLIT} sightings, by the seq of their events")
    events = history(session, incident.incident_id)
    seen = {
        event.seq for event in events if event.kind in _SEEN and "merged" not in event.data and "seen_at" in event.data
    }
    gone = _taken_out(events)
    if not all(isinstance(seq, int) and seq in seen and seq not in gone for seq in chosen):
        raise StepRefusedError(words.WRONG_SIGHTINGS, state=incident.state)
    return data | {"left": left(events, without=gone | set(chosen))}


def left(events: Iterable[IncidentEvent], *, without: Collection[int]) -> dict[str, Any]:
    """What an incident's sightings come to when these events are left out. Pure."""
    folded: Incident | None = None
    for event in events:
        if event.seq not in without and event.kind not in (Step.SPLIT, Happening.DETACHED):
            folded = apply(folded, event)
    assert folded is not None  # an incident's opening is never taken out
    return {
        "sightings": folded.sightings,
        "confidence": folded.confidence,
        "seen_at": moment(folded.last_seen_at),
        "evidence": evidence_data(folded.evidence),
        "worst_picture": folded.worst_picture,
        "worst_area": folded.worst_area,
    }


def left_without(session: StoreSession, target: Incident, merged: str) -> dict[str, Any] | None:
    """What the target comes to without what was merged in last from that incident; None when nothing was."""
    events = history(session, target.incident_id)
    gone = _taken_out(events)
    into = [event.seq for event in events if event.data.get("merged") == merged and event.seq not in gone]
    return {"events": into[-1:], "left": left(events, without=gone | set(into[-1:]))} if into else None


def opening_of(session: StoreSession, incident: Incident, chosen: Collection[int]) -> dict[str, Any]:
    """The opening of the incident that gets the sightings split off: its box, reason and pictures are theirs."""
    events = [event for event in history(session, incident.incident_id) if event.seq in chosen]
    first, newest = events[0].data, events[-1].data
    return {
        "box": first.get("box"),
        "why": first.get("why") or {"zh": incident.why.zh, "en": incident.why.en},
        "confidence": max(event.data["confidence"] for event in events),
        "first_seen_at": first["seen_at"],
        "seen_at": newest["seen_at"],
        "evidence": [item for event in events for item in event.data.get("evidence", ())],
        "sightings": sum(int(event.data.get("sightings", 1)) for event in events),
        "split_from": incident.incident_id,
    }


def _taken_out(events: Iterable[IncidentEvent]) -> set[int]:
    """Sightings that were split off or unmerged before."""
    kinds = (Step.SPLIT, Happening.DETACHED)
    return {seq for event in events if event.kind in kinds for seq in event.data.get("events", ())}
