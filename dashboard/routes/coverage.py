"""What the cameras can see, and what of it was measured."""

from __future__ import annotations

from fastapi import APIRouter

from dashboard.schemas.base import TextOut
from dashboard.schemas.system import CoverageRow
from dashboard.sessions import Anyone, OpenParts
from models.taxonomy import SeenBy, Taxonomy

router = APIRouter(tags=["coverage"])


@router.get("/api/coverage")
def get_coverage(parts: OpenParts, _: Anyone) -> list[CoverageRow]:
    """A row for each subcategory, as `gridwarden coverage` prints it."""
    if parts.coverage is None:
        return _nothing_loaded(parts.taxonomy)
    return [
        CoverageRow(
            code=line.code,
            zh=line.zh,
            en=line.en,
            seen_by=line.seen_by,
            precision=line.precision,
            recall=line.recall,
            evidence=TextOut(zh=line.evidence.zh, en=line.evidence.en),
            assist_only=line.assist_only,
        )
        for line in parts.coverage()
    ]


def _nothing_loaded(taxonomy: Taxonomy) -> list[CoverageRow]:
    """Without weights nothing is seen by cameras, whatever the recipes intend."""
    return [
        CoverageRow(
            code=item.code,
            zh=item.zh,
            en=item.en,
            seen_by=SeenBy.PEOPLE,
            precision=None,
            recall=None,
            evidence=TextOut(zh="没有加载权重", en="no weights are loaded"),
            assist_only=False,
        )
        for item in taxonomy.subcategories.values()
    ]
