"""Before any route: is this request from our own page, and is it not too long?"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.errors import ApiError, answer
from dashboard.photographs import MAX_UPLOAD_BYTES

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# The longest JSON request is a step with a reason: under 4 kB.
MOST_JSON_BYTES = 64 * 1024
# A picture comes in a multipart envelope of a few hundred bytes.
_MOST_UPLOAD_BYTES = MAX_UPLOAD_BYTES + 64 * 1024


class Guard:
    """ASGI middleware. Other sites' pages cannot set our header without asking, and nobody answers that question;
    the Origin is looked at as well, and SameSite keeps the cookie at home: three locks, each enough."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = _MOST_UPLOAD_BYTES if scope["path"] == "/api/pictures" else MOST_JSON_BYTES
        try:
            if scope["method"] not in _SAFE:
                _check_origin(headers)
            _check_length(headers, limit)
        except ApiError as error:
            await answer(error)(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive, limit), send)


class _Bounded:
    """Counts a body that does not tell its length."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._received = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            # FastAPI lets this kind pass while it reads a body; any other would become "cannot be parsed".
            raise HTTPException(413, _shown(self._limit))
        return message


def _check_origin(headers: Headers) -> None:
    if headers.get("x-gridwarden") != "1":
        raise ApiError(403, "missing_header")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise ApiError(403, "foreign_origin", origin=origin[:200])


def _check_length(headers: Headers, limit: int) -> None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length) > limit:
        raise ApiError(413, "too_large", limit=_shown(limit))


def _shown(limit: int) -> str:
    return f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 1024} kB"
