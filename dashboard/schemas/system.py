"""What the system can see, and whether it is well."""

from __future__ import annotations

from typing import Literal

from dashboard.schemas.base import Out, TextOut
from models.taxonomy import SeenBy


class CoverageRow(Out):
    """What the loaded weights see of one subcategory. precision, recall: of what the rule tells, or where that was not
    measured, of the detection it stands on (evidence says which); null where nothing was measured. assist_only: seen
    by cameras, but not measured well enough to send anybody without a person looking first.
    """

    code: str
    zh: str
    en: str
    seen_by: SeenBy
    precision: float | None
    recall: float | None
    evidence: TextOut
    assist_only: bool


class HealthOut(Out):
    status: Literal["ok", "degraded"]
    version: str
