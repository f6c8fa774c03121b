from __future__ import annotations

import json

import pytest

from tests.whole.conftest import CACHE
from tests.whole.test_bad_starts import outcome


@pytest.mark.timeout(240)
async def test_the_loop_benchmark_measures_real_incidents_and_loses_none(street: dict[str, bytes]) -> None:
    assert street
    code, out, err = await outcome("bench", "loop", "--seconds", "20", "--footage", str(CACHE), "--json", seconds=200)
    assert code == 0, err
    figures = json.loads(out)
    assert figures["looks"] > 0
    assert figures["incidents"] > 0
    assert figures["delivered"] >= figures["incidents"]
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert figures["latency_ms"]["p50"] > 0
