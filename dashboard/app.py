"""The dashboard's front door: `create_app(parts)`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dashboard.live_schemas import live_schemas
from dashboard.routes import (
    cameras,
    coverage,
    district,
    health,
    incidents,
    indicators,
    live,
    pictures,
    session,
    tasks,
)
from dashboard.schemas import ErrorOut

_ROUTERS = (session, district, cameras, incidents, pictures, tasks, live, indicators, coverage, health)
_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorOut, "description": "What is wrong, zh and en."}}


def bare_app() -> FastAPI:
    """Routes without parts: enough to describe the API, not to serve it."""
    app = FastAPI(title="gridwarden", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    for module in _ROUTERS:
        app.include_router(module.router, responses=_ERRORS)
    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what travels over SSE and MQTT among its schemas."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    document["components"]["schemas"] |= live_schemas()
    return document
