"""A dashboard over a small real district, for tests and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
from fastapi import FastAPI

from dashboard.app import create_app
from dashboard.parts import Parts
from dashboard.passwords import hash_password
from dashboard.sessions import COOKIE, hash_of, new_token
from dispatch import accounts, people
from dispatch.broker_access import BrokerAccess
from dispatch.store.store import Store
from dispatch.testing import CENTRE, SUN, WANG, ZHAO, fill_small_district
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import Clock
from models.ids import DepartmentId, PersonId
from models.people import Person, Role
from models.places import CameraState
from models.testing import FakeClock
from models.text import Text

DATABASE = "gridwarden.db"
PASSWORD = "three grey cats"  # noqa: S105 - of a district that exists for a second
ANALYST = PersonId("analyst")
ADMINISTRATOR = PersonId("administrator")

ONE_OF_EACH = {
    Role.WORKER: WANG,
    Role.LEADER: ZHAO,
    Role.OPERATOR: CENTRE,
    Role.ANALYST: ANALYST,
    Role.ADMINISTRATOR: ADMINISTRATOR,
}
"""王伟 and 赵敏 answer for the west only."""


@dataclass(frozen=True, slots=True)
class SmallDashboard:
    """The parts, and what a test turns to see the dashboard answer."""

    parts: Parts
    app: FastAPI
    clock: FakeClock | Clock
    states: list[CameraState] = field(default_factory=list)
    counters: dict[str, float] = field(default_factory=dict)

    def cookie(self, person_id: str) -> dict[str, str]:
        """A signed-in browser of this person, without the wait for Argon2."""
        token = new_token()
        now = self.clock.now()
        with self.parts.store.transaction() as session:
            accounts.new_session(session, hash_of(token), person_id, now + timedelta(hours=13), now=now)
        return {COOKIE: token}


def small_dashboard(
    folder: Path, *, clock: Clock | None = None, heartbeat_s: float = 15.0, mqtt_ws_url: str | None = None
) -> SmallDashboard:
    """A store in `folder` with two cells, seven people and no passwords yet (see `give_passwords`).

    A folder that has been used before is taken up as it is.
    """
    ticking = clock or FakeClock()
    store = Store.open(f"sqlite:///{folder / DATABASE}", clock=ticking)
    _fill_once(store)
    states: list[CameraState] = []
    counters: dict[str, float] = {}
    parts = Parts(
        store=store,
        feed=store.feed,
        clock=ticking,
        taxonomy=store.practice.taxonomy,
        pictures=PictureStore(folder / "pictures"),
        latest=LatestPictures(),
        camera_states=lambda: list(states),
        counters=lambda: counters,
        broker_access=BrokerAccess(b"a secret of enough bytes"),
        mqtt_ws_url=mqtt_ws_url,
        web_dist=folder / "dist",
        district_name=Text("绿东村街道", "Lüdongcun Sub-district"),
    )
    return SmallDashboard(parts, create_app(parts, heartbeat_s=heartbeat_s), ticking, states, counters)


def _fill_once(store: Store) -> None:
    with store.reading() as session:
        if people.list_people(session):
            return
    fill_small_district(store)
    with store.transaction() as session:
        people.put_person(session, Person(ANALYST, "周分析", Role.ANALYST, DepartmentId("SQ")))
        people.put_person(session, Person(ADMINISTRATOR, "吴管理", Role.ADMINISTRATOR, DepartmentId("SQ")))


def give_passwords(dashboard: SmallDashboard) -> None:
    """Everybody signs in with their id and PASSWORD."""
    password_hash = hash_password(PASSWORD)
    with dashboard.parts.store.transaction() as session:
        for person_id in (*ONE_OF_EACH.values(), SUN):
            accounts.set_password_hash(session, person_id=person_id, username=person_id, password_hash=password_hash)


def street_jpeg(*, width: int = 64, height: int = 48, seed: int = 0) -> bytes:
    """A picture of nothing in particular, another for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    _, data = cv2.imencode(".jpg", noise)
    return bytes(data)
