"""Around every answer: what browsers may do with it, and the last resort for errors nobody expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.errors import unexpected

HOST_HERE = "{host}"
"""In the broker's address: the name under which the page was opened, so that one installation serves a phone that
knows it by address and a screen that knows it as localhost."""

_FIXED: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
_ONE_YEAR = "max-age=31536000"
_HOST_NAME = re.compile(r"[A-Za-z0-9.\-]{1,253}|\[[0-9a-fA-F:]{2,45}\]")


def host_of(scope: Scope) -> str:
    """The name in the Host header without its port; "localhost" when it is none."""
    raw = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    name = re.sub(r":\d+$", "", raw)
    return name if _HOST_NAME.fullmatch(name) else "localhost"


def broker_url(template: str, scope: Scope) -> str:
    return template.replace(HOST_HERE, host_of(scope))


def content_security_policy(mqtt_ws_url: str | None) -> str:
    """No inline scripts. Styles may be inline: the map and the charts position their parts by style attributes."""
    broker = urlsplit(mqtt_ws_url) if mqtt_ws_url else None
    connect = f"'self' {broker.scheme}://{broker.netloc}" if broker else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src {connect}",
            "worker-src 'self' blob:",
            "child-src blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Headers:
    """ASGI middleware, outermost but for compression. Answers of the API are never kept unless they say so."""

    def __init__(self, app: ASGIApp, *, mqtt_ws_url: str | None, https: bool) -> None:
        self._app = app
        self._mqtt_ws_url = mqtt_ws_url
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                raise
            response = unexpected(error, method=scope["method"], path=scope["path"])
            await response(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, scope: Scope) -> None:
        for name, value in _FIXED.items():
            headers.setdefault(name, value)
        url = broker_url(self._mqtt_ws_url, scope) if self._mqtt_ws_url else None
        headers.setdefault("Content-Security-Policy", content_security_policy(url))
        if self._https:
            headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
        if scope["path"].startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
