"""Whatever goes wrong, the answer has one form: `{"error": {"code", "zh", "en"}}` with a fitting status."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dashboard.words import WORDS
from models.errors import GridwardenError, NotAllowedError, NotFoundError, PayloadError
from models.incidents import IncidentState
from models.text import Text

log = logging.getLogger(__name__)


class ApiError(GridwardenError):
    """An answer other than success; `code` is a key of `words.WORDS` unless `text` is given."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        text: Text | None = None,
        state: str | None = None,
        retry_after_s: int | None = None,
        **values: object,
    ) -> None:
        words = text or WORDS[code]
        self.status = status
        self.code = code
        self.text = Text(words.zh.format(**values), words.en.format(**values)) if text is None else text
        self.state = IncidentState(state) if state else None
        self.retry_after_s = retry_after_s
        super().__init__(self.text.en)


def answer(error: ApiError) -> JSONResponse:
    """The error as a response."""
    body: dict[str, Any] = {"code": error.code, "zh": error.text.zh, "en": error.text.en}
    headers = {"Cache-Control": "no-store"}
    if error.state is not None:
        body["state"] = error.state.value
    if error.retry_after_s is not None:
        body["retry_after_s"] = error.retry_after_s
        headers["Retry-After"] = str(error.retry_after_s)
    return JSONResponse({"error": body}, status_code=error.status, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(GridwardenError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _known(_: Request, error: Exception) -> JSONResponse:
    match error:
        case ApiError():
            return answer(error)
        case NotFoundError():
            return answer(ApiError(404, "not_found"))
        case NotAllowedError():
            return answer(ApiError(403, "refused", problem=str(error)))
        case PayloadError():
            return answer(ApiError(422, "refused", problem=str(error)))
    return answer(ApiError(409, "refused", problem=str(error)))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Names the first wrong field and what it should be, never its value: it may be a password."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first.get("loc", ()) if part != "body") or "body"
    return answer(ApiError(422, "invalid", field=field, problem=first.get("msg", "invalid")))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 400:
            return answer(ApiError(400, "unreadable"))
        case 404:
            return answer(ApiError(404, "no_such_route", path=request.url.path))
        case 405:
            return answer(ApiError(405, "method_not_allowed", method=request.method))
        case 413:
            return answer(ApiError(413, "too_large", limit=error.detail))
    return answer(ApiError(error.status_code, "refused", problem=error.detail))


def unexpected(error: Exception, *, method: str, path: str) -> JSONResponse:
    """The last resort: the log gets the traceback, the person a number to name when asking for help."""
    reference = secrets.token_hex(4)
    log.error("%s %s failed (%s)", method, path, reference, exc_info=error)
    return answer(ApiError(500, "internal", reference=reference))
