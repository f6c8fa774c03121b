"""A find held for an operator's word, on the real pages in Chromium: confirmed, it becomes somebody's work."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from dashboard.server import DashboardServer
from dashboard.sessions import COOKIE
from dashboard.testing import SmallDashboard, small_dashboard
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, WANG, observation, see
from models.clock import SystemClock
from models.geometry import Box
from models.places import CameraCondition, CameraState, Flaw

DIST = Path(__file__).resolve().parents[2] / "dashboard" / "web" / "dist"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic"]
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[SmallDashboard, str]]:
    """A district with one find held, one assigned, and a covered camera; its pages as built."""
    if not (DIST / "index.html").exists():
        pytest.skip("the pages are not built: scripts/setup")
    (tmp_path / "dist").symlink_to(DIST, target_is_directory=True)
    dashboard = small_dashboard(tmp_path, clock=SystemClock(), heartbeat_s=0.5)
    now = dashboard.clock.now()
    fine = CameraState(CAMERA, CameraCondition.ONLINE, now, last_look_at=now, next_look_at=now, looks=8)
    dashboard.states.extend([fine, replace(fine, camera_id=EAST_CAMERA, flaws=(Flaw.COVERED,))])
    picture = dashboard.parts.pictures.put(_street())
    held = replace(observation(now, picture=picture, box=Box(0.3, 0.5, 0.5, 0.8)), assist=True)
    see(dashboard.parts.store, held)
    see(dashboard.parts.store, observation(now, subcategory="F1", picture=picture, camera=EAST_CAMERA))
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield dashboard, server.url
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    dashboard.parts.store.close()


def _street() -> bytes:
    """A grey street with a heap on it: enough to see whether a picture sits right on the page."""
    image = np.full((360, 640, 3), 120, np.uint8)
    image[220:] = (90, 95, 100)
    cv2.ellipse(image, (256, 240), (60, 45), 0, 0, 360, (40, 70, 110), -1)
    return bytes(cv2.imencode(".jpg", image)[1])


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("GRIDWARDEN_NO_SKIP"):
            pytest.fail("no Chromium here")
        pytest.skip("no Chromium here")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


async def page_of(browser: Browser, dashboard: SmallDashboard, url: str, person: str, size: dict[str, int]) -> Page:
    context = await browser.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai")  # type: ignore[arg-type]
    await context.add_cookies([{"name": COOKIE, "value": dashboard.cookie(person)[COOKIE], "url": url}])
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
    await page.goto(url)
    return page


async def test_a_held_find_is_nobodys_work_until_an_operator_confirms_it(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    dashboard, url = served
    wall = await page_of(chromium, dashboard, url, CENTRE, DESK)
    held = wall.get_by_test_id("suspect-1")
    await expect(held).to_contain_text("3 袋垃圾")
    await expect(held.locator("img")).to_be_visible()
    await expect(wall.get_by_test_id("incident-1")).to_have_count(0)
    await expect(wall.get_by_test_id("health")).to_contain_text("1 个摄像头画面有问题")
    await shoot(wall, "desk")
    hand = await page_of(chromium, dashboard, url, CENTRE, PHONE)
    await expect(hand.get_by_test_id("suspect-1")).to_be_visible()
    await shoot(hand, "phone")

    worker = await page_of(chromium, dashboard, url, WANG, PHONE)
    await expect(worker.get_by_test_id("no-tasks")).to_contain_text("没有任务")

    await held.get_by_test_id("step-confirm").click()
    await expect(wall.get_by_test_id("incident-1")).to_have_attribute("data-state", "assigned")
    await expect(held).to_have_count(0)
    await worker.reload()
    await expect(worker.get_by_test_id("task-1")).to_be_visible()


async def test_a_held_find_is_rejected_as_a_false_alarm(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    dashboard, url = served
    wall = await page_of(chromium, dashboard, url, CENTRE, DESK)
    held = wall.get_by_test_id("suspect-1")
    await held.get_by_text("误报", exact=True).click()
    await held.get_by_test_id("form-submit").click()
    await expect(held).to_have_count(0)
    await expect(wall.get_by_test_id("incident-1")).to_have_count(0)


async def shoot(page: Page, name: str) -> None:
    """For eyes: GRIDWARDEN_SHOTS names a folder to keep the pages' pictures in."""
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        await page.wait_for_timeout(1500)
        await page.screenshot(path=Path(folder) / f"suspected-{name}.png")
