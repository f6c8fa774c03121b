"""The dashboard's front door: `create_app(parts)`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.gzip import GZipMiddleware

from dashboard.errors import add_error_handlers
from dashboard.guard import Guard
from dashboard.headers import Headers
from dashboard.live.hub import HEARTBEAT_S, Hub
from dashboard.parts import Parts
from dashboard.routes import (
    assessment,
    cameras,
    coverage,
    district,
    health,
    incidents,
    indicators,
    live,
    metrics,
    pictures,
    session,
    settings,
    tasks,
)
from dashboard.schemas.base import ErrorOut
from dashboard.schemas.live import live_schemas
from dashboard.sign_in import SignInGuard
from dashboard.static import FrontEnd
from dashboard.views.names import NameBook

_ROUTERS = (
    session,
    district,
    cameras,
    incidents,
    pictures,
    tasks,
    live,
    indicators,
    assessment,
    coverage,
    settings,
    health,
    metrics,
)
_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorOut, "description": "What is wrong, zh and en."}}


def create_app(parts: Parts, *, heartbeat_s: float = HEARTBEAT_S) -> FastAPI:
    """Everything joined: routes, sign-in, live feed, guards, the built front end."""
    app = bare_app(live_feed=True)
    app.state.parts = parts
    app.state.book = NameBook(parts.store)
    app.state.sign_in = SignInGuard()
    app.state.hub = Hub(parts, app.state.book, heartbeat_s=heartbeat_s)
    add_error_handlers(app)
    # Added last is outermost: compression around headers around the guard around the routes.
    app.add_middleware(Guard)
    app.add_middleware(Headers, mqtt_ws_url=parts.mqtt_ws_url, https=parts.secure_cookies)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    # Not mounted: a mount takes every path, and a wrong method on a route could not be told from a missing page.
    app.router.default = FrontEnd(parts.web_dist)
    return app


def bare_app(*, live_feed: bool = False) -> FastAPI:
    """Routes without parts: enough to describe the API, not to serve it."""
    app = FastAPI(
        title="gridwarden",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_following_the_log if live_feed else None,
    )
    for module in _ROUTERS:
        app.include_router(module.router, responses=_ERRORS)
    return app


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what travels over SSE and MQTT among its schemas."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    document["components"]["schemas"] |= live_schemas()
    return document


@asynccontextmanager
async def _following_the_log(app: FastAPI) -> AsyncIterator[None]:
    hub: Hub = app.state.hub
    following = asyncio.create_task(hub.run())
    try:
        yield
    finally:
        hub.stop()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
