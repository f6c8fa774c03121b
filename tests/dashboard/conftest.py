"""A small dashboard, browsers signed in as anyone, and one really served on loopback."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import async_playwright

from dashboard.server import DashboardServer
from dashboard.testing import DATABASE, SmallDashboard, small_dashboard

FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic"]

Browser = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database each test begins with; made once, because migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("district")
    small_dashboard(folder).parts.store.close()
    return folder / DATABASE


@pytest.fixture
def dashboard(tmp_path: Path, district: Path) -> Iterator[SmallDashboard]:
    shutil.copy(district, tmp_path / DATABASE)
    made = small_dashboard(tmp_path, heartbeat_s=0.2, mqtt_ws_url="ws://{host}:9001/mqtt")
    yield made
    made.parts.store.close()


@pytest.fixture
async def browser(dashboard: SmallDashboard) -> AsyncIterator[Browser]:
    """`browser(person)`: signed in; `browser(None)`: nobody. In the same process, without a socket."""
    opened: list[httpx.AsyncClient] = []

    def open_(person_id: str | None) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(dashboard.app, raise_app_exceptions=False),
            base_url="http://gridwarden.test",
            headers={"X-Gridwarden": "1"},
            cookies=dashboard.cookie(person_id) if person_id else None,
        )
        opened.append(client)
        return client

    yield open_
    for client in opened:
        await client.aclose()


@pytest.fixture
async def server(dashboard: SmallDashboard) -> AsyncIterator[DashboardServer]:
    """The dashboard under uvicorn on an ephemeral port."""
    made = DashboardServer(dashboard.app)
    running = asyncio.create_task(made.run())
    await made.started.wait()
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("GRIDWARDEN_NO_SKIP"):
            pytest.fail("no Chromium here")
        pytest.skip("no Chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()
