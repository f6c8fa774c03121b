"""What a supervisor and Prometheus are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboard.testing import DATABASE
from dispatch.testing import CAMERA, observation, see
from models.places import CameraCondition, CameraState

TOKEN = "a token of the test"


def break_store(dashboard, tmp_path):
    dashboard.parts.store.close()
    for journal in tmp_path.glob(f"{DATABASE}-*"):
        journal.unlink()
    (tmp_path / DATABASE).write_bytes(b"not a database at all" * 500)


@pytest.fixture
def told(dashboard, browser):
    """Asks for the metrics; every sample by name and labels."""
    dashboard.app.state.parts = replace(dashboard.parts, metrics_token=TOKEN)

    async def ask():
        answer = await browser(None).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return ask


async def test_every_cameras_lateness_is_told(told, dashboard):
    now = dashboard.clock.now()
    dashboard.states[:] = [
        CameraState(CAMERA, CameraCondition.LATE, now, last_look_at=now, next_look_at=now - timedelta(seconds=7))
    ]
    samples = await told()
    assert samples["gridwarden_camera_lateness_seconds", CAMERA] == 7
    assert samples["gridwarden_camera_last_look_age_seconds", CAMERA] == 0


async def test_unfinished_incidents_are_counted_by_state(told, dashboard):
    see(dashboard.parts.store, observation(dashboard.clock.now(), subcategory="A1"))
    samples = await told()
    assert samples["gridwarden_incidents", "assigned"] == 1


async def test_a_store_that_does_not_answer_takes_no_other_figure_with_it(told, dashboard, tmp_path):
    break_store(dashboard, tmp_path)
    dashboard.counters["looks"] = 12
    samples = await told()
    assert samples["gridwarden_looks_total",] == 12
    assert not any(name == "gridwarden_incidents" for name, *_ in samples)


async def test_what_grows_is_a_counter_and_what_stands_is_a_gauge(told, dashboard):
    dashboard.counters.update(looks=12, waiting=3, behind_s=1.5)
    samples = await told()
    assert samples["gridwarden_looks_total",] == 12
    assert samples["gridwarden_waiting",] == 3
    assert samples["gridwarden_behind_seconds",] == 1.5


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}"])
async def test_without_the_token_nothing_is_told(told, browser, given):
    answer = await browser(None).get("/metrics", headers={"Authorization": given})
    assert answer.status_code == 401
    assert "gridwarden_" not in answer.text


async def test_a_box_without_a_token_has_no_metrics(browser):
    assert (await browser(None).get("/metrics", headers={"Authorization": "Bearer None"})).status_code == 404


async def test_the_process_says_that_it_is_alive(browser):
    assert (await browser(None).get("/healthz")).text == "ok\n"


async def test_it_is_ready_when_store_and_broker_answer(browser, dashboard):
    dashboard.counters["broker_connected"] = 1
    answer = await browser(None).get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"store": True, "broker": True})


async def test_without_its_broker_it_is_alive_but_not_ready(browser, dashboard):
    dashboard.counters["broker_connected"] = 0
    answer = await browser(None).get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"store": True, "broker": False})


async def test_a_broken_store_makes_it_not_ready(browser, dashboard, tmp_path):
    break_store(dashboard, tmp_path)
    assert (await browser(None).get("/readyz")).json()["store"] is False
