"""Evidence pictures: in re-encoded, out only to those who may see an incident that holds them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response, UploadFile

from dashboard.errors import ApiError
from dashboard.photographs import MAX_UPLOAD_BYTES, clean_jpeg
from dashboard.schemas import PictureName, PictureOut
from dashboard.sessions import Anyone, Changer, OpenParts
from dispatch import accounts, queries
from models.ids import PictureHash

router = APIRouter(tags=["pictures"])


@router.post("/api/pictures", status_code=201)
def post_picture(file: UploadFile, parts: OpenParts, viewer: Changer) -> PictureOut:
    """One JPEG, PNG or WebP; kept as a JPEG without its metadata, at most 1,600 pixels long."""
    picture = parts.pictures.put(clean_jpeg(file.file.read(MAX_UPLOAD_BYTES + 1)))
    with parts.store.transaction() as session:
        accounts.audit(
            session,
            person_id=viewer.person.person_id,
            action="upload_picture",
            subject=picture,
            at=parts.clock.now(),
        )
    return PictureOut(picture=picture)


@router.get("/api/pictures/{picture}.jpg", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_picture(picture: Annotated[PictureName, Path()], parts: OpenParts, viewer: Anyone) -> Response:
    """Every view is audited, so it is asked for again each time: nothing may be served from a shared cache."""
    name = PictureHash(picture)
    with parts.store.reading() as session:
        allowed = any(viewer.sees(incident) for incident in queries.incidents_with_picture(session, name))
    jpeg = parts.pictures.get(name) if allowed else None
    if jpeg is None:
        raise ApiError(404, "not_found")
    with parts.store.transaction() as session:
        accounts.audit(
            session, person_id=viewer.person.person_id, action="view_picture", subject=name, at=parts.clock.now()
        )
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
