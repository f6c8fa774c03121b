"""What every request passes, and what every answer carries."""

from __future__ import annotations

import pytest

from dashboard.guard import MOST_JSON_BYTES
from dashboard.parts import Parts
from dispatch.testing import CENTRE, WANG


class TestOtherSites:
    async def test_a_change_without_our_header_is_refused(self, browser):
        client = browser(CENTRE)
        del client.headers["X-Gridwarden"]
        answer = await client.post("/api/sign-out")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "missing_header"
        assert (await client.get("/api/me")).status_code == 200

    @pytest.mark.parametrize(
        "origin", ["https://evil.test", "http://gridwarden.test.evil.test", "http://gridwarden.test:81", "null"]
    )
    async def test_a_change_from_another_origin_is_refused(self, browser, origin):
        answer = await browser(CENTRE).post("/api/sign-out", headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "foreign_origin"

    async def test_our_own_origin_passes(self, browser):
        answer = await browser(CENTRE).post("/api/sign-out", headers={"Origin": "http://gridwarden.test"})
        assert answer.status_code == 204

    async def test_no_other_site_is_ever_allowed_to_read(self, browser):
        answer = await browser(CENTRE).options(
            "/api/me", headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


class TestLength:
    async def test_a_body_that_says_it_is_too_long_is_refused_unread(self, browser):
        answer = await browser(CENTRE).post("/api/sign-in", content=b"x" * (MOST_JSON_BYTES + 1))
        assert answer.status_code == 413
        assert answer.json()["error"]["zh"] == "内容太大：最多 64 kB。"

    async def test_a_body_that_does_not_say_is_counted(self, browser):
        async def endless():
            for _ in range(100):
                yield b'"' + b"x" * 4096

        answer = await browser(CENTRE).post(
            "/api/sign-in", content=endless(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413

    @pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 5000])
    async def test_what_is_not_the_agreed_json_is_refused_in_both_languages(self, browser, body):
        answer = await browser(None).post("/api/sign-in", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert set(answer.json()["error"]) >= {"code", "zh", "en"}


class TestAnswers:
    async def test_pages_may_load_nothing_from_elsewhere_but_the_broker(self, browser):
        policy = (await browser(None).get("/")).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "connect-src 'self' ws://gridwarden.test:9001;" in policy
        assert "worker-src 'self' blob:" in policy
        assert "img-src 'self' data: blob:" in policy
        assert "frame-ancestors 'none'" in policy

    @pytest.mark.parametrize("host", ["evil.test; script-src *", "a'b", "x y", ""])
    async def test_a_made_up_host_cannot_widen_the_policy(self, browser, host):
        answer = await browser(None).get("/api/health", headers={"Host": host})
        assert "connect-src 'self' ws://localhost:9001;" in answer.headers["content-security-policy"]

    @pytest.mark.parametrize("path", ["/api/health", "/api/me", "/api/nothing", "/"])
    async def test_every_answer_carries_the_security_headers(self, browser, path):
        headers = (await browser(None).get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"

    async def test_answers_of_the_api_are_not_kept(self, browser):
        assert (await browser(CENTRE).get("/api/incidents")).headers["cache-control"] == "no-store"

    async def test_an_unknown_address_and_a_wrong_method_say_so_in_both_languages(self, browser):
        unknown = await browser(None).get("/api/nothing")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "no_such_route")
        wrong = await browser(None).delete("/api/me")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")

    async def test_a_fault_nobody_expected_gives_a_number_and_hides_the_rest(self, dashboard, browser, caplog):
        def broken():
            raise RuntimeError("secret detail")

        parts: Parts = dashboard.app.state.parts
        fields = {name: getattr(parts, name) for name in parts.__dataclass_fields__}
        dashboard.app.state.parts = Parts(**{**fields, "camera_states": broken})
        answer = await browser(WANG).get("/api/cameras")
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert answer.headers["x-frame-options"] == "DENY"
        reference = answer.json()["error"]["en"].split(" as ")[1].split(".")[0]
        assert any(reference in record.getMessage() for record in caplog.records)

    async def test_hostile_ids_are_refused_before_anything_is_asked(self, browser):
        client = browser(CENTRE)
        hostile = (
            "/api/incidents/a%00b",
            "/api/incidents/" + "x" * 65,
            "/api/pictures/ABC.jpg",
            "/api/cameras/%27%20or%201=1/latest.jpg",
        )
        for path in hostile:
            answer = await client.get(path)
            assert answer.status_code in (404, 422), path
            assert set(answer.json()["error"]) >= {"code", "zh", "en"}
