"""A worker's photo as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.projection import evidence_data
from models.errors import PayloadError
from models.ids import PictureHash
from models.observations import Evidence, EvidenceRole


def photo_evidence(data: Mapping[str, Any], now: datetime) -> list[dict[str, str]]:
    """Raises PayloadError for what is no picture's hash."""
    picture = data["photo"]
    if len(picture) != 64 or not set(picture) <= set("0123456789abcdef"):
        raise PayloadError("photo must be a picture's hash, 64 lower-case hex digits, as the upload returned it")
    return evidence_data([Evidence(PictureHash(picture), EvidenceRole.WORKER, now)])
