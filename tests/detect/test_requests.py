import json

import pytest

from detect.requests import SuppressRequest, VerifyRequest, parse_committed, parse_request
from models.errors import PayloadError

VERIFY = {
    "v": 1, "type": "verify", "key": "k", "incident": "i", "camera": "c", "subcategory": "B1",
    "box": [0.1, 0.2, 0.3, 0.4], "since": "2026-11-23T02:00:00.000000Z",
}  # fmt: skip
SUPPRESS = {
    "v": 1, "type": "suppress", "key": "k", "camera": "c", "subcategory": "B1", "box": [0.1, 0.2, 0.3, 0.4],
    "until": "2026-12-23T02:00:00Z",
}  # fmt: skip


def test_both_requests_are_read() -> None:
    verify, suppress = parse_request(json.dumps(VERIFY).encode()), parse_request(json.dumps(SUPPRESS).encode())
    assert isinstance(verify, VerifyRequest)
    assert isinstance(suppress, SuppressRequest)
    assert verify.place.xyxy == suppress.place.xyxy == (0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"v": 2}, "v: "),
        ({"type": "dance"}, "dance"),
        ({"box": [0.3, 0.2, 0.1, 0.4]}, "box"),
        ({"box": [0.1, 0.2, 0.3]}, "box"),
        ({"box": [0.1, 0.2, 3, 0.4]}, "box"),
        ({"key": ""}, "key"),
        ({"key": 7}, "key"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-23T02:00:00"}, "since"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse_request(json.dumps({**VERIFY, **change}).encode())
    assert complaint in str(caught.value)


@pytest.mark.parametrize("payload", [b"", b"\xff\x00", b"[]", b"null", b"{" * 100_000, b" " * 300_000])
def test_rubbish_is_refused_and_does_no_harm(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_request(payload)
    with pytest.raises(PayloadError):
        parse_committed(payload)


def test_committed_keys_are_read() -> None:
    assert parse_committed(b'{"v":1,"keys":["a","b"]}') == ["a", "b"]
