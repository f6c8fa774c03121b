"""A page of the dashboard in Chromium, signed in as somebody, failing the test when a script on it fails."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from dashboard.sessions import COOKIE
from dashboard.testing import SmallDashboard
from dispatch.testing import CENTRE

DESK, PHONE = (1920, 1080), (390, 844)


async def page_of(
    browser: Browser, served: tuple[SmallDashboard, str], path: str = "/incidents", *, person: str = CENTRE,
    size: tuple[int, int] = DESK, language: str = "zh-CN",
) -> Page:  # fmt: skip
    dashboard, url = served
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale=language, timezone_id="Asia/Shanghai"
    )
    await context.add_init_script(f"localStorage.setItem('gw.language', '{language}')")
    await context.add_cookies([{"name": COOKIE, "value": dashboard.cookie(person)[COOKIE], "url": url}])
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
    await page.goto(f"{url}{path}")
    return page
