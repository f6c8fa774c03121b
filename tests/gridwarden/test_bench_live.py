"""The benchmark of the live feed counts what really arrives."""

from __future__ import annotations

from gridwarden.bench.live import LiveSettings, measure


def test_every_change_reaches_every_viewer() -> None:
    figures = measure(LiveSettings(viewers=5, changes=4, per_s=20, cameras=10, incidents=3), say=lambda _: None)
    assert (figures["delivered"], figures["lost"]) == (20, 0)
    assert figures["first_snapshot_kb"] > 1
    assert figures["server_cpu_ms_per_delivery"] > 0
