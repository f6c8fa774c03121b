"""Cameras: where they are, how they are, what they saw last. Their addresses never leave the store."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from dashboard.errors import ApiError
from dashboard.schemas import CameraOut, Identifier
from dashboard.sessions import Anyone, OpenParts
from dashboard.views.cameras import camera_out
from dashboard.views.directory import Directory
from models.ids import CameraId

router = APIRouter(tags=["cameras"])


@router.get("/api/cameras")
def get_cameras(parts: OpenParts, viewer: Anyone) -> list[CameraOut]:
    with parts.store.reading() as session:
        directory = Directory.read(session)
    states = {state.camera_id: state for state in parts.camera_states()}
    return [
        camera_out(camera, cell_id=directory.cell_of_camera(camera_id), state=states.get(camera_id))
        for camera_id, camera in directory.cameras.items()
        if viewer.sees_cell(directory.cell_of_camera(camera_id))
    ]


@router.get("/api/cameras/{camera_id}/latest.jpg", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_latest_picture(camera_id: Annotated[Identifier, Path()], parts: OpenParts, viewer: Anyone) -> Response:
    """The latest picture, people masked. 404 `no_picture_yet` before the first; Last-Modified: when it was taken."""
    with parts.store.reading() as session:
        directory = Directory.read(session)
    known = CameraId(camera_id)
    if known not in directory.cameras or not viewer.sees_cell(directory.cell_of_camera(known)):
        raise ApiError(404, "not_found")
    picture = parts.latest.get(known)
    if picture is None:
        raise ApiError(404, "no_picture_yet")
    headers = {
        "Last-Modified": format_datetime(picture.captured_at, usegmt=True),
        "Cache-Control": "private, no-cache",
    }
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)
