"""What dispatch asks of a node, checked before anything acts on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.errors import PayloadError
from models.geometry import Box
from models.ids import CameraId, IncidentId, ObservationKey, SubcategoryCode

LARGEST_PAYLOAD = 256 * 1024
"""Bytes; a request takes 400, a list of a thousand committed keys 40,000."""

_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    v: Literal[1]


class _Placed(_Message):
    key: _Text
    camera: _Text
    subcategory: _Text
    box: tuple[_Fraction, _Fraction, _Fraction, _Fraction]

    @property
    def camera_id(self) -> CameraId:
        return CameraId(self.camera)

    @property
    def code(self) -> SubcategoryCode:
        return SubcategoryCode(self.subcategory)

    @property
    def request_key(self) -> ObservationKey:
        return ObservationKey(self.key)

    @property
    def place(self) -> Box:
        return Box(*self.box)


class VerifyRequest(_Placed):
    """Is the problem still there? since: when it was said to be handled (UTC)."""

    type: Literal["verify"]
    incident: _Text
    since: AwareDatetime

    @property
    def incident_id(self) -> IncidentId:
        return IncidentId(self.incident)


class SuppressRequest(_Placed):
    """Nothing is there, do not tell it again before `until` (UTC)."""

    type: Literal["suppress"]
    until: AwareDatetime

    @property
    def until_utc(self) -> datetime:
        return self.until.astimezone(UTC)


class _Committed(_Message):
    keys: list[_Text] = Field(max_length=10_000)


_REQUEST: TypeAdapter[VerifyRequest | SuppressRequest] = TypeAdapter(
    Annotated[VerifyRequest | SuppressRequest, Field(discriminator="type")]
)


def parse_request(payload: bytes) -> VerifyRequest | SuppressRequest:
    """Raises PayloadError that names the field."""
    try:
        request = _REQUEST.validate_python(_json(payload))
        _ = request.place
    except ValidationError as trouble:
        raise PayloadError(f"request: {_first(trouble)}") from None
    except ValueError as trouble:
        raise PayloadError(f"request: {trouble}") from None
    return request


def parse_committed(payload: bytes) -> list[str]:
    """The keys dispatch has committed. Raises PayloadError that names the field."""
    try:
        return _Committed.model_validate(_json(payload)).keys
    except ValidationError as trouble:
        raise PayloadError(f"committed: {_first(trouble)}") from None


def _json(payload: bytes) -> object:
    if len(payload) > LARGEST_PAYLOAD:
        raise PayloadError(f"a message of {len(payload)} bytes is too large, at most {LARGEST_PAYLOAD} are read")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as trouble:
        raise PayloadError(f"a message is not JSON: {trouble}") from None


def _first(trouble: ValidationError) -> str:
    error = trouble.errors()[0]
    place = ".".join(str(part) for part in error["loc"]) or "message"
    return f"{place}: {error['msg']}"
