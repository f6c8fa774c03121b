"""From a real picture to a closed incident, in Chromium, through every part as shipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.whole.conftest import Camera, RunningBox, until

FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


async def page_of(browser: Browser, box: RunningBox, role: str, size: dict[str, int]) -> Page:
    """Signed in as this role; a page that asks anything of another host fails the test."""
    context = await browser.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    host = box.url.removeprefix("http://").partition(":")[0]
    page.on("request", lambda request: None if _stays(request.url, host) else pytest.fail(f"asked for {request.url}"))
    await page.goto(f"{box.url}/sign-in")
    username, password = box.sign_ins[role]
    await page.get_by_test_id("username").fill(username)
    await page.get_by_test_id("password").fill(password)
    await page.get_by_test_id("sign-in").click()
    await page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def _stays(url: str, host: str) -> bool:
    return url.startswith(("blob:", "data:", f"http://{host}:", f"ws://{host}:"))


async def test_an_incident_is_found_handled_checked_and_closed(
    browser: Browser, box: RunningBox, camera: Camera, street: dict[str, bytes], tmp_path: Path
) -> None:
    photo = tmp_path / "done.jpg"
    photo.write_bytes(street["empty"])
    wall = await page_of(browser, box, "operator", DESK)
    phone = await page_of(browser, box, "worker", PHONE)

    row = wall.get_by_test_id("incident-1")
    await expect(row).to_be_visible(timeout=PATIENCE_MS)
    await expect(row).to_contain_text("机动车违停")
    task = phone.locator("article[data-testid=task-1]")
    await expect(task).to_be_visible(timeout=PATIENCE_MS)

    await phone.get_by_test_id("step-accept").click()
    await expect(row).to_have_attribute("data-state", "accepted", timeout=PATIENCE_MS)

    await hand_in(phone, photo)
    await expect(task).to_have_attribute("data-state", "rework", timeout=PATIENCE_MS)

    camera.picture = street["empty"]
    await hand_in(phone, photo)
    async with box.signed_in("operator") as client:
        number_one = await until(client, "/api/incidents?limit=10", lambda answer: _state(answer) == "closed")
    assert number_one

    analyst = await page_of(browser, box, "analyst", DESK)
    await expect(analyst.get_by_text("结案", exact=True).first).to_be_visible()
    async with box.signed_in("analyst") as client:
        funnel = (await client.get("/api/indicators/funnel")).json()["funnel"]
    assert (funnel["opened"], funnel["closed"], funnel["rejected"]) == (1, 1, 0)


async def hand_in(phone: Page, photo: Path) -> None:
    await phone.get_by_test_id("step-resolve").click()
    await phone.get_by_test_id("photo-input").set_input_files(photo)
    await phone.get_by_test_id("photo-done").click()


def _state(answer: dict[str, list[dict[str, object]]]) -> object:
    return next((one["state"] for one in answer["incidents"] if one["number"] == 1), None)
