"""Cameras: where they are, how they are, what they saw last. Their addresses never leave the store."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from dashboard.errors import ApiError
from dashboard.schemas.base import Identifier
from dashboard.schemas.cameras import CameraOut
from dashboard.sessions import Anyone, Book, OpenParts
from dashboard.views.cameras import camera_out
from models.ids import CameraId

router = APIRouter(tags=["cameras"])

JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("/api/cameras")
def get_cameras(parts: OpenParts, book: Book, viewer: Anyone) -> list[CameraOut]:
    names = book.names()
    states = {state.camera_id: state for state in parts.camera_states()}
    return [
        camera_out(camera, names=names, state=states.get(camera_id))
        for camera_id, camera in names.cameras.items()
        if viewer.sees_cell(names.cell_of[camera_id])
    ]


@router.get("/api/cameras/{camera_id}/latest.jpg", response_class=Response, responses=JPEG)
def get_latest_picture(
    camera_id: Annotated[Identifier, Path()], parts: OpenParts, book: Book, viewer: Anyone
) -> Response:
    """The latest picture, people masked. 404 `no_picture_yet` before the first; Last-Modified: when it was taken."""
    names = book.names()
    known = CameraId(camera_id)
    if known not in names.cameras or not viewer.sees_cell(names.cell_of[known]):
        raise ApiError(404, "not_found")
    picture = parts.latest.get(known)
    if picture is None:
        raise ApiError(404, "no_picture_yet")
    headers = {
        "Last-Modified": format_datetime(picture.captured_at, usegmt=True),
        "Cache-Control": "private, no-cache",
    }
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)
