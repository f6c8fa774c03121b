"""The league and the ledger over HTTP."""

from __future__ import annotations

import io
import zipfile

import pytest

from dispatch.accounts import audit_entries
from dispatch.indicator_lives import INDICATORS
from dispatch.testing import CENTRE, EAST_CAMERA, SUN, ZHAO, observation, see
from models.geometry import Box


@pytest.fixture
async def week(dashboard):
    """Five incidents in the west, one in the east, all overdue."""
    now = dashboard.clock.now()
    for number in range(5):
        see(
            dashboard.parts.store,
            observation(now, box=Box(0.1 * number, 0.1, 0.1 * number + 0.05, 0.2), subcategory="A1"),
        )
    see(dashboard.parts.store, observation(now, camera=EAST_CAMERA, subcategory="A1"))
    dashboard.clock.advance(hours=3)


@pytest.mark.usefixtures("week")
class TestLeague:
    async def test_units_are_named_ranked_and_flagged(self, browser):
        answer = (await browser(CENTRE).get("/api/assessment/league")).json()
        rows = {row["key"]: row for row in answer["rows"]}
        assert (rows["west"]["zh"], rows["west"]["rank"], rows["west"]["flags"]) == ("西网格", 1, 5)
        assert (rows["east"]["rank"], rows["east"]["flags"]) == (None, 1)
        shares = {one["name"]: one for one in rows["west"]["ratios"]}
        assert (shares["handled"]["numerator"], shares["handled"]["denominator"]) == (0, 5)
        assert shares["rework"]["value"] is None
        assert answer["first"] == "2026-11-23"

    async def test_every_formula_names_lists_that_can_be_opened(self, browser):
        formulas = (await browser(CENTRE).get("/api/assessment/league?kind=quarter")).json()["formulas"]
        assert {formula[side] for formula in formulas for side in ("of", "among")} <= set(INDICATORS)
        assert sum(formula["weight"] for formula in formulas) == 100

    @pytest.mark.parametrize("by", ["cell", "person", "department"])
    async def test_a_black_flag_opens_exactly_the_incidents_it_stands_for(self, browser, by):
        client = browser(CENTRE)
        for row in (await client.get(f"/api/assessment/league?by={by}")).json()["rows"]:
            flagged = await client.get("/api/assessment/flagged", params={"by": by, "key": row["key"]})
            assert len(flagged.json()["incidents"]) == row["flags"]

    async def test_a_leader_sees_the_own_cells_only(self, browser):
        rows = (await browser(ZHAO).get("/api/assessment/league")).json()["rows"]
        assert [row["key"] for row in rows] == ["west"]
        other = await browser(ZHAO).get("/api/assessment/flagged", params={"by": "person", "key": SUN})
        assert other.json()["incidents"] == []

    @pytest.mark.parametrize("day", ["1999-12-31", "2093-01-01"])
    async def test_a_day_without_records_is_refused(self, browser, day):
        assert (await browser(CENTRE).get(f"/api/assessment/league?day={day}")).status_code == 422


@pytest.mark.usefixtures("week")
class TestLedger:
    async def test_it_comes_as_csv_and_as_a_workbook_and_is_audited(self, browser, dashboard):
        client = browser(CENTRE)
        text = (await client.get("/api/assessment/ledger.csv")).content.decode("utf-8-sig")
        assert text.startswith("案卷号,")
        assert len(text.splitlines()) == 7
        book = await client.get("/api/assessment/ledger.xlsx")
        assert "ledger-2026-11-" in book.headers["content-disposition"]
        assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(book.content)).namelist()
        with dashboard.parts.store.reading() as session:
            actions = [entry.action for entry in audit_entries(session, person_id=CENTRE)]
        assert actions.count("ledger_exported") == 2

    async def test_a_leaders_ledger_holds_the_own_cells_only(self, browser):
        text = (await browser(ZHAO).get("/api/assessment/ledger.csv")).text
        assert "西网格" in text
        assert "东网格" not in text
