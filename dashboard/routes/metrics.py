"""For supervisors: is it alive, is it ready, how is it. Nothing here is for people's browsers."""

from __future__ import annotations

import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from dashboard.metrics import exposition
from dashboard.sessions import OpenParts
from dispatch import queries

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)


@router.get("/healthz")
def alive() -> PlainTextResponse:
    """200 as long as the process answers at all: a supervisor restarts it otherwise."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(parts: OpenParts) -> JSONResponse:
    """200 when finds can become tasks: the store answers and the broker is connected; else 503 naming what does not."""
    checks = {"store": _store_answers(parts), "broker": parts.counters().get("broker_connected", 0) > 0}
    return JSONResponse(checks, status_code=200 if all(checks.values()) else 503)


@router.get("/metrics")
def metrics(parts: OpenParts, authorization: Annotated[str, Header()] = "") -> Response:
    """Prometheus' text format, for who has the token: figures of cameras and incidents are not for everybody."""
    wanted = parts.metrics_token
    if wanted is None:
        return PlainTextResponse("metrics are switched off here\n", status_code=404)
    if not hmac.compare_digest(authorization.encode(), f"Bearer {wanted}".encode()):
        return PlainTextResponse(
            "the token in the data folder's metrics-token is wanted\n",
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Response(exposition(parts), media_type=CONTENT_TYPE_LATEST)


def _store_answers(parts: OpenParts) -> bool:
    try:
        with parts.store.reading() as session:
            queries.last_seq(session)
    except Exception:
        log.exception("The store does not answer")
        return False
    return True
