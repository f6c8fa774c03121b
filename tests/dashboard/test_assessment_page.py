"""The assessment page in Chromium: the league, a black flag opened, the ledger taken away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from dashboard.server import DashboardServer
from dashboard.sessions import COOKIE
from dashboard.testing import SmallDashboard, small_dashboard
from dispatch.queries import list_incidents
from dispatch.steps import take_step
from dispatch.testing import CENTRE, EAST_CAMERA, PHOTO, WANG, observation, see, worker
from models.geometry import Box
from models.lifecycle import Step
from models.testing import FakeClock

DIST = Path(__file__).resolve().parents[2] / "dashboard" / "web" / "dist"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[SmallDashboard, str]]:
    """Six incidents in the west, five of them done in time; six in the east, all overdue."""
    if not (DIST / "index.html").exists():
        pytest.skip("the pages are not built: scripts/setup")
    (tmp_path / "dist").symlink_to(DIST, target_is_directory=True)
    clock = FakeClock()
    dashboard = small_dashboard(tmp_path, clock=clock, heartbeat_s=0.5)
    store = dashboard.parts.store
    for number in range(6):
        box = Box(0.1 * number, 0.1, 0.1 * number + 0.05, 0.2)
        see(store, observation(clock.now(), box=box, subcategory="A1"))
        see(store, observation(clock.now(), box=box, subcategory="A1", camera=EAST_CAMERA))
    with store.transaction() as session:
        west = [one for one in list_incidents(session) if one.camera_id != EAST_CAMERA]
        for incident in west[:5]:
            take_step(
                session, incident_id=incident.incident_id, step=Step.RESOLVE, actor=worker(WANG), now=clock.now(),
                data={"photo": PHOTO},
            )  # fmt: skip
    clock.advance(hours=3)
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield dashboard, server.url
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    store.close()


async def page_of(browser: Browser, served: tuple[SmallDashboard, str], *, width: int, locale: str) -> Page:
    dashboard, url = served
    context = await browser.new_context(
        viewport={"width": width, "height": 1080}, locale=locale, timezone_id="Asia/Shanghai"
    )
    await context.add_cookies([{"name": COOKIE, "value": dashboard.cookie(CENTRE)[COOKIE], "url": url}])
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
    await page.goto(f"{url}/assessment")
    return page


async def test_the_league_ranks_flags_and_opens_what_is_behind(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, width=1920, locale="zh-CN")
    rows = page.get_by_test_id("league").locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text("西网格")
    await expect(rows.nth(1)).to_contain_text("6 件")
    await shoot(page, "desk")
    await rows.nth(1).get_by_text("6 件").click()
    await expect(page.get_by_role("heading", name="东网格 · 黑旗")).to_be_visible()
    await shoot(page, "flags")
    await page.keyboard.press("Escape")
    await page.get_by_text("人员", exact=True).click()
    await expect(rows.nth(0)).to_contain_text("王伟")
    async with page.expect_download() as download:
        await page.get_by_test_id("xlsx").click()
    assert (await download.value).suggested_filename.endswith(".xlsx")
    await page.get_by_test_id("earlier").click()
    await expect(page.get_by_text("这一期没有案卷")).to_be_visible()


async def test_it_is_readable_on_a_phone(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served, width=390, locale="zh-CN")
    await expect(page.get_by_test_id("league")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await shoot(page, "phone")


async def shoot(page: Page, name: str) -> None:
    """For eyes: GRIDWARDEN_SHOTS names a folder to keep the pages' pictures in."""
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        await page.wait_for_timeout(800)
        await page.screenshot(path=Path(folder) / f"assessment-{name}.png")
