import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.testing import observation
from dispatch.wire import LARGEST_PAYLOAD, parse, read_observation, read_reply
from models.errors import PayloadError
from models.wire import observation_message

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GOOD = observation_message(observation(NOW, key="k"))


def test_what_was_written_is_read_again() -> None:
    assert read_observation(parse(json.dumps(GOOD).encode()), now=NOW) == observation(NOW, key="k")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"key": ""}, "key"),
        ({"key": "x" * 201}, "key"),
        ({"key": "a\nb"}, "key"),
        ({"key": 5}, "key"),
        ({"camera": None}, "camera"),
        ({"box": [0, 0, 1]}, "box"),
        ({"box": [0.5, 0.5, 0.2, 0.9]}, "box"),
        ({"box": [0, 0, 1, float("nan")]}, "box"),
        ({"box": [0, 0, True, 1]}, "box"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": "high"}, "confidence"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": "2026-11-23T02:00:00"}, "time zone"),
        ({"captured_at": (NOW + timedelta(hours=1)).isoformat()}, "future"),
        ({"why": "because"}, "why"),
        ({"why": {"zh": "x"}}, "en"),
        ({"evidence": {}}, "evidence"),
        ({"evidence": [{"picture": "../../x", "role": "found", "taken_at": "2026-11-23T02:00:00Z"}]}, "picture"),
        ({"evidence": [{"picture": "a" * 64, "role": "selfie", "taken_at": "2026-11-23T02:00:00Z"}]}, "role"),
        ({"evidence": [{}] * 21}, "evidence"),
    ],
)
def test_a_field_that_is_wrong_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(PayloadError, match=named):
        read_observation(GOOD | change, now=NOW)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"[]", b"null", b'{"v": 2}', b"{}", b"[" * 5000, b" " * (LARGEST_PAYLOAD + 1)],
    ids=["empty", "no utf-8", "a list", "null", "another version", "no version", "nested deep", "too large"],
)
def test_what_is_no_message_of_ours_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        parse(payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_whatever_stands_in_a_field_it_is_read_or_refused(field: str, value: Any) -> None:
    try:
        read_observation(GOOD | {field: value}, now=NOW)
    except PayloadError:
        return


@given(JSON)
def test_a_reply_of_any_form_is_read_or_refused(data: Any) -> None:
    message = {"key": "k", "incident": "i", "step": "accept", "at": "2026-11-23T02:00:00Z", "data": data}
    try:
        assert set(read_reply(message, now=NOW).data) <= {"photo", "reason"}
    except PayloadError:
        return
