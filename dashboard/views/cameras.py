"""A camera and its state as pages see them; never its address."""

from __future__ import annotations

from dashboard.schemas.cameras import CameraOut, CameraStateOut, FlawOut, ZoneOut
from dashboard.views.names import Names
from models.places import FLAW_WORDS, Camera, CameraCondition, CameraState, Flaw


def camera_out(camera: Camera, *, names: Names, state: CameraState | None) -> CameraOut:
    """state None: no watch node has said anything of it yet."""
    return CameraOut(
        **state_fields(camera.camera_id, state),
        name=camera.name,
        position=camera.position,
        bearing_deg=camera.bearing_deg,
        zones=[ZoneOut(name=z.name, kind=z.kind, polygon=list(z.polygon.corners)) for z in camera.zones],
        cell_id=names.cell_of.get(camera.camera_id),
    )


def state_out(state: CameraState) -> CameraStateOut:
    return CameraStateOut(**state_fields(state.camera_id, state))


def state_fields(camera_id: str, state: CameraState | None) -> dict[str, object]:
    return {
        "camera_id": camera_id,
        "condition": state.condition if state else CameraCondition.STARTING,
        "since": state.since if state else None,
        "last_look_at": state.last_look_at if state else None,
        "next_look_at": state.next_look_at if state else None,
        "trouble": state.trouble if state else None,
        "message": state.message if state else "",
        "looks": state.looks if state else 0,
        "inferred": state.inferred if state else 0,
        "flaws": [_flaw(flaw) for flaw in state.flaws] if state else [],
    }


def _flaw(flaw: Flaw) -> FlawOut:
    words = FLAW_WORDS[flaw]
    return FlawOut(flaw=flaw, zh=words.zh, en=words.en)
