"""The dashboard among other tasks of a process."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest

from dashboard.server import DashboardServer
from dispatch.testing import CENTRE
from models.errors import PortInUseError


async def test_a_taken_port_is_told_before_anything_is_started(dashboard):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{port}.*--port"):
            DashboardServer(dashboard.app, "127.0.0.1", port).bind()


async def test_an_unknown_host_is_told_in_a_sentence(dashboard):
    with pytest.raises(PortInUseError, match="cannot listen on"):
        DashboardServer(dashboard.app, "192.0.2.1", 0).bind()


async def test_it_serves_until_cancelled_and_stops_at_once_with_viewers_connected(dashboard):
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    async with httpx.AsyncClient(base_url=server.url, cookies=dashboard.cookie(CENTRE)) as client:
        assert (await client.get("/api/health")).json()["status"] == "ok"
        async with client.stream("GET", "/api/live") as response:
            lines = response.aiter_lines()
            while "snapshot" not in await anext(lines):
                pass
            running.cancel()
            # Two seconds are promised for the whole process.
            async with asyncio.timeout(2):
                await asyncio.gather(running, return_exceptions=True)
            rest = [line async for line in lines]
    assert 'data: {"reason":"shutdown"}' in rest
    assert running.cancelled()


async def test_the_port_is_free_again_after_it_stopped(dashboard):
    first = DashboardServer(dashboard.app)
    running = asyncio.create_task(first.run())
    await first.started.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    second = DashboardServer(dashboard.app, port=first.port)
    assert second.bind() == first.port
    second._socket.close()


async def test_the_processs_signal_handlers_are_left_alone(dashboard):
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    assert {each: signal.getsignal(each) for each in handlers} == handlers
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
