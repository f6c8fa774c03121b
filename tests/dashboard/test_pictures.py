"""Photos in, evidence out."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from dashboard.errors import ApiError
from dashboard.photographs import LONGEST_SIDE, MAX_UPLOAD_BYTES, clean_jpeg
from dashboard.testing import ADMINISTRATOR, street_jpeg
from dispatch import accounts, queries
from dispatch.testing import CENTRE, SUN, WANG, observation, see
from ingest.originals import Originals


def _exif(orientation):
    """The APP1 segment a phone writes: orientation, and where it was."""
    entries = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00\x2a" + struct.pack(">I", 8) + entries + b"\x00\x00\x00\x00" + b"GPS 30.1234N 120.5678E"
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _phone_photo(*, width, height, orientation):
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 255
    _, data = cv2.imencode(".jpg", picture)
    jpeg = bytes(data)
    return jpeg[:2] + _exif(orientation) + jpeg[2:]


def _decoded(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)


class TestCleaning:
    def test_metadata_is_gone_and_the_picture_stands_upright(self):
        photo = _phone_photo(width=80, height=60, orientation=6)
        clean = clean_jpeg(photo)
        assert b"Exif" in photo
        assert b"Exif" not in clean
        assert b"GPS" not in clean
        image = _decoded(clean)
        assert image.shape == (80, 60, 3)
        # Turned clockwise by a quarter, the upper left corner comes to the upper right.
        assert image[5, 55].mean() > 200 > 50 > image[5, 5].mean()

    def test_a_large_photo_is_made_smaller_in_proportion(self):
        image = _decoded(clean_jpeg(street_jpeg(width=3200, height=2000)))
        assert image.shape[:2] == (LONGEST_SIDE * 2000 // 3200, LONGEST_SIDE)

    def test_a_small_photo_keeps_its_size(self):
        assert _decoded(clean_jpeg(street_jpeg(width=64, height=48))).shape == (48, 64, 3)

    @pytest.mark.parametrize("kind", [".png", ".webp"])
    def test_png_and_webp_become_jpeg_also_with_transparency(self, kind):
        picture = np.full((40, 50, 4), 128, np.uint8)
        _, data = cv2.imencode(kind, picture)
        clean = clean_jpeg(bytes(data))
        assert clean.startswith(b"\xff\xd8")
        assert _decoded(clean).shape == (40, 50, 3)

    def test_a_bomb_is_refused_by_its_header(self):
        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        with pytest.raises(ApiError) as refused:
            clean_jpeg(bomb + b"\x00" * 100 + b"IEND")
        assert (refused.value.status, refused.value.code) == (413, "picture_too_large")

    @pytest.mark.parametrize(
        "data",
        [b"", b"<html></html>", b"BM" + b"\x00" * 100, b"\xff\xd8\xff", street_jpeg()[:200], b"GIF89a" + b"\x00" * 50],
    )
    def test_what_is_no_whole_picture_is_refused(self, data):
        with pytest.raises(ApiError, match="not a readable picture"):
            clean_jpeg(data)

    def test_too_many_bytes_are_refused(self):
        with pytest.raises(ApiError, match="10 MB"):
            clean_jpeg(b"\xff\xd8\xff" + b"\x00" * MAX_UPLOAD_BYTES)


async def _upload(client, data=None, name="photo.jpg"):
    return await client.post("/api/pictures", files={"file": (name, data or street_jpeg(), "image/jpeg")})


class TestUploading:
    async def test_a_photo_is_kept_under_its_hash(self, browser, dashboard):
        answer = await _upload(browser(WANG))
        assert answer.status_code == 201
        assert dashboard.parts.pictures.get(answer.json()["picture"]).startswith(b"\xff\xd8")

    async def test_an_upload_that_is_too_long_is_refused(self, browser):
        answer = await _upload(browser(WANG), b"\xff" * (MAX_UPLOAD_BYTES + 100_000))
        assert answer.status_code == 413

    @pytest.mark.parametrize("name", ["../../x.jpg", "a\x00b", "x" * 5000])
    async def test_the_files_name_means_nothing(self, browser, name):
        assert (await _upload(browser(WANG), name=name)).status_code in (201, 400)

    async def test_a_form_without_a_file_is_refused_in_words(self, browser):
        answer = await browser(WANG).post("/api/pictures", data={"file": "text"})
        assert answer.status_code == 422


class TestLooking:
    @pytest.fixture
    def picture(self, dashboard):
        name = dashboard.parts.pictures.put(street_jpeg())
        see(dashboard.parts.store, observation(dashboard.clock.now(), picture=name))
        return name

    async def test_those_who_see_the_incident_see_its_picture_and_each_view_is_audited(
        self, browser, dashboard, picture
    ):
        client = browser(WANG)
        for _ in range(2):
            answer = await client.get(f"/api/pictures/{picture}.jpg")
            assert (answer.status_code, answer.content) == (200, street_jpeg())
        assert answer.headers["cache-control"] == "private, no-cache"
        with dashboard.parts.store.reading() as session:
            views = accounts.audit_entries(session, subject=picture)
        assert [(view.person_id, view.action) for view in views] == [(WANG, "view_picture")] * 2

    async def test_a_picture_the_browser_still_has_is_audited_but_not_sent_again(self, browser, dashboard, picture):
        client = browser(WANG)
        etag = (await client.get(f"/api/pictures/{picture}.jpg")).headers["etag"]
        again = await client.get(f"/api/pictures/{picture}.jpg", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        with dashboard.parts.store.reading() as session:
            assert len(accounts.audit_entries(session, subject=picture)) == 2

    async def test_others_are_told_nothing_and_a_refused_look_is_no_view(self, browser, dashboard, picture):
        assert (await browser(SUN).get(f"/api/pictures/{picture}.jpg")).status_code == 404
        with dashboard.parts.store.reading() as session:
            assert accounts.audit_entries(session, subject=picture) == []

    async def test_a_picture_of_no_incident_is_nobodys_to_see(self, browser):
        uploaded = (await _upload(browser(WANG))).json()["picture"]
        assert (await browser(CENTRE).get(f"/api/pictures/{uploaded}.jpg")).status_code == 404

    async def test_part_of_a_hash_is_no_name(self, browser, picture):
        assert (await browser(CENTRE).get(f"/api/pictures/{picture[:40]}.jpg")).status_code == 422


class TestOriginals:
    REASON = "?reason=%E8%BD%A6%E7%89%8C%E6%A0%B8%E6%9F%A5"  # 车牌核查

    @pytest.fixture
    def picture(self, dashboard, tmp_path):
        store = dashboard.parts.pictures
        store.originals = Originals(tmp_path / "originals", tmp_path / "keys.json")
        name = store.put(street_jpeg())
        store.originals.put(name, street_jpeg(seed=9))
        see(dashboard.parts.store, observation(dashboard.clock.now(), picture=name))
        return name

    async def test_an_administrator_who_says_why_gets_it_and_the_reason_is_audited(self, browser, dashboard, picture):
        answer = await browser(ADMINISTRATOR).get(f"/api/pictures/{picture}/original.jpg{self.REASON}")
        assert (answer.status_code, answer.content) == (200, street_jpeg(seed=9))
        assert answer.headers["cache-control"] == "no-store"
        with dashboard.parts.store.reading() as session:
            (view,) = accounts.audit_entries(session, subject=f"{picture} · 车牌核查")
        assert (view.person_id, view.action) == (ADMINISTRATOR, "view_original")

    async def test_nobody_else_gets_it_and_nobody_without_a_reason(self, browser, picture):
        assert (await browser(CENTRE).get(f"/api/pictures/{picture}/original.jpg{self.REASON}")).status_code == 403
        assert (await browser(ADMINISTRATOR).get(f"/api/pictures/{picture}/original.jpg")).status_code == 422

    async def test_where_none_is_kept_the_answer_says_how_to_keep_them(self, browser, dashboard, picture):
        dashboard.parts.pictures.originals = None
        answer = await browser(ADMINISTRATOR).get(f"/api/pictures/{picture}/original.jpg{self.REASON}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_original")


class TestLatest:
    async def test_the_latest_picture_says_when_it_was_taken(self, browser, dashboard):
        dashboard.parts.latest.put("camera-1", street_jpeg(), dashboard.clock.now())
        answer = await browser(WANG).get("/api/cameras/camera-1/latest.jpg")
        assert answer.content == street_jpeg()
        assert answer.headers["last-modified"] == "Mon, 23 Nov 2026 02:00:00 GMT"

    async def test_before_the_first_picture_there_is_a_reason(self, browser):
        answer = await browser(WANG).get("/api/cameras/camera-1/latest.jpg")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_picture_yet")


async def test_a_workers_photo_is_seen_by_the_operator_once_it_is_evidence(browser, dashboard):
    see(dashboard.parts.store, observation(dashboard.clock.now()))
    with dashboard.parts.store.reading() as session:
        incident = queries.list_incidents(session)[0]
    worker = browser(WANG)
    picture = (await _upload(worker)).json()["picture"]
    step = {"step": "resolve", "key": "k", "data": {"photo": picture}}
    assert (await worker.post(f"/api/incidents/{incident.incident_id}/steps", json=step)).status_code == 200
    assert (await browser(CENTRE).get(f"/api/pictures/{picture}.jpg")).status_code == 200
