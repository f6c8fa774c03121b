"""What the cameras can see, and how well, measured."""

from __future__ import annotations

from fastapi import APIRouter

from dashboard.schemas import CoverageRow
from dashboard.sessions import Anyone, OpenParts

router = APIRouter(tags=["coverage"])


@router.get("/api/coverage")
def get_coverage(parts: OpenParts, _: Anyone) -> list[CoverageRow]:
    raise NotImplementedError
