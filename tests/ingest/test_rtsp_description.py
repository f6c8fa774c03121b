from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp_description import MAX_PARAMETER_SETS, Encoding, video_track, whole_target
from ingest.rtsp_message import NotSpokenError
from models.errors import SourceError

HIKVISION_LIKE = """v=0
o=- 1734323044364211 1734323044364211 IN IP4 10.20.0.11
s=Media Presentation
e=NONE
b=AS:5050
t=0 0
a=control:rtsp://10.20.0.11/Streaming/Channels/102/
m=video 0 RTP/AVP 96
c=IN IP4 0.0.0.0
b=AS:5000
a=recvonly
a=x-dimensions:640,360
a=control:rtsp://10.20.0.11/Streaming/Channels/102/trackID=1
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=420029; packetization-mode=1; \
sprop-parameter-sets=Z01AHo2NQFAX/LgLcBAQFAAAD6AAAw1DoYACYloAAmJa7y40MABMSgAETEt3lw==,aO44gA==
m=audio 0 RTP/AVP 8
a=control:rtsp://10.20.0.11/Streaming/Channels/102/trackID=2
a=rtpmap:8 PCMA/8000
"""

H265_WITH_AUDIO_FIRST = """v=0
o=- 0 0 IN IP4 0.0.0.0
s=RTSP Session
a=control:*
m=audio 0 RTP/AVP 97
a=control:trackID=1
a=rtpmap:97 MPEG4-GENERIC/16000
m=video 0 RTP/AVP 98
a=control:trackID=0
a=rtpmap:98 H265/90000
a=fmtp:98 sprop-vps=QAEMAf//; sprop-sps=QgEBAWAAAAMA; sprop-pps=RAHA8vA8kAA=
"""


def described(text: str):
    return video_track(text.replace("\n", "\r\n").encode(), what="camera")


def test_a_recorder_with_whole_addresses_and_sound():
    track = described(HIKVISION_LIKE)
    assert (track.encoding, track.payload_type) == (Encoding.H264, 96)
    assert [unit[0] & 31 for unit in track.parameter_sets] == [7, 8]
    assert track.control.endswith("102/trackID=1")
    assert track.session == "rtsp://10.20.0.11/Streaming/Channels/102/"


def test_a_camera_of_h265_that_names_sound_first():
    track = described(H265_WITH_AUDIO_FIRST)
    assert (track.encoding, track.payload_type, track.control) == (Encoding.H265, 98, "trackID=0")
    assert [unit[0] >> 1 & 63 for unit in track.parameter_sets] == [32, 33, 34]


@pytest.mark.parametrize(
    ("change", "to"),
    [("H264/90000", "JPEG/90000"), ("H264/90000", "MP4V-ES/90000"), ("packetization-mode=1", "packetization-mode=2"),
     ("video 0 RTP/AVP", "video 0 RTP/SAVP"), ("a=rtpmap:96 H264/90000\n", "")],
)  # fmt: skip
def test_what_the_client_does_not_speak_is_left_to_ffmpeg(change, to):
    with pytest.raises(NotSpokenError):
        described(HIKVISION_LIKE.replace(change, to))


def test_a_stream_of_sound_alone_is_no_picture():
    with pytest.raises(SourceError, match="carries no video") as raised:
        described(HIKVISION_LIKE.replace("m=video", "m=application"))
    assert not isinstance(raised.value, NotSpokenError)


def test_of_a_thousand_parameter_sets_some_are_kept():
    many = ",".join(b64encode(bytes((0x67, index % 256, index // 256))).decode() for index in range(1000))
    track = described(HIKVISION_LIKE.replace("sprop-parameter-sets=", f"sprop-parameter-sets={many},"))
    assert len(track.parameter_sets) == MAX_PARAMETER_SETS


def test_parameter_sets_that_are_no_base64_are_left_out():
    track = described(HIKVISION_LIKE.replace("Z01A", "???").replace("aO44gA==", "a"))
    assert all(track.parameter_sets)


@given(noise=st.binary(max_size=2000))
def test_any_bytes_are_a_track_or_a_known_error(noise):
    refused = ""
    try:
        video_track(noise, what="camera")
    except SourceError as error:
        refused = str(error)
    assert not refused or refused.startswith("camera")


@given(
    lines=st.lists(
        st.sampled_from(HIKVISION_LIKE.splitlines() + H265_WITH_AUDIO_FIRST.splitlines())
        | st.from_regex(r"(m=video|a=rtpmap:|a=fmtp:|a=control:)[ -~]{0,40}", fullmatch=True),
        max_size=30,
    )
)
def test_lines_in_any_order_are_a_track_or_a_known_error(lines):
    try:
        track = described("\n".join(lines))
    except SourceError:
        return
    assert 0 <= track.payload_type < 128


@pytest.mark.parametrize(
    ("base", "control", "whole"),
    [
        ("rtsp://h:554/live/", "track1", "rtsp://h:554/live/track1"),
        ("rtsp://h:554/live", "track1", "rtsp://h:554/live/track1"),
        ("rtsp://h/cam?channel=1&subtype=1", "trackID=0", "rtsp://h/cam?channel=1&subtype=1/trackID=0"),
        ("rtsp://h/live", "*", "rtsp://h/live"),
        ("rtsp://h/live", "", "rtsp://h/live"),
        ("rtsp://h/live", "rtsp://10.0.0.1/live/t1", "rtsp://10.0.0.1/live/t1"),
    ],
)
def test_tracks_are_named_as_cameras_expect_it(base, control, whole):
    assert whole_target(base, control, what="camera") == whole
