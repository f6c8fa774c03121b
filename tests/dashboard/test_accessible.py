"""Every page, by axe-core in Chromium: no serious fault for those who read with a keyboard or a screen reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from dashboard.server import DashboardServer
from dashboard.testing import ADMINISTRATOR, SmallDashboard, small_dashboard
from dispatch.testing import CENTRE, WANG, observation, see
from models.testing import FakeClock
from tests.dashboard.browsing import DESK, PHONE, page_of

WEB = Path(__file__).resolve().parents[2] / "dashboard" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"

GRAVE = {"serious", "critical"}
"""axe's own grades; what is moderate or minor is advice."""

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[SmallDashboard, str]]:
    """Three open incidents."""
    if not (WEB / "dist" / "index.html").exists() or not AXE.exists():
        pytest.skip("the pages or axe-core are not there: scripts/setup")
    (tmp_path / "dist").symlink_to(WEB / "dist", target_is_directory=True)
    dashboard = small_dashboard(tmp_path, clock=FakeClock(), heartbeat_s=0.5)
    for kind in ("A1", "B1", "F1"):
        see(dashboard.parts.store, observation(dashboard.clock.now(), subcategory=kind))
    server = DashboardServer(dashboard.app)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield dashboard, server.url
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    dashboard.parts.store.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("path", "person", "shows"),
    [
        ("/", CENTRE, "main, .map, [data-testid]"),
        ("/incidents", CENTRE, "tbody tr"),
        ("/analysis", ADMINISTRATOR, "main"),
        ("/assessment", ADMINISTRATOR, "main"),
        ("/coverage", ADMINISTRATOR, "tbody tr"),
        ("/settings?part=calendar", ADMINISTRATOR, "form"),
        ("/settings?part=access", ADMINISTRATOR, "tbody tr"),
        ("/settings?part=audit", ADMINISTRATOR, "main select"),
        ("/worker", WANG, "[data-testid]"),
    ],
)
async def test_a_page_has_no_serious_fault(
    served: tuple[SmallDashboard, str], chromium: Browser, path: str, person: str, shows: str, size: tuple[int, int]
) -> None:
    page = await page_of(chromium, served, path, person=person, size=size)
    await expect(page.locator(shows).first).to_be_visible()
    await page.wait_for_timeout(500)  # charts and the map have no word for "drawn"
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("rules => axe.run(document, rules)", RULES)
    grave = [
        f"{one['id']}: {one['help']}\n" + "\n".join(f"  {node['html'][:200]}" for node in one["nodes"][:5])
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]
    assert not grave, "\n".join(grave)
