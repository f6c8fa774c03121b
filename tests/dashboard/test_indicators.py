"""Figures, and the incidents behind them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dashboard.parts import Parts
from dashboard.routes.indicators import IndicatorName
from dispatch.indicator_lives import INDICATORS
from dispatch.testing import CENTRE, EAST_CAMERA, WANG, observation, see
from models.taxonomy import SeenBy
from models.text import Text


@pytest.fixture
async def week(browser, dashboard):
    """Three incidents: one nothing, one accepted, one untouched in the east."""
    now = dashboard.clock.now()
    see(dashboard.parts.store, observation(now))
    see(dashboard.parts.store, observation(now, subcategory="B2"))
    see(dashboard.parts.store, observation(now, camera=EAST_CAMERA))
    client = browser(WANG)
    first, second = (await client.get("/api/tasks")).json()["tasks"]
    for incident, step in ((first, "nothing_here"), (second, "accept")):
        await client.post(f"/api/incidents/{incident['incident_id']}/steps", json={"step": step, "key": step})
    dashboard.clock.advance(hours=1)


def test_every_figure_can_be_asked_for_by_name():
    assert set(IndicatorName.__args__) == set(INDICATORS)


@pytest.mark.usefixtures("week")
class TestFigures:
    async def test_the_funnel_counts_how_far_incidents_came(self, browser):
        funnel = (await browser(CENTRE).get("/api/indicators/funnel")).json()["funnel"]
        assert (funnel["opened"], funnel["accepted"], funnel["rejected"]) == (3, 1, 1)
        east = (await browser(CENTRE).get("/api/indicators/funnel?cell=east")).json()["funnel"]
        assert (east["opened"], east["accepted"]) == (1, 0)

    async def test_ratios_show_what_they_are_made_of_and_an_empty_one_has_no_value(self, browser):
        rows = {row["key"]: row for row in (await browser(CENTRE).get("/api/indicators/by-cell")).json()["rows"]}
        assert rows["west"]["zh"] == "西网格"
        assert rows["west"]["false_alarms"] == {"numerator": 1, "denominator": 2, "value": 0.5}
        assert rows["east"]["on_time"] == {"numerator": 0, "denominator": 0, "value": None}
        assert rows["east"]["mean_to_accept_s"] is None
        assert rows["west"]["mean_to_accept_s"] == 0.0

    async def test_people_and_subcategories_are_named(self, browser):
        people = (await browser(CENTRE).get("/api/indicators/by-person")).json()["rows"]
        assert {row["zh"] for row in people} == {"王伟", "孙洋"}
        kinds = (await browser(CENTRE).get("/api/indicators/by-subcategory")).json()["rows"]
        assert {row["key"] for row in kinds} == {"B1", "B2"}

    @pytest.mark.parametrize("indicator", ["opened", "accepted", "rejected"])
    async def test_a_number_opens_exactly_the_incidents_it_counts(self, browser, indicator):
        client = browser(CENTRE)
        counted = (await client.get("/api/indicators/funnel")).json()["funnel"][indicator]
        behind = (await client.get("/api/indicators/incidents", params={"indicator": indicator})).json()
        assert len(behind["incidents"]) == counted
        assert behind["next_before"] is None

    async def test_the_list_behind_a_number_can_be_narrowed(self, browser):
        asked = {"indicator": "opened", "person": WANG, "subcategory": "B2"}
        behind = (await browser(CENTRE).get("/api/indicators/incidents", params=asked)).json()
        assert [each["number"] for each in behind["incidents"]] == [2]

    async def test_a_period_without_incidents_is_empty_not_wrong(self, browser):
        period = {"since": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00+08:00"}
        assert (await browser(CENTRE).get("/api/indicators/by-cell", params=period)).json()["rows"] == []

    @pytest.mark.parametrize(
        "period",
        [
            {"since": "2026-11-23T00:00:00Z", "until": "2026-11-22T00:00:00Z"},
            {"since": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
            {"since": "2026-11-23T00:00:00"},
            {"since": "last week"},
        ],
    )
    async def test_a_period_that_is_none_is_refused_in_words(self, browser, period):
        answer = await browser(CENTRE).get("/api/indicators/funnel", params=period)
        assert answer.status_code == 422
        assert answer.json()["error"]["zh"]


class TestCoverage:
    async def test_without_weights_people_report_everything(self, browser):
        rows = (await browser(WANG).get("/api/coverage")).json()
        assert len(rows) == 56
        assert {row["seen_by"] for row in rows} == {"people"}

    async def test_measured_rows_are_shown_as_they_are(self, browser, dashboard):
        line = SimpleNamespace(
            code="B1",
            zh="暴露垃圾",
            en="exposed garbage",
            seen_by=SeenBy.CAMERA,
            precision=0.7,
            recall=0.6,
            evidence=Text("验证集", "val"),
            assist_only=True,
        )
        parts: Parts = dashboard.app.state.parts
        fields = {name: getattr(parts, name) for name in parts.__dataclass_fields__}
        dashboard.app.state.parts = Parts(**{**fields, "coverage": lambda: [line]})
        assert (await browser(WANG).get("/api/coverage")).json() == [
            {**vars(line), "evidence": {"zh": "验证集", "en": "val"}}
        ]


async def test_the_taxonomy_is_whole(browser):
    categories = (await browser(WANG).get("/api/taxonomy")).json()
    assert len(categories) == 11
    assert sum(len(category["subcategories"]) for category in categories) == 56
