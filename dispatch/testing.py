"""A small district and readable builders for tests and benchmarks; everything in it is kept in a real store."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from dispatch.intake import commit_message
from dispatch.people import put_department, put_person, put_roster
from dispatch.places import put_camera, put_cell
from dispatch.queries import get_incident
from dispatch.store.store import Store
from models.geometry import Box, Polygon
from models.ids import CameraId, CellId, DepartmentId, NodeId, ObservationKey, PersonId, PictureHash, SubcategoryCode
from models.incidents import Incident
from models.observations import Applied, Evidence, EvidenceRole, Observation, Verdict, Verification
from models.people import Actor, Department, Duty, Person, Post, Role
from models.places import Camera, GridCell
from models.text import Text
from models.wire import applied_message, observation_message, verification_message

NODE = NodeId("node-1")
CAMERA = CameraId("camera-1")
EAST_CAMERA = CameraId("camera-2")
WEST = CellId("west")
EAST = CellId("east")
WANG = PersonId("wang")
LI = PersonId("li")
ZHAO = PersonId("zhao")
SUN = PersonId("sun")
CENTRE = PersonId("centre")
PHOTO = PictureHash("a" * 64)

PEOPLE = (
    Person(WANG, "王伟", Role.WORKER, DepartmentId("CG"), (WEST,)),
    Person(LI, "李娜", Role.WORKER, DepartmentId("CG"), (WEST,)),
    Person(ZHAO, "赵敏", Role.LEADER, DepartmentId("SQ"), (WEST,)),
    Person(SUN, "孙洋", Role.WORKER, DepartmentId("CG"), (EAST,)),
    Person(CENTRE, "指挥中心", Role.OPERATOR, DepartmentId("SQ")),
)
"""In the west 王伟 works, 李娜 is the substitute, 赵敏 leads; in the east there is only 孙洋."""

ROSTER = (
    Duty(WEST, WANG, Post.WORKER),
    Duty(WEST, LI, Post.SUBSTITUTE),
    Duty(WEST, ZHAO, Post.LEADER),
    Duty(EAST, SUN, Post.WORKER),
)

_keys = count(1)


def fill_small_district(store: Store) -> None:
    """Two cells with a camera each, five people, a roster around the clock."""
    with store.transaction() as session:
        for department in store.practice.taxonomy.departments.values():
            put_department(session, department)
        if "SQ" not in store.practice.taxonomy.departments:
            put_department(session, Department(DepartmentId("SQ"), "社区", "community"))
        put_cell(session, GridCell(WEST, "W-01", "西网格", square(120.0, 30.0)))
        put_cell(session, GridCell(EAST, "E-01", "东网格", square(120.1, 30.0)))
        put_camera(session, Camera(CAMERA, "西门", "file:west.mp4", (120.05, 30.05), NODE))
        put_camera(session, Camera(EAST_CAMERA, "东门", "file:east.mp4", (120.15, 30.05), NODE))
        for person in PEOPLE:
            put_person(session, person)
        put_roster(session, ROSTER)


def square(longitude: float, latitude: float) -> Polygon:
    """A tenth of a degree wide."""
    return Polygon(
        (
            (longitude, latitude),
            (longitude + 0.1, latitude),
            (longitude + 0.1, latitude + 0.1),
            (longitude, latitude + 0.1),
        )
    )


def observation(
    at: datetime,
    *,
    key: str | None = None,
    camera: CameraId = CAMERA,
    subcategory: str = "B1",
    box: Box | None = None,
    confidence: float = 0.8,
    picture: str = "b" * 64,
) -> Observation:
    return Observation(
        key=ObservationKey(key or f"observation-{next(_keys)}"),
        node_id=NODE,
        camera_id=camera,
        subcategory=SubcategoryCode(subcategory),
        first_seen_at=at - timedelta(minutes=10),
        captured_at=at,
        box=box or Box(0.2, 0.2, 0.4, 0.4),
        confidence=confidence,
        why=Text("3 袋垃圾，已 10 分钟，上限 5 分钟", "3 bags of garbage for 10 min, limit 5"),
        evidence=(Evidence(PictureHash(picture), EvidenceRole.FOUND, at),),
    )


def see(store: Store, seen: Observation) -> None:
    """The observation arrives and is committed."""
    with store.transaction() as session:
        commit_message(session, observation_message(seen), now=store.clock.now(), node_id=seen.node_id)


def verify(store: Store, incident: Incident, key: str, verdict: Verdict) -> None:
    """The camera answers the request `key`."""
    answer = Verification(
        key=ObservationKey(key),
        node_id=NODE,
        camera_id=incident.camera_id or CAMERA,
        incident_id=incident.incident_id,
        verdict=verdict,
        captured_at=store.clock.now(),
        why=Text("核查", "checked"),
        evidence=(Evidence(PictureHash("c" * 64), EvidenceRole.VERIFIED, store.clock.now()),),
    )
    with store.transaction() as session:
        commit_message(session, verification_message(answer), now=store.clock.now(), node_id=NODE)


def apply(store: Store, key: str) -> None:
    """The node says that it has carried out the suppression `key`."""
    with store.transaction() as session:
        commit_message(session, applied_message(Applied(ObservationKey(key), NODE)), now=store.clock.now())


def worker(person_id: PersonId) -> Actor:
    return Actor(Role.WORKER, person_id)


def incident(store: Store, incident_id: str) -> Incident:
    with store.reading() as session:
        return get_incident(session, incident_id)
