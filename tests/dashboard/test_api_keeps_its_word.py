"""The OpenAPI document against the server, by Schemathesis: no fault of ours, no answer that is not described."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.app import bare_app, describe
from dashboard.testing import ADMINISTRATOR, ONE_OF_EACH, SmallDashboard, small_dashboard
from dispatch.refused import refuse
from dispatch.testing import observation, see
from models.people import Role

# The live feed never ends by itself; signing out would end the session that asks.
LEFT_OUT = ["/api/live", "/api/sign-out", "/api/sign-in"]

KEPT = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

EACH = 12
"""Requests made up for each address and role, beside those that cover each parameter's limits; more in the long suite
would find more, these take half a minute."""

schema = schemathesis.openapi.from_dict(describe(bare_app())).exclude(path=LEFT_OUT)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> SmallDashboard:
    """With an incident and a message kept aside, so that some addresses have something to answer."""
    folder: Path = tmp_path_factory.mktemp("asked")
    made = small_dashboard(folder, mqtt_ws_url="ws://{host}:9001/mqtt")
    now = made.clock.now()
    see(made.parts.store, observation(now))
    with made.parts.store.transaction() as session:
        refuse(session, topic="gw/v1/observations/n", payload=b"{", reason="no JSON", at=now)
    return made


@schema.parametrize()
@settings(
    max_examples=EACH, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@pytest.mark.parametrize("person", [ADMINISTRATOR, ONE_OF_EACH[Role.WORKER]])
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, asked: SmallDashboard, person: str) -> None:
    case.call_and_validate(app=asked.app, headers={"X-Gridwarden": "1"}, cookies=asked.cookie(person), checks=KEPT)
