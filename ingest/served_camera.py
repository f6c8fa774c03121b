"""What served cameras share: a server on loopback that hangs up on everybody when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class ServedCamera(ABC):
    """`async with …`; stopped and port freed at the end. Those that inherit say how they talk, and their address."""

    def __init__(self, *, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, *, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        """Hangs up on everybody and frees the port."""
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the served camera is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    @abstractmethod
    def address(self) -> str:
        """With user and password, as an operator would give it."""

    @abstractmethod
    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """With one client until it is done; the connection is closed afterwards."""

    @property
    def _authority(self) -> str:
        """user:password@host:port, as far as there are any."""
        secret = f"{self._user}:{self._password}@" if self._user else ""
        return f"{secret}127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        # A cancelled talk ends quietly: asyncio's streams would log the cancellation as an error.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._talk(reader, writer)
        writer.close()
