"""What people have said about a camera's finds: the street teaches the network with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.geometry import Box
from models.ids import CameraId, PictureHash, SubcategoryCode
from models.people import Role


class StreetVerdict(StrEnum):
    """What became of an incident, as far as the picture it was found in is concerned."""

    CONFIRMED = "confirmed"
    NOTHING_HERE = "nothing_here"


@dataclass(frozen=True, slots=True)
class JudgedSighting:
    """One kept picture of an incident that has been decided.

    number: the incident's; box: where the thing is said to be on this picture, by `found_by`; roles, never persons: who
    reads a training set has no business with names.
    """

    number: int
    camera_id: CameraId
    subcategory: SubcategoryCode
    picture: PictureHash
    taken_at: datetime
    box: Box
    found_by: Role
    verdict: StreetVerdict
    judged_by: Role
    judged_at: datetime
