"""The live feed over Server-Sent Events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.live.hub import Hub, hub_of
from dashboard.live.stream import Stream
from dashboard.sessions import Anyone

router = APIRouter(tags=["live"])

# Buffering proxies would hold messages back until a page of them is full.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class LiveResponse(StreamingResponse):
    """Leaves the hub however the connection ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, stream: Stream, *, after: int | None) -> None:
        super().__init__(hub.messages(stream, after=after), headers=_HEADERS)
        self._hub = hub
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._stream)


@router.get(
    "/api/live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "See the Live… schemas."}},
)
async def get_live(request: Request, viewer: Anyone, last_event_id: Annotated[str, Header()] = "") -> LiveResponse:
    """A snapshot, then changes. With Last-Event-ID: only what was missed, when that is not too much."""
    hub = hub_of(request)
    after = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else None
    return LiveResponse(hub, hub.join(viewer), after=after)
