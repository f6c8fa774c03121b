"""What pages are told of a camera that gives pictures nothing can be seen on."""

from __future__ import annotations

from dispatch.testing import CAMERA, CENTRE
from models.places import FLAW_WORDS, CameraCondition, CameraState, Flaw


async def test_a_cameras_flaws_are_told_in_words(dashboard, browser):
    flaws = (Flaw.COVERED, Flaw.CLOCK_WRONG)
    dashboard.states.append(CameraState(CAMERA, CameraCondition.ONLINE, dashboard.clock.now(), flaws=flaws))
    cameras = (await browser(CENTRE).get("/api/cameras")).json()
    told = {camera["camera_id"]: camera["flaws"] for camera in cameras}
    words = FLAW_WORDS[Flaw.COVERED]
    assert told[CAMERA][0] == {"flaw": "covered", "zh": words.zh, "en": words.en}
    assert [flaw["flaw"] for flaw in told[CAMERA]] == ["covered", "clock_wrong"]
    assert [flaws for camera, flaws in told.items() if camera != CAMERA] == [[]]
