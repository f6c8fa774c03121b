"""What follows from a step, in the same transaction: routing, telling workers, asking cameras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from dispatch import deliveries, node_requests
from dispatch.clocks import department_of
from dispatch.directory import read_directory
from dispatch.events import append, find_incident
from dispatch.merging import left_without, opening_of
from dispatch.passed_over import NEW_ROUND, passed_over
from dispatch.projection import box_of, evidence_data
from dispatch.routing import centre, choose, leaders, line_of_duty
from dispatch.store.store import StoreSession
from models.ids import IncidentId, PersonId
from models.incidents import OWED_STATES, Happening, Incident, IncidentEvent, IncidentState
from models.lifecycle import Step
from models.people import Actor, Role
from models.text import Text
from models.wire import moment

SYSTEM = Actor(Role.SYSTEM, "dispatch")


class Take(Protocol):
    """`dispatch.steps.take_step`, handed in because steps and what follows from them call each other."""

    def __call__(
        self,
        session: StoreSession,
        *,
        incident_id: IncidentId,
        step: Step,
        actor: Actor,
        now: datetime,
        data: Mapping[str, Any],
    ) -> IncidentEvent: ...


def follow_up(session: StoreSession, before: Incident, event: IncidentEvent, *, take: Take) -> None:
    """`before` is the incident as it was when the step was taken."""
    if before.assignment and event.actor.actor_id == before.assignment.person_id:
        deliveries.received(session, incident_id=before.incident_id, person_id=before.assignment.person_id, at=event.at)
    for consequence in _CONSEQUENCES.get(event.kind, ()):
        consequence(session, before, event, take)


def route(session: StoreSession, incident: Incident, event: IncidentEvent, take: Take) -> None:
    """Assigns it to the first in line who has not passed; a reopened one goes back to its handler."""
    if event.after is IncidentState.SUSPECTED:
        return  # an operator looks first
    directory = read_directory(session)
    department = department_of(session, incident)
    line = line_of_duty(directory, cell_id=incident.cell_id, department_id=department, at=event.at)
    if event.kind == Step.REOPEN and incident.assignment is not None:
        line.insert(0, incident.assignment.person_id)
    passed = set() if event.kind in NEW_ROUND else passed_over(session, incident.incident_id)
    person_id = choose(line, passed=passed) or next(iter(centre(directory)), None)
    if person_id is not None:
        assign(session, incident.incident_id, person_id, event, take)


def escalated(
    session: StoreSession, incident: Incident, *, now: datetime, data: Mapping[str, Any], cause: str = ""
) -> IncidentEvent:
    """Notes that somebody further up is asked now, and why (in the data); who calls this tells them."""
    return append(
        session,
        incident_id=incident.incident_id,
        kind=Happening.ESCALATED,
        actor=SYSTEM,
        at=now,
        after=incident.state,
        cause=cause,
        data=data,
    )


def assign(
    session: StoreSession, incident_id: IncidentId, person_id: PersonId, event: IncidentEvent, take: Take
) -> None:
    take(session, incident_id=incident_id, step=Step.ASSIGN, actor=SYSTEM, now=event.at, data={"person": person_id})


def _tell_assignee(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    person_id = event.data["person"]
    if before.assignment and before.assignment.person_id != person_id:
        deliveries.recall(session, event, before.assignment.person_id)
    deliveries.owe(session, event, person_id=person_id, kind="assigned")


def _tell_again(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    if before.assignment:
        kind = "rework" if event.kind == Step.CONFIRM_STILL_THERE else "assigned"
        deliveries.owe(session, event, person_id=before.assignment.person_id, kind=kind)


def _recall(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    if before.assignment:
        deliveries.recall(session, event, before.assignment.person_id)


def _verify(session: StoreSession, before: Incident, event: IncidentEvent, take: Take) -> None:
    by = "camera" if node_requests.can_be_asked(session, before) else "person"
    take(session, incident_id=before.incident_id, step=Step.VERIFY, actor=SYSTEM, now=event.at, data={"by": by})


def _ask_camera(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    if event.data["by"] == "camera":
        node_requests.ask_verification(session, before, event)


def _stop_asking(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    node_requests.withdraw_verifications(session, before.incident_id, at=event.at)


def _mask(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    node_requests.ask_suppression(session, before, event)


def _pass_on(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    """The incident merged into keeps the sightings and pictures of both."""
    target = find_incident(session, event.data["into"])
    append(
        session,
        incident_id=target.incident_id,
        kind=Happening.ATTACHED,
        actor=event.actor,
        at=event.at,
        after=target.state,
        data={
            "merged": before.incident_id,
            "sightings": before.sightings,
            "confidence": before.confidence,
            "seen_at": moment(before.last_seen_at),
            "evidence": evidence_data(before.evidence),
        },
    )


def _take_back(session: StoreSession, before: Incident, event: IncidentEvent, take: Take) -> None:
    """The merge is undone: the other incident loses what it got, this one goes on where it stood."""
    target = find_incident(session, event.data["from"])
    if detached := left_without(session, target, before.incident_id):
        append(
            session,
            incident_id=target.incident_id,
            kind=Happening.DETACHED,
            actor=event.actor,
            at=event.at,
            after=target.state,
            data=detached | {"unmerged": before.incident_id},
        )
    incident = find_incident(session, before.incident_id)
    for part in incident.open_parts:
        deliveries.owe(session, event, person_id=part.person_id, kind="part")
    if event.after in (IncidentState.OPENED, IncidentState.RETURNED):
        route(session, incident, event, take)
    elif event.after in OWED_STATES:
        _tell_again(session, incident, event, take)
    elif event.after is IncidentState.VERIFYING and node_requests.can_be_asked(session, incident):
        node_requests.ask_verification(session, incident, event)


def _open_split(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    from dispatch.intake import open_incident  # opening takes steps, and steps lead here

    new = opening_of(session, before, event.data["events"])
    open_incident(
        session,
        actor=event.actor,
        subcategory=before.subcategory,
        position=before.position,
        why=Text(new["why"]["zh"], new["why"]["en"]),
        now=event.at,
        cause=f"split:{event.seq}",
        camera_id=before.camera_id,
        box=box_of(new["box"]),
        more=new,
    )


def _call_in(session: StoreSession, _before: Incident, event: IncidentEvent, _take: Take) -> None:
    deliveries.owe(session, event, person_id=event.data["person"], kind="part")


def _part_done(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    deliveries.recall(session, event, event.data["person"])
    if before.assignment and before.assignment.person_id != event.data["person"]:
        deliveries.owe(session, event, person_id=before.assignment.person_id, kind="part_done")


def _recall_parts(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    for person_id in {part.person_id for part in before.open_parts}:
        deliveries.recall(session, event, person_id)


def _tell_leader(session: StoreSession, before: Incident, event: IncidentEvent, _take: Take) -> None:
    line = leaders(read_directory(session), cell_id=before.cell_id, at=event.at)
    judge = next((person_id for person_id in line if person_id != event.actor.actor_id), None)
    if judge is not None:
        deliveries.owe(session, event, person_id=judge, kind="appeal")


_Consequence = Callable[[StoreSession, Incident, IncidentEvent, Take], None]

_CONSEQUENCES: Mapping[str, tuple[_Consequence, ...]] = {
    Step.OPEN: (route,),
    Step.CONFIRM: (route,),
    Step.RETURN: (_recall, route),
    Step.REOPEN: (route,),
    Step.ASSIGN: (_tell_assignee,),
    Step.RESOLVE: (_verify,),
    Step.VERIFY: (_ask_camera,),
    Step.CONFIRM_GONE: (_stop_asking,),
    Step.CONFIRM_STILL_THERE: (_stop_asking, _tell_again),
    Step.NOTHING_HERE: (_recall, _recall_parts, _mask),
    Step.SUSPEND: (_recall,),
    Step.RESUME: (_tell_again,),
    Step.MERGE: (_stop_asking, _recall, _recall_parts, _pass_on),
    Step.UNMERGE: (_take_back,),
    Step.SPLIT: (_open_split,),
    Step.CALL_IN: (_call_in,),
    Step.PART_DONE: (_part_done,),
    Step.APPEAL: (_tell_leader,),
}
