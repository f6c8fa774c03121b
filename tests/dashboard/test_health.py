"""What a supervisor is told."""

from __future__ import annotations

from dashboard.testing import DATABASE


async def test_a_working_box_says_ok_to_anyone(browser):
    answer = await browser(None).get("/api/health")
    assert answer.json()["status"] == "ok"
    assert answer.json()["version"]


async def test_a_store_that_does_not_answer_is_told_without_details(browser, dashboard, tmp_path):
    dashboard.parts.store.close()
    for journal in tmp_path.glob(f"{DATABASE}-*"):
        journal.unlink()
    (tmp_path / DATABASE).write_bytes(b"not a database at all" * 500)
    answer = await browser(None).get("/api/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert set(answer.json()) == {"status", "version"}
