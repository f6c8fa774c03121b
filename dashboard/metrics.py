"""How the box is, for Prometheus. The only user of prometheus_client.

Names follow Prometheus' own rules: base units, `_total` for what only grows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from dashboard.parts import Parts
from dispatch.queries import incidents_by_state
from models.places import CameraCondition, CameraState

log = logging.getLogger(__name__)

PRESENT = frozenset(
    {"behind_s", "broker", "broker_connected", "connected", "spool", "verifying", "waiting", "waiting_s"}
)
"""Counters of the parts that tell how it stands, not how often something happened."""


def exposition(parts: Parts) -> bytes:
    """The Prometheus text format. What cannot be read (a store that does not answer) is left out, not guessed."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(parts))
    return generate_latest(registry)


class _Readings:
    """Read anew at every question: nothing is kept between two."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        states, now = self._parts.camera_states(), self._parts.clock.now()
        yield _conditions(states)
        yield from _punctuality(states, now)
        yield from self._incidents()
        for name, value in sorted(self._parts.counters().items()):
            yield _counted(name, value)

    def _incidents(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("gridwarden_incidents", "Unfinished incidents.", labels=["state"])
        try:
            with self._parts.store.reading() as session:
                counts = incidents_by_state(session)
        except Exception:  # the outermost edge of this one figure: the others are still true
            log.exception("Incidents could not be counted for Prometheus")
            return
        for state, count in counts.items():
            family.add_metric([state.value], count)
        yield family


def _conditions(states: list[CameraState]) -> Metric:
    family = GaugeMetricFamily("gridwarden_cameras", "Cameras by condition.", labels=["condition"])
    counts = Counter(state.condition for state in states)
    for condition in CameraCondition:
        family.add_metric([condition.value], counts[condition])
    return family


def _punctuality(states: list[CameraState], now: datetime) -> Iterator[Metric]:
    late = GaugeMetricFamily(
        "gridwarden_camera_lateness_seconds", "How long the next look is overdue.", labels=["camera"]
    )
    age = GaugeMetricFamily("gridwarden_camera_last_look_age_seconds", "Since the last good look.", labels=["camera"])
    for state in states:
        if state.next_look_at is not None:
            late.add_metric([state.camera_id], max((now - state.next_look_at).total_seconds(), 0.0))
        if state.last_look_at is not None:
            age.add_metric([state.camera_id], max((now - state.last_look_at).total_seconds(), 0.0))
    yield late
    yield age


def _counted(name: str, value: float) -> Metric:
    if name in PRESENT:
        unit = f"{name.removesuffix('_s')}_seconds" if name.endswith("_s") else name
        return GaugeMetricFamily(f"gridwarden_{unit}", "As it stands now.", value=value)
    return CounterMetricFamily(f"gridwarden_{name}", "Since the start.", value=value)
