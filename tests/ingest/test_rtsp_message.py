from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp_message import MAX_BODY, MAX_HEAD, Packet, Reply, Wire, checked_target, request
from models.errors import SourceError

CHANNELS = st.integers(0, 255)
PACKETS = st.builds(Packet, CHANNELS, st.binary(max_size=300))
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
REPLIES = st.builds(
    lambda status, value, body: Reply(
        status, {"cseq": ["7"], "x-said": [value]} | ({"content-length": [str(len(body))]} if body else {}), body
    ),
    st.integers(100, 599),
    VALUES,
    st.binary(max_size=200),
)


def written(message: Reply | Packet) -> bytes:
    if isinstance(message, Packet):
        return b"$" + bytes((message.channel,)) + len(message.data).to_bytes(2, "big") + message.data
    lines = [f"RTSP/1.0 {message.status} Said"]
    lines += [f"{name.title()}: {value}" for name, values in message.headers.items() for value in values]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + message.body


def heard(chunks: list[bytes]) -> list[Reply | Packet]:
    wire = Wire(what="camera")
    return [message for chunk in chunks for message in wire.feed(chunk)]


@given(messages=st.lists(PACKETS | REPLIES, max_size=8), cuts=st.lists(st.integers(0, 4000), max_size=8))
def test_however_the_bytes_are_cut_the_same_is_heard(messages, cuts):
    whole = b"".join(map(written, messages))
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[begin:end] for begin, end in pairwise(places)]
    assert heard(chunks) == messages == heard([bytes((byte,)) for byte in whole])


@given(chunks=st.lists(st.binary(max_size=400), max_size=20))
def test_noise_is_refused_or_waited_for_and_never_kept_without_bound(chunks):
    wire, reason = Wire(what="camera"), ""
    try:
        for chunk in chunks:
            list(wire.feed(chunk))
    except SourceError as error:
        reason = error.reason
    assert reason in ("", "unreachable", "not_a_picture")
    assert len(wire._rest) <= MAX_HEAD + MAX_BODY + 400


@given(head=st.text(max_size=300), body=st.binary(max_size=300))
def test_answers_with_any_headers_are_heard_or_refused(head, body):
    wire = Wire(what="camera")
    try:
        for message in wire.feed(f"RTSP/1.0 200 OK\r\n{head}\r\n\r\n".encode() + body):
            assert isinstance(message, Reply | Packet)
    except SourceError:
        pass


def test_requests_of_the_camera_are_stepped_over():
    asked = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc"
    assert heard([asked + b"\r\n" + b"$\x00\x00\x01x"]) == [Packet(0, b"x")]


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n\r\n",
        b"\x16\x03\x01",
        b"RTSP/1.0 two hundred\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * MAX_HEAD,
    ],
)
def test_what_is_no_rtsp_is_said_at_once(sent):
    with pytest.raises(SourceError, match="does not speak RTSP") as raised:
        heard([sent])
    assert raised.value.reason == "unreachable"


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 400])
def test_a_description_too_long_is_refused_before_it_is_read(length):
    with pytest.raises(SourceError, match="more than 65536"):
        heard([f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()])


@pytest.mark.parametrize("address", ["track1\r\nX: y", "a b", "a\x00b", "rtsp://x/" + "a" * 3000])
def test_an_address_that_would_write_a_request_of_its_own_is_not_asked(address):
    with pytest.raises(SourceError):
        checked_target(address, what="camera")


def test_a_request_is_as_the_rfc_has_it():
    sent = request("DESCRIBE", "rtsp://h:554/a", sequence=2, headers={"Accept": "application/sdp"})
    assert sent == (
        b"DESCRIBE rtsp://h:554/a RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: gridwarden\r\nAccept: application/sdp\r\n\r\n"
    )
