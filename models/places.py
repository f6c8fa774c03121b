"""Where things are: cameras and the zones drawn on their pictures, grid cells on the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.geometry import Point, Polygon
from models.ids import CameraId, CellId, NodeId, SubcategoryCode
from models.text import Text


class ZoneKind(StrEnum):
    """What the ground inside a zone is for; recipes ask for kinds, operators draw zones."""

    FOOTWAY = "footway"
    CARRIAGEWAY = "carriageway"
    NO_PARKING = "no_parking"
    NO_VENDING = "no_vending"
    SHOP_FRONT = "shop_front"
    FIRE_LANE = "fire_lane"
    TACTILE_PATH = "tactile_path"
    RESTRICTED_STREET = "restricted_street"
    CYCLE_PARKING = "cycle_parking"
    FORBIDDEN = "forbidden"
    GATHERING = "gathering"
    GREEN = "green"
    WATER = "water"
    SITE = "site"
    BIN = "bin"
    HANGING = "hanging"
    COURTYARD = "courtyard"
    UNDERPASS = "underpass"
    GULLY = "gully"
    LOBBY = "lobby"
    CORRIDOR = "corridor"
    SHARED = "shared"
    WALL = "wall"
    MARKED_OBJECT = "marked_object"


ZONE_WORDS: Mapping[ZoneKind, Text] = {
    ZoneKind.FOOTWAY: Text("人行道", "footway"),
    ZoneKind.CARRIAGEWAY: Text("车行道", "carriageway"),
    ZoneKind.NO_PARKING: Text("禁停", "no parking"),
    ZoneKind.NO_VENDING: Text("禁摆", "no vending"),
    ZoneKind.SHOP_FRONT: Text("店前", "shop front"),
    ZoneKind.FIRE_LANE: Text("消防通道", "fire lane"),
    ZoneKind.TACTILE_PATH: Text("盲道", "tactile path"),
    ZoneKind.RESTRICTED_STREET: Text("限行路", "restricted street"),
    ZoneKind.CYCLE_PARKING: Text("非机动车停放", "cycle parking"),
    ZoneKind.FORBIDDEN: Text("禁入", "forbidden"),
    ZoneKind.GATHERING: Text("聚集", "gathering"),
    ZoneKind.GREEN: Text("绿地", "green"),
    ZoneKind.WATER: Text("水域", "water"),
    ZoneKind.SITE: Text("工地", "building site"),
    ZoneKind.BIN: Text("垃圾点", "bins"),
    ZoneKind.HANGING: Text("晾挂", "hanging"),
    ZoneKind.COURTYARD: Text("庭院", "courtyard"),
    ZoneKind.UNDERPASS: Text("下穿通道", "underpass"),
    ZoneKind.GULLY: Text("雨箅", "gully"),
    ZoneKind.LOBBY: Text("门厅", "lobby"),
    ZoneKind.CORRIDOR: Text("楼道", "corridor"),
    ZoneKind.SHARED: Text("公共区域", "shared space"),
    ZoneKind.WALL: Text("墙面", "wall"),
    ZoneKind.MARKED_OBJECT: Text("标记物", "marked object"),
}
"""What a kind of zone is called, as on the pages (`zone` in the front end's catalogues)."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon on one camera's picture, corners in fractions of width and height."""

    name: str
    kind: ZoneKind
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Camera:
    """One fixed camera.

    source: address as the operator gave it (it may hold a password: never log or send it, see
    `ingest.addresses.without_secret`); position: (longitude, latitude), WGS 84 degrees;
    max_interval_s: longest time between two looks; overrides: per-subcategory recipe values that
    differ on this camera, e.g. {"F1": {"dwell_s": 600}}; continuous: keep the stream open.
    """

    camera_id: CameraId
    name: str
    source: str
    position: Point
    node_id: NodeId
    zones: tuple[Zone, ...] = ()
    bearing_deg: float | None = None
    max_interval_s: float = 10.0
    continuous: bool = False
    overrides: Mapping[SubcategoryCode, Mapping[str, float]] = field(default_factory=dict)


class Trouble(StrEnum):
    """Why a camera gave no usable picture."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    NOT_A_PICTURE = "not_a_picture"
    ENDED = "ended"
    MISSING = "missing"


class Flaw(StrEnum):
    """What is wrong with the pictures of a camera that gives some, the gravest first. None of them is an incident."""

    FROZEN = "frozen"
    BLACK = "black"
    COVERED = "covered"
    MOVED = "moved"
    BLURRED = "blurred"
    CLOCK_WRONG = "clock_wrong"


FLAW_WORDS: Mapping[Flaw, Text] = {
    Flaw.FROZEN: Text(
        "画面冻结一分钟以上，请重启摄像头", "the camera has sent the identical picture for over a minute; restart it"
    ),
    Flaw.BLACK: Text(
        "画面全黑，请检查镜头盖、照明和夜视模式",
        "the picture is dark everywhere; check lens cover, light and night mode",
    ),
    Flaw.COVERED: Text("镜头被遮挡或蒙住，请到现场查看", "nothing is to be seen; something is in front of the lens"),
    Flaw.MOVED: Text(
        "画面已偏离参考视角，区域不再有效，请复位或重画区域",
        "the view is not the one its zones were drawn on; turn it back or draw the zones again",
    ),
    Flaw.BLURRED: Text(
        "画面模糊：镜头脏污、失焦或大雾，请清洁或对焦",
        "far less sharp than usual: dirty, out of focus, or fog; clean or focus it",
    ),
    Flaw.CLOCK_WRONG: Text("摄像头时钟不准，请校时", "the camera's clock is wrong; set it, or give it a time server"),
}
"""What an operator reads and does about it."""


class CameraCondition(StrEnum):
    """What a camera is doing, as shown to the operator."""

    STARTING = "starting"
    ONLINE = "online"
    LATE = "late"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class CameraState:
    """A camera's truth at one moment.

    since: when `condition` began; looks, failures: counted since start; flaws: of the pictures it gives.
    """

    camera_id: CameraId
    condition: CameraCondition
    since: datetime
    last_look_at: datetime | None = None
    next_look_at: datetime | None = None
    trouble: Trouble | None = None
    message: str = ""
    looks: int = 0
    inferred: int = 0
    failures: int = 0
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class GridCell:
    """A piece of the sub-district one roster answers for.

    boundary: outer ring, (longitude, latitude) in WGS 84 degrees; holes: rings that do not belong to it; code: the
    city's own, opaque; parent_id: the cell or community it is a part of, whose roster is asked next.
    """

    cell_id: CellId
    code: str
    name: str
    boundary: Polygon
    parent_id: CellId | None = None
    holes: tuple[Polygon, ...] = ()

    def contains(self, point: Point) -> bool:
        return self.boundary.contains(point) and not any(hole.contains(point) for hole in self.holes)
