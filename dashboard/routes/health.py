"""Is it alive? For supervisors and load balancers: no sign-in, no details."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from dashboard.schemas.system import HealthOut
from dashboard.sessions import OpenParts
from dispatch import queries

router = APIRouter(tags=["health"])
log = logging.getLogger(__name__)


@router.get("/api/health")
def get_health(parts: OpenParts) -> HealthOut:
    """`degraded`: the store does not answer; pages may be old."""
    try:
        with parts.store.reading() as session:
            queries.last_seq(session)
    except Exception:
        log.exception("The store does not answer")
        return HealthOut(status="degraded", version=_version())
    return HealthOut(status="ok", version=_version())


def _version() -> str:
    try:
        return version("gridwarden")
    except PackageNotFoundError:
        return "unpackaged"
