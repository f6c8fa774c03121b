"""Evidence pictures: in re-encoded, out only to those who may see an incident that holds them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response, UploadFile

from dashboard.errors import ApiError
from dashboard.parts import Parts
from dashboard.photographs import MAX_UPLOAD_BYTES, clean_jpeg
from dashboard.rights import Viewer
from dashboard.routes.cameras import JPEG
from dashboard.schemas.base import PictureName
from dashboard.schemas.incidents import PictureOut
from dashboard.sessions import Administrator, Anyone, Changer, OpenParts
from dispatch import accounts, queries
from models.ids import PictureHash

router = APIRouter(tags=["pictures"])


@router.post("/api/pictures", status_code=201)
def post_picture(file: UploadFile, parts: OpenParts, viewer: Changer) -> PictureOut:
    """One JPEG, PNG or WebP; kept as a JPEG without its metadata, at most 1,600 pixels long."""
    picture = parts.pictures.put(clean_jpeg(file.file.read(MAX_UPLOAD_BYTES + 1)))
    _audit(parts, viewer, action="upload_picture", picture=picture)
    return PictureOut(picture=picture)


@router.get("/api/pictures/{picture}.jpg", response_class=Response, responses=JPEG)
def get_picture(
    picture: Annotated[PictureName, Path()],
    parts: OpenParts,
    viewer: Anyone,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Every view is audited, so a browser asks again each time; what it still has is not sent twice."""
    name = PictureHash(picture)
    with parts.store.reading() as session:
        allowed = any(viewer.sees(incident) for incident in queries.incidents_with_picture(session, name))
    jpeg = parts.pictures.get(name) if allowed else None
    if jpeg is None:
        raise ApiError(404, "not_found")
    _audit(parts, viewer, action="view_picture", picture=name)
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{name}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@router.get("/api/pictures/{picture}/original.jpg", response_class=Response, responses=JPEG)
def get_original(
    picture: Annotated[PictureName, Path()],
    reason: Annotated[
        str, Query(min_length=4, max_length=200, description="Why it has to be seen; kept in the audit.")
    ],
    parts: OpenParts,
    viewer: Administrator,
) -> Response:
    """The unmasked picture, for administrators; 404 where none was kept. Never cached; every request is audited."""
    name = PictureHash(picture)
    with parts.store.reading() as session:
        known = any(viewer.sees(incident) for incident in queries.incidents_with_picture(session, name))
    jpeg = parts.pictures.originals.get(name) if known and parts.pictures.originals else None
    action = "view_original" if jpeg is not None else "asked_for_original"
    with parts.store.transaction() as session:
        accounts.audit(
            session,
            person_id=viewer.person.person_id,
            action=action,
            subject=f"{name} · {reason}",
            at=parts.clock.now(),
        )
    if jpeg is None:
        raise ApiError(404, "no_original")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _audit(parts: Parts, viewer: Viewer, *, action: str, picture: PictureHash) -> None:
    with parts.store.transaction() as session:
        accounts.audit(session, person_id=viewer.person.person_id, action=action, subject=picture, at=parts.clock.now())
