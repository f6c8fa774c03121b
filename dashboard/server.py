"""The dashboard under uvicorn, as one task among others of the process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from dashboard.live.hub import Hub
from models.errors import PortInUseError

# The whole process stops within 2 s of Ctrl-C; a request that is not done by then is cut off.
_GRACE_S = 1


class DashboardServer:
    """`bind` early, so that a taken port is known before anything is started; then `run` until cancelled."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self.started = asyncio.Event()

    @property
    def port(self) -> int:
        """The real one after `bind`, also when 0 was asked for."""
        return self._port

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::", "") else self._host  # noqa: S104 - shown, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def bind(self) -> int:
        """Takes the port and returns it. Raises PortInUseError."""
        if self._socket is None:
            self._socket = _listen(self._host, self._port)
            self._port = int(self._socket.getsockname()[1])
        return self.port

    async def run(self) -> None:
        """Serves until cancelled; live viewers are told, and all is closed within about a second."""
        self.bind()
        assert self._socket is not None
        server = _Server(_config(self._app), started=self.started)
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        finally:
            self._end_streams()
            server.should_exit = True
            await serving
            self._socket.close()

    def _end_streams(self) -> None:
        """Uvicorn waits for answers to end, and a live feed never would by itself."""
        hub: Hub | None = getattr(self._app.state, "hub", None)
        if hub:
            hub.stop()


class _Server(uvicorn.Server):
    """Tells when it listens; leaves signals to the process, which has other parts to stop as well."""

    def __init__(self, config: uvicorn.Config, *, started: asyncio.Event) -> None:
        super().__init__(config)
        self._listening = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        # Slow or idle phones keep a connection this long between requests.
        timeout_keep_alive=20,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        # A restart must not wait for the last run's connections to be forgotten.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise PortInUseError(
            f"The dashboard cannot listen on {host}:{port} ({error.strerror}): "
            "stop what uses it, or choose another with --port."
        ) from error
    listening.setblocking(False)
    return listening
