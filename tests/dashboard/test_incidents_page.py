"""The incidents page in Chromium: narrowed, sent on as an address, several handled at once, an original looked at."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect

from dashboard.server import DashboardServer
from dashboard.testing import ADMINISTRATOR, ANALYST, SmallDashboard, small_dashboard
from dispatch import accounts, queries
from dispatch.steps import take_step
from dispatch.testing import EAST_CAMERA, PHOTO, WANG, observation, see, worker
from ingest.originals import Originals
from models.geometry import Box
from models.lifecycle import Step
from models.testing import FakeClock
from tests.dashboard.browsing import PHONE, page_of

DIST = Path(__file__).resolve().parents[2] / "dashboard" / "web" / "dist"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[SmallDashboard, str]]:
    """60 in the east, all overdue; in the west one resolved (#61) and four new (#62 to #65)."""
    if not (DIST / "index.html").exists():
        pytest.skip("the pages are not built: scripts/setup")
    (tmp_path / "dist").symlink_to(DIST, target_is_directory=True)
    clock = FakeClock()
    dashboard = small_dashboard(tmp_path, clock=clock, heartbeat_s=0.5)
    parts = dashboard.parts
    parts.pictures.originals = Originals(tmp_path / "originals", tmp_path / "keys.json")
    picture = parts.pictures.put(_street(blurred=True))
    parts.pictures.originals.put(picture, _street(blurred=False))
    kinds = ("A1", "B1", "B2", "F1", "H1")
    for number in range(60):
        column, row = number // 5 % 12, number % 5
        box = Box(0.08 * column, 0.18 * row, 0.08 * column + 0.05, 0.18 * row + 0.1)
        see(parts.store, observation(clock.now(), box=box, subcategory=kinds[row], camera=EAST_CAMERA, picture=picture))
        clock.advance(seconds=30)
    clock.advance(hours=26)
    for number in range(5):
        box = Box(0.15 * number, 0.1, 0.15 * number + 0.1, 0.3)
        see(parts.store, observation(clock.now(), box=box, subcategory="B1", picture=picture))
    with parts.store.transaction() as session:
        done = queries.incident_by_number(session, 61)
        assert done
        take_step(
            session, incident_id=done.incident_id, step=Step.RESOLVE, actor=worker(WANG), now=clock.now(),
            data={"photo": PHOTO},
        )  # fmt: skip
    clock.advance(minutes=20)
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield dashboard, server.url
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    parts.store.close()


def _street(*, blurred: bool) -> bytes:
    """A grey street with a number plate that can, or cannot, be read."""
    image = np.full((360, 640, 3), 120, np.uint8)
    image[220:] = (90, 95, 100)
    cv2.rectangle(image, (260, 230), (420, 280), (160, 90, 20), -1)
    cv2.putText(image, "A 12345", (270, 265), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    if blurred:
        image[225:285, 255:425] = cv2.blur(image[225:285, 255:425], (41, 41))
    return bytes(cv2.imencode(".jpg", image)[1])


async def test_what_is_looked_for_is_in_the_address(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served)
    lines = page.locator("tbody tr")
    await expect(lines.first).to_contain_text("#65")
    await shoot(page, "desk")
    await page.get_by_test_id("filter-cell").select_option("west")
    await expect(lines).to_have_count(5)
    await page.get_by_test_id("filter-state").select_option("verifying")
    await expect(lines).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"\?state=verifying&cell=west$"))
    await page.go_back()
    await expect(lines).to_have_count(5)
    await expect(page.get_by_test_id("filter-state")).to_have_value("open")
    await page.get_by_test_id("filter-clear").click()
    await page.get_by_test_id("filter-overdue").check()
    await page.get_by_test_id("filter-category").select_option("H")
    await expect(lines).to_have_count(12)
    await page.get_by_test_id("filter-q").fill("#3")
    await expect(page.get_by_test_id("incidents-empty")).to_be_visible()
    await shoot(page, "empty")
    await page.get_by_test_id("look-in-all").click()
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text("#3")
    other = await page_of(chromium, served, "/incidents?cell=west&q=" + "王伟", language="en")
    await expect(other.locator("tbody tr")).to_have_count(5)
    await expect(other.get_by_test_id("filter-q")).to_have_value("王伟")
    await shoot(other, "desk-en")


async def test_older_ones_come_as_one_scrolls_and_a_line_opens_its_incident(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served)
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(50)
    await page.mouse.move(600, 600)
    await page.mouse.wheel(0, 20_000)
    await expect(lines).to_have_count(65)
    await expect(page.get_by_text("共 65 件")).to_be_visible()
    await lines.nth(64).click()
    await expect(page.get_by_test_id("incident-detail")).to_be_visible()
    await expect(page).to_have_url(re.compile("incident="))
    await shoot(page, "sheet")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("sheet")).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_test_id("incident-detail")).to_be_visible()
    await page.get_by_role("button", name="东门", exact=True).click()
    await expect(page.get_by_test_id("sheet")).to_have_count(0)
    await expect(page.get_by_test_id("filter-q")).to_have_value("东门")


async def test_a_filter_is_kept_by_name_and_its_deletion_undone(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, "/incidents?overdue=1&cell=east")
    await page.get_by_test_id("filter-save").click()
    await page.get_by_test_id("filter-name").fill("东网格超期")
    await page.keyboard.press("Enter")
    await page.get_by_test_id("filter-clear").click()
    await page.reload()
    await page.get_by_role("link", name="东网格超期").click()
    await expect(page.get_by_test_id("filter-overdue")).to_be_checked()
    await expect(page).to_have_url(re.compile(r"\?cell=east&overdue=1$"))
    await page.get_by_role("button", name="删除常用筛选“东网格超期”").click()
    await expect(page.get_by_role("link", name="东网格超期")).to_have_count(0)
    await page.get_by_test_id("filter-undo").click()
    await expect(page.get_by_role("link", name="东网格超期")).to_be_visible()


async def test_several_are_handled_at_once_and_each_says_what_came_of_it(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    """#60 is overdue, so it can not be extended; #62 and #63 can."""
    page = await page_of(chromium, served)
    keys: list[str] = []
    page.on("request", lambda request: keys.append(request.post_data_json["key"]) if request.method == "POST" else None)
    for number in (63, 62, 60):
        await page.get_by_test_id(f"tick-{number}").check()
    await expect(page.get_by_test_id("bulk-count")).to_have_text("已选 3 件")
    await page.get_by_test_id("bulk-extend").click()
    await page.get_by_test_id("form-reason").fill("连续下雨")
    await shoot(page, "bulk")
    await page.get_by_test_id("form-submit").click()
    await expect(page.get_by_test_id("bulk-summary")).to_have_text("延期：已办 2/3 件、1 件被拒绝")
    result = page.get_by_test_id("bulk-result")
    await expect(result.locator("li").first).to_contain_text("#60")
    await expect(result.locator("[data-state=refused]")).to_contain_text("已经超期，不能再延期或挂账。")
    await shoot(page, "bulk-result")
    assert len(keys) == len(set(keys)) == 3
    await page.get_by_test_id("bulk-close").click()
    await expect(page.get_by_test_id("bulk-count")).to_have_text("已选 1 件")


async def test_a_range_is_ticked_with_shift_and_closed_as_false_alarms(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    page = await page_of(chromium, served, "/incidents?cell=west")
    await page.get_by_test_id("tick-all").check()
    await expect(page.get_by_test_id("bulk-count")).to_have_text("已选 5 件")
    await expect(page.get_by_test_id("bulk-nothing_here")).to_have_count(0)
    await page.get_by_test_id("tick-all").uncheck()
    await expect(page.get_by_test_id("bulk")).to_have_count(0)
    await page.get_by_test_id("tick-65").click()
    await page.get_by_test_id("tick-62").click(modifiers=["Shift"])
    await expect(page.get_by_test_id("bulk-count")).to_have_text("已选 4 件")
    await page.get_by_test_id("bulk-nothing_here").click()
    await page.get_by_test_id("form-submit").click()
    await expect(page.get_by_test_id("bulk-summary")).to_have_text("误报：已办 4/4 件")
    await expect(page.get_by_test_id("line-63").get_by_test_id("line-state")).to_have_text("误报")
    await page.get_by_test_id("bulk-close").click()
    await expect(page.get_by_test_id("bulk")).to_have_count(0)
    await page.get_by_test_id("reload").click()
    await expect(page.locator("tbody tr")).to_have_count(1)


async def test_who_only_reads_ticks_nothing(served: tuple[SmallDashboard, str], chromium: Browser) -> None:
    page = await page_of(chromium, served, person=ANALYST)
    await expect(page.locator("tbody tr").first).to_be_visible()
    await expect(page.get_by_test_id("tick-all")).to_have_count(0)


async def test_an_administrator_says_why_and_sees_the_original(
    served: tuple[SmallDashboard, str], chromium: Browser
) -> None:
    dashboard, _ = served
    page = await page_of(chromium, served, person=ADMINISTRATOR)
    await page.get_by_role("button", name="打开 #65").click()
    await page.get_by_test_id("original").first.click()
    await page.get_by_test_id("original-go").click()
    await expect(page.get_by_text("请写明理由，至少 4 个字。")).to_be_visible()
    await page.get_by_test_id("original-reason").fill("核对车牌，派出所来函")
    await page.get_by_test_id("original-go").click()
    await expect(page.get_by_test_id("original-picture")).to_be_visible()
    await shoot(page, "original")
    with dashboard.parts.store.reading() as session:
        entries = [entry for entry in accounts.audit_entries(session) if entry.action == "view_original"]
    assert [entry.person_id for entry in entries] == [ADMINISTRATOR]
    assert "派出所来函" in entries[0].subject
    operator = await page_of(chromium, served)
    await operator.get_by_role("button", name="打开 #65").click()
    await expect(operator.get_by_test_id("incident-detail")).to_be_visible()
    await expect(operator.get_by_test_id("original")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_it_is_usable_on_a_phone(served: tuple[SmallDashboard, str], chromium: Browser, language: str) -> None:
    page = await page_of(chromium, served, size=PHONE, language=language)
    await expect(page.locator("tbody tr").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await shoot(page, f"phone-{language}")
    await expect(page.get_by_test_id("filter-state")).to_be_hidden()
    await page.get_by_test_id("filter-unfold").click()
    await page.get_by_test_id("filter-cell").select_option("west")
    await expect(page.locator("tbody tr")).to_have_count(5)
    await shoot(page, f"phone-filters-{language}")
    await page.get_by_test_id("filter-unfold").click()
    await page.get_by_test_id("tick-65").check()
    await page.get_by_test_id("tick-64").check()
    await page.get_by_test_id("bulk-assign").click()
    await shoot(page, f"phone-bulk-{language}")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def shoot(page: Page, name: str) -> None:
    """For eyes: GRIDWARDEN_SHOTS names a folder to keep the pages' pictures in."""
    if folder := os.environ.get("GRIDWARDEN_SHOTS"):
        await page.wait_for_timeout(800)
        await page.screenshot(path=Path(folder) / f"incidents-{name}.png")
