"""What every request and answer is made of: identifiers, texts, errors.

The front end's types are generated from this package (`python -m dashboard.openapi`), so a name changed here is a name
changed on every page. Times are UTC and end in "Z"; positions are (longitude, latitude); boxes and polygons are
fractions of the picture.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.incidents import IncidentState

Position = tuple[float, float]
BoxOut = tuple[float, float, float, float]
# Ids are opaque, but they travel in paths, topics and logs: no slashes, no control characters, no novels.
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
PictureName = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# Where a page ends: an incident's number. Larger than any database integer would be a fault, not an empty page.
NumberBefore = Annotated[int, Field(ge=1, le=2**31)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Out(BaseModel):
    """An answer: built by us, frozen, fields with defaults still always present."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class In(BaseModel):
    """A request: from outside, so an unknown field is an error and not a silent misunderstanding."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class TextOut(Out):
    zh: str
    en: str


class Named(Out):
    """A code of some list with its words."""

    code: str
    zh: str
    en: str


class ErrorBody(Out):
    """`code` is for programs; the sentences are for people. `state`: a refused step's incident stands here now.

    `retry_after_s`: how long to wait before the same request can succeed, where waiting helps. Both are left out where
    there is nothing to say.
    """

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=False)

    code: str
    zh: str
    en: str
    state: IncidentState | None = None
    retry_after_s: int | None = None


class ErrorOut(Out):
    error: ErrorBody
