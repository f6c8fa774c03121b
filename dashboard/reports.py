"""A person sees on a camera's picture what the camera did not: the report opens an incident like any find."""

from __future__ import annotations

import uuid

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.rights import Viewer
from dashboard.schemas.incidents import ReportIn
from dispatch import reports
from models.geometry import Box
from models.ids import CameraId, SubcategoryCode
from models.incidents import Incident
from models.observations import Evidence, EvidenceRole


def report(parts: Parts, body: ReportIn, *, viewer: Viewer) -> Incident:
    """Opens it, once per `key`, with the camera's latest picture as evidence when there is one."""
    if SubcategoryCode(body.subcategory) not in parts.taxonomy.subcategories:
        raise ApiError(422, "invalid", field="subcategory", problem=f"no subcategory {body.subcategory}")
    box, evidence = _box(body), _evidence(parts, CameraId(body.camera_id))
    with parts.store.transaction() as session:
        return reports.report(
            session,
            actor=viewer.actor,
            subcategory=body.subcategory,
            now=parts.clock.now(),
            key=f"report:{viewer.person.person_id}:{body.key or uuid.uuid4()}",
            note=body.note,
            camera_id=body.camera_id,
            box=box,
            evidence=evidence,
        )


def _box(body: ReportIn) -> Box | None:
    try:
        return Box(*body.box) if body.box else None
    except ValueError as error:
        raise ApiError(422, "invalid", field="box", problem=str(error)) from error


def _evidence(parts: Parts, camera_id: CameraId) -> tuple[Evidence, ...]:
    """The latest picture lives in memory only; as evidence it is kept."""
    latest = parts.latest.get(camera_id)
    if latest is None:
        return ()
    return (Evidence(parts.pictures.put(latest.jpeg), EvidenceRole.FOUND, latest.captured_at),)
