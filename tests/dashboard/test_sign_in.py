"""Signing in, staying signed in, being kept out."""

from __future__ import annotations

import pytest

from dashboard.sessions import COOKIE, hash_of
from dashboard.testing import ADMINISTRATOR, PASSWORD, give_passwords
from dispatch import accounts
from dispatch.testing import CENTRE, WANG


@pytest.fixture
def _passwords(dashboard):
    give_passwords(dashboard)


def _try(client, password, username=WANG):
    return client.post("/api/sign-in", json={"username": username, "password": password})


@pytest.mark.usefixtures("_passwords")
class TestSigningIn:
    async def test_the_right_password_opens_a_session_for_that_person(self, browser):
        client = browser(None)
        answer = await _try(client, PASSWORD)
        assert answer.status_code == 200
        assert answer.json() == {
            "person_id": "wang", "name": "王伟", "role": "worker", "department": "CG", "cells": ["west"],
        }  # fmt: skip
        assert (await client.get("/api/me")).json()["person_id"] == "wang"

    async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_along_by_other_sites(self, browser):
        header = (await _try(browser(None), PASSWORD)).headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(header.split("; "))
        assert "Secure" not in header

    async def test_only_the_hash_of_the_token_is_kept(self, browser, dashboard, tmp_path):
        client = browser(None)
        await _try(client, PASSWORD)
        token = client.cookies[COOKIE]
        assert len(token) >= 43
        dashboard.parts.store.close()
        kept = b"".join(path.read_bytes() for path in tmp_path.glob("gridwarden.db*"))
        assert token.encode() not in kept
        assert hash_of(token).encode() in kept

    async def test_signing_out_ends_the_session_also_for_a_copied_cookie(self, browser):
        client, thief = browser(None), browser(None)
        await _try(client, PASSWORD)
        thief.cookies.set(COOKIE, client.cookies[COOKIE])
        assert (await thief.get("/api/me")).status_code == 200
        assert (await client.post("/api/sign-out")).status_code == 204
        assert (await thief.get("/api/me")).status_code == 401

    async def test_the_next_person_on_a_browser_ends_the_last_ones_session(self, browser):
        client, copy = browser(None), browser(None)
        await _try(client, PASSWORD, CENTRE)
        copy.cookies.set(COOKIE, client.cookies[COOKIE])
        await _try(client, PASSWORD, WANG)
        assert (await client.get("/api/me")).json()["person_id"] == WANG
        assert (await copy.get("/api/me")).status_code == 401

    async def test_an_operators_session_ends_after_the_shift_a_workers_lasts_for_days(self, browser, dashboard):
        operator, worker = browser(None), browser(None)
        await _try(operator, PASSWORD, CENTRE)
        await _try(worker, PASSWORD, WANG)
        dashboard.clock.advance(hours=14)
        assert (await operator.get("/api/me")).status_code == 401
        assert (await worker.get("/api/me")).status_code == 200
        dashboard.clock.advance(hours=24 * 14)
        assert (await worker.get("/api/me")).status_code == 401

    async def test_signing_in_and_being_refused_are_audited(self, browser, dashboard):
        await _try(browser(None), "wrong")
        await _try(browser(None), PASSWORD)
        with dashboard.parts.store.reading() as session:
            actions = [entry.action for entry in accounts.audit_entries(session)]
        assert actions == ["sign_in", "sign_in_refused"]


@pytest.mark.usefixtures("_passwords")
class TestBeingKeptOut:
    @pytest.mark.parametrize("username", [WANG, "nobody-of-that-name"])
    async def test_a_wrong_password_and_an_unknown_name_get_the_same_answers_up_to_the_lock(self, browser, username):
        client = browser(None)
        answers = [await _try(client, "wrong", username) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert answers[0].json()["error"] == {
            "code": "wrong_credentials",
            "zh": "用户名或密码不对。还可以再试 5 次。",
            "en": "User name or password is wrong. Tries left: 5.",
        }
        locked = answers[-1].json()["error"]
        assert locked["code"] == "locked"
        assert locked["retry_after_s"] == 60
        assert "1 分钟" in locked["zh"]

    async def test_a_locked_account_refuses_the_right_password_until_the_lock_is_over(self, browser, dashboard):
        client = browser(None)
        for _ in range(6):
            await _try(client, "wrong")
        assert (await _try(client, PASSWORD)).status_code == 429
        dashboard.clock.advance(seconds=61)
        assert (await _try(client, PASSWORD)).status_code == 200

    async def test_one_locked_account_does_not_lock_others(self, browser):
        client = browser(None)
        for _ in range(6):
            await _try(client, "wrong")
        assert (await _try(client, PASSWORD, ADMINISTRATOR)).status_code == 200

    async def test_an_address_that_guesses_through_many_names_is_slowed_down(self, browser):
        client = browser(None)
        answers = [await _try(client, "wrong", f"guess-{n}") for n in range(31)]
        assert {answer.status_code for answer in answers[:30]} == {401}
        assert answers[30].status_code == 429
        assert answers[30].json()["error"]["code"] == "too_many_requests"
        assert int(answers[30].headers["retry-after"]) > 0

    async def test_a_made_up_cookie_is_nobody(self, browser):
        client = browser(None)
        client.cookies.set(COOKIE, "x" * 43)
        answer = await client.get("/api/me")
        assert answer.status_code == 401
        assert answer.json()["error"]["zh"] == "请先登录。"

    @pytest.mark.parametrize(
        "body", [{}, {"username": "wang"}, {"username": "", "password": "x"}, {"username": "w", "password": "x" * 257}]
    )
    async def test_half_a_request_is_named_not_echoed(self, browser, body):
        answer = await browser(None).post("/api/sign-in", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "invalid"
        assert "xxx" not in answer.text
