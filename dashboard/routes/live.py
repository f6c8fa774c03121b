"""The live feed over Server-Sent Events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from dashboard.live.hub import hub_of
from dashboard.sessions import Anyone

router = APIRouter(tags=["live"])


@router.get(
    "/api/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "See the Live… schemas."}},
)
async def get_live(
    request: Request, viewer: Anyone, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """A snapshot, then changes. With Last-Event-ID: only what was missed, when that is not too much."""
    raise NotImplementedError
