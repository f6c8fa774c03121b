"""Reading what comes over MQTT: checked field by field, everything else is a PayloadError that names the field."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from dispatch.store.tables import KEY_LENGTH
from models.errors import PayloadError
from models.geometry import Box
from models.ids import CameraId, IncidentId, NodeId, ObservationKey, PictureHash, SubcategoryCode
from models.observations import Applied, Evidence, EvidenceRole, Observation, Verdict, Verification
from models.text import Text
from models.wire import VERSION

LARGEST_PAYLOAD = 64 * 1024
"""An observation with twenty pictures' hashes is 4 KB; pictures themselves never travel this way."""

MOST_EVIDENCE = 20
"""The watch node keeps a handful of pictures per find."""

LONGEST_REPLY_KEY = 64
"""A UUID has 36; it is kept together with the person's id."""

LONGEST_TEXT = 2000
"""Characters of a reason in words."""

FUTURE = timedelta(minutes=5)
"""How far a clock outside may run ahead: NTP keeps seconds, minutes happen after a power cut, more is an error."""

T = TypeVar("T")
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker's app says about an incident. step: a `models.lifecycle.Step` or "seen"."""

    key: str
    incident_id: IncidentId
    step: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


def parse(payload: bytes | bytearray) -> dict[str, Any]:
    """The JSON object in a payload of the present version."""
    if len(payload) > LARGEST_PAYLOAD:
        raise PayloadError(f"the message has {len(payload)} bytes, {LARGEST_PAYLOAD} are allowed")
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the message is not JSON in UTF-8: {error}") from error
    if not isinstance(message, dict):
        raise PayloadError("the message is not a JSON object")
    if message.get("v") != VERSION:
        raise PayloadError(f"v is {message.get('v')!r}, this gridwarden reads {VERSION}")
    return message


def read_observation(message: Message, *, now: datetime) -> Observation:
    return Observation(
        key=ObservationKey(_text(message, "key")),
        node_id=NodeId(_text(message, "node")),
        camera_id=CameraId(_text(message, "camera")),
        subcategory=SubcategoryCode(_text(message, "subcategory")),
        first_seen_at=_moment(message, "first_seen_at", now=now),
        captured_at=_moment(message, "captured_at", now=now),
        box=_box(message),
        confidence=_share(message, "confidence"),
        why=_words(message),
        evidence=_evidence(message, now=now),
        assist=_flag(message, "assist"),
    )


def read_verification(message: Message, *, now: datetime) -> Verification:
    return Verification(
        key=ObservationKey(_text(message, "key")),
        node_id=NodeId(_text(message, "node")),
        camera_id=CameraId(_text(message, "camera")),
        incident_id=IncidentId(_text(message, "incident")),
        verdict=_made(message, "verdict", Verdict),
        captured_at=_moment(message, "captured_at", now=now),
        why=_words(message),
        evidence=_evidence(message, now=now),
    )


def read_applied(message: Message) -> Applied:
    return Applied(key=ObservationKey(_text(message, "key")), node_id=NodeId(_text(message, "node")))


def read_reply(message: Message, *, now: datetime) -> Reply:
    data = message.get("data", {})
    if not isinstance(data, dict):
        raise PayloadError("data is not an object")
    return Reply(
        key=_text(message, "key", longest=LONGEST_REPLY_KEY),
        incident_id=IncidentId(_text(message, "incident")),
        step=_text(message, "step"),
        at=_moment(message, "at", now=now),
        data={name: value for name, value in data.items() if name in ("photo", "reason", "part") and value is not None},
    )


def _text(message: Message, name: str, *, longest: int = KEY_LENGTH) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value or len(value) > longest or not value.isprintable():
        raise PayloadError(f"{name} must be printable text of 1 to {longest} characters")
    return value


def _words(message: Message) -> Text:
    why = message.get("why")
    if not isinstance(why, dict):
        raise PayloadError("why must be an object with zh and en")
    return Text(_text(why, "zh", longest=LONGEST_TEXT), _text(why, "en", longest=LONGEST_TEXT))


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PayloadError(f"{name} must be a number")
    return float(value)


def _flag(message: Message, name: str) -> bool:
    value = message.get(name, False)
    if not isinstance(value, bool):
        raise PayloadError(f"{name} must be true or false")
    return value


def _share(message: Message, name: str) -> float:
    value = _number(message.get(name), name)
    if not 0.0 <= value <= 1.0:
        raise PayloadError(f"{name} is {value}, not within 0..1")
    return value


def _box(message: Message) -> Box:
    corners = message.get("box")
    if not isinstance(corners, list) or len(corners) != 4:
        raise PayloadError("box must be [x1, y1, x2, y2]")
    try:
        return Box(*(_number(value, "box") for value in corners))
    except ValueError as error:
        raise PayloadError(str(error)) from error


def _moment(message: Message, name: str, *, now: datetime) -> datetime:
    try:
        value = datetime.fromisoformat(_text(message, name))
    except ValueError as error:
        raise PayloadError(f"{name} is not an ISO 8601 moment") from error
    if value.tzinfo is None:
        raise PayloadError(f"{name} has no time zone; write UTC with Z")
    if value > now + FUTURE:
        raise PayloadError(f"{name} {value.isoformat()} lies in the future: check that clock")
    return value.astimezone(UTC)


def _made(message: Message, name: str, kind: Callable[[str], T]) -> T:
    try:
        return kind(_text(message, name))
    except ValueError as error:
        raise PayloadError(f"{name}: {error}") from error


def _evidence(message: Message, *, now: datetime) -> tuple[Evidence, ...]:
    items = message.get("evidence", [])
    if not isinstance(items, list) or len(items) > MOST_EVIDENCE or not all(isinstance(item, dict) for item in items):
        raise PayloadError(f"evidence must be a list of at most {MOST_EVIDENCE} objects")
    return tuple(
        Evidence(_picture(item), _made(item, "role", EvidenceRole), _moment(item, "taken_at", now=now))
        for item in items
    )


def _picture(item: Message) -> PictureHash:
    value = _text(item, "picture")
    if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise PayloadError("picture must be a SHA-256, 64 lower-case hex digits")
    return PictureHash(value)
