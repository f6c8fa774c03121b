"""The built front end, as browsers get it."""

from __future__ import annotations

import pytest


@pytest.fixture
def dist(dashboard):
    folder = dashboard.parts.web_dist
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets" / "index-a1b2c3.js").write_text("console.log(1);" * 200)
    return folder


async def test_without_a_build_it_says_how_to_build(browser):
    answer = await browser(None).get("/")
    assert answer.status_code == 503
    assert "./scripts/demo" in answer.text


@pytest.mark.parametrize("path", ["/", "/worker", "/incidents/12", "/analysis/by-cell"])
async def test_every_address_of_the_page_gives_the_page_and_is_asked_for_each_time(browser, dist, path):
    answer = await browser(None).get(path)
    assert answer.status_code == 200
    assert "<title>page</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_assets_are_kept_for_ever_and_sent_small(browser, dist):
    answer = await browser(None).get("/assets/index-a1b2c3.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")


async def test_other_files_are_asked_for_each_time_and_not_sent_twice(browser, dist):
    client = browser(None)
    first = await client.get("/manifest.webmanifest")
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get("/manifest.webmanifest", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/assets/index-gone.js", "/favicon.ico", "/..%2fgridwarden.db", "/%2e%2e/gridwarden.db"]
)
async def test_a_missing_file_and_a_file_outside_are_missing(browser, dist, path):
    assert (await browser(None).get(path)).status_code == 404


async def test_a_new_build_is_served_without_a_restart(browser, dist):
    (dist / "index.html").write_text("<title>newer</title>")
    assert "newer" in (await browser(None).get("/")).text
