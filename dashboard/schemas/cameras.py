"""Cameras and how they are."""

from __future__ import annotations

from pydantic import AwareDatetime

from dashboard.schemas.base import Out, Position
from models.places import CameraCondition, Flaw, Trouble, ZoneKind


class ZoneOut(Out):
    name: str
    kind: ZoneKind
    polygon: list[Position]


class FlawOut(Out):
    """What is wrong with the pictures a camera gives, and what an operator does about it."""

    flaw: Flaw
    zh: str
    en: str


class CameraStateOut(Out):
    """The part of a camera that changes by itself; `message` says what its trouble is, in English.

    flaws: of a camera that does give pictures, the gravest first; such a camera finds little or nothing.
    """

    camera_id: str
    condition: CameraCondition
    since: AwareDatetime | None
    last_look_at: AwareDatetime | None
    next_look_at: AwareDatetime | None
    trouble: Trouble | None
    message: str
    looks: int
    inferred: int
    flaws: list[FlawOut]


class CameraOut(CameraStateOut):
    name: str
    position: Position
    bearing_deg: float | None
    zones: list[ZoneOut]
    cell_id: str | None
