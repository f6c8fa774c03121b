"""The settings page in Chromium: a message tried again, a lost phone cut off, a holiday declared, the trail read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from dashboard.server import DashboardServer
from dashboard.testing import ADMINISTRATOR, SmallDashboard, small_dashboard
from dispatch import accounts
from dispatch.inbox import Inbox
from dispatch.mqtt import Incoming
from dispatch.testing import WANG, observation, see
from models.testing import FakeClock
from tests.dashboard.browsing import PHONE, page_of

DIST = Path(__file__).resolve().parents[2] / "dashboard" / "web" / "dist"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[SmallDashboard, str]]:
    """Two messages kept aside, one open incident, 130 lines of audit."""
    if not (DIST / "index.html").exists():
        pytest.skip("the pages are not built: scripts/setup")
    (tmp_path / "dist").symlink_to(DIST, target_is_directory=True)
    dashboard = small_dashboard(tmp_path, clock=FakeClock(), heartbeat_s=0.5)
    store, now = dashboard.parts.store, dashboard.clock.now()
    inbox = Inbox(store)
    inbox.take([Incoming("gw/v1/observations/node-1", '{"camera": "西门'.encode(), lambda: None)])
    inbox.take([Incoming("gw/v1/workers/wang/replies", b"[]", lambda: None)])
    see(store, observation(now))
    with store.transaction() as session:
        for number in range(130):
            accounts.audit(session, person_id=WANG, action="view_picture", subject=f"{number:064x}", at=now)
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield dashboard, server.url
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    store.close()


async def shoot(page: Page, name: str) -> None:
    """GRIDWARDEN_SHOTS=DIR keeps a picture of each step, to be looked at."""
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        await page.screenshot(path=Path(folder) / f"settings-{name}.png")


async def test_a_message_kept_aside_says_why_and_is_discarded(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, "/settings")
    line = page.get_by_test_id("message-1")
    await expect(line).to_contain_text("gw/v1/observations/node-1")
    await line.get_by_test_id("redrive").click()
    await expect(line.get_by_role("alert")).to_contain_text("仍然无法处理")
    await shoot(page, "quarantine")
    await line.get_by_test_id("discard").click()
    await expect(line).to_contain_text("已丢弃 · 指挥中心")
    await expect(page.get_by_test_id("message-2").get_by_test_id("redrive")).to_be_visible()


async def test_an_operator_is_shown_no_access_and_no_audit_trail(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, "/settings?part=audit")
    await expect(page.get_by_test_id("part-calendar")).to_be_visible()
    await expect(page.get_by_test_id("part-audit")).to_have_count(0)
    await expect(page.get_by_test_id("quarantine")).to_be_visible()
    await page.get_by_test_id("part-calendar").click()
    await expect(page.get_by_test_id("calendar-form")).to_have_count(0)


async def test_a_holiday_is_declared_and_taken_back(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served, "/settings?part=calendar", person=ADMINISTRATOR)
    await page.get_by_test_id("calendar-day").fill("2026-12-24")
    await page.get_by_test_id("calendar-note").fill("台风停工")
    await page.get_by_test_id("calendar-add").click()
    await expect(page.get_by_test_id("calendar")).to_contain_text("2026年12月24日周四")
    await expect(page.get_by_test_id("calendar")).to_contain_text("放假 · 原来：上班")
    await expect(page.get_by_test_id("calendar-told")).to_have_text("已保存，0 件案卷的时限已重算。")
    await shoot(page, "calendar")
    await page.get_by_test_id("calendar-remove").click()
    await expect(page.get_by_text("没有另行规定的日期。")).to_be_visible()


async def test_a_phone_is_renewed_at_once_and_revoked_after_a_second_press(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, "/settings?part=access", person=ADMINISTRATOR)
    line = page.get_by_test_id(f"access-worker:{WANG}")
    await line.get_by_test_id("access-renew").click()
    await expect(page.get_by_test_id("access-told")).to_have_text("王伟：旧手机已断开，请本人重新登录。")
    await line.get_by_test_id("access-revoke").click()
    await expect(line.get_by_role("alert")).to_contain_text("确定停用 王伟？")
    await line.get_by_test_id("access-sure").click()
    await expect(line).to_contain_text("已停用")
    await shoot(page, "access")
    await line.get_by_role("button", name="恢复").click()
    await expect(line).not_to_contain_text("已停用")


async def test_the_trail_is_read_back_and_narrowed(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served, "/settings?part=audit", person=ADMINISTRATOR, language="en")
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(100)
    await page.get_by_test_id("audit-more").click()
    await expect(lines).to_have_count(130)
    await shoot(page, "audit-en")
    await page.get_by_test_id("audit-kind").select_option("sign_in_refused")
    await expect(page.get_by_text("Nothing fits.")).to_be_visible()


@pytest.mark.parametrize("part", ["quarantine", "calendar", "access", "audit"])
async def test_it_fits_a_phone(served: tuple[SmallDashboard, str], chromium: Browser, part: str) -> None:
    page = await page_of(chromium, served, f"/settings?part={part}", person=ADMINISTRATOR, size=PHONE)
    await expect(page.locator("table, .empty").first).to_be_visible()
    await shoot(page, f"phone-{part}")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


async def test_who_may_not_is_taken_to_their_own_page(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served, "/settings", person=WANG)
    await expect(page).to_have_url(f"{served[1]}/worker")
