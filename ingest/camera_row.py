"""One row of a camera list, from the words people use for columns to a Camera, or every fault in it at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from ingest.addresses import NetworkAddress, parse
from models.errors import SourceError
from models.geometry import Polygon
from models.ids import CameraId, NodeId
from models.places import Camera, Zone, ZoneKind

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "camera_id", "camera", "编号", "摄像头编号", "设备编号", "点位编号", "国标编码", "设备编码"),
    "name": ("name", "camera_name", "名称", "摄像头名称", "设备名称", "点位名称", "位置", "点位"),
    "source": ("source", "address", "url", "uri", "地址", "取流地址", "视频地址", "抓拍地址", "流地址", "rtsp地址"),
    "user": ("user", "username", "login", "用户名", "用户", "账号"),
    "password": ("password", "pass", "pwd", "密码", "口令"),
    "longitude": ("longitude", "lon", "lng", "经度"),
    "latitude": ("latitude", "lat", "纬度"),
    "position": ("position", "lonlat", "coordinates", "经纬度", "坐标"),
    "bearing_deg": ("bearing_deg", "bearing", "heading", "朝向", "方位角", "方向"),
    "max_interval_s": ("max_interval_s", "interval", "interval_s", "every_s", "间隔", "巡看间隔", "最长间隔", "间隔秒"),
    "continuous": ("continuous", "常开", "是否常开", "持续", "持续拉流"),
    "zones": ("zones", "zone", "区域"),
}
"""A camera's fields and what columns are called; case, spaces, "-" and anything in brackets do not matter."""

_FIELD_OF = {heading: field for field, headings in HEADINGS.items() for heading in headings}

YES = frozenset({"1", "true", "yes", "y", "是", "开", "√"})
NO = frozenset({"", "0", "false", "no", "n", "否", "关", "×"})

LONGEST_NAME = 120
SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 0.2, 3600.0
"""As in the district file: five looks a second is a video, one an hour sees nothing happen."""

MOST_ZONES, MOST_CORNERS = 100, 200

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BRACKETS = re.compile(r"[(\uff08\[].*?[)\uff09\]]")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row. Never holds the row's address or password."""

    row: int
    field: str
    wrong: str
    fix: str


class RowError(Exception):
    """Every fault of one row: (field, what is wrong, the fix)."""

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {wrong}" for field, wrong, _ in faults))
        self.faults = faults


def known_field(heading: str) -> str | None:
    """The camera's field a heading means, if any.

    >>> known_field("经度（WGS84）"), known_field("Camera ID"), known_field("备注")
    ('longitude', 'id', None)
    """
    plain = _BRACKETS.sub("", str(heading)).strip().lower().replace(" ", "_").replace("-", "_")
    return _FIELD_OF.get(plain)


def camera_of(row: Mapping[str, Any], *, node_id: NodeId) -> tuple[Camera, frozenset[str]]:
    """The camera, and which of its fields the row spoke of. Raises RowError with all that is wrong."""
    values = {field: value for heading, value in row.items() if (field := known_field(heading)) and _given(value)}
    faults: list[tuple[str, str, str]] = []

    def read(field: str, reading: Callable[[Mapping[str, Any]], Any]) -> Any:
        try:
            return reading(values)
        except _WrongError as wrong:
            faults.append((wrong.field or field, wrong.wrong, wrong.fix))
            return None

    camera_id = read("id", _id)
    source = read("source", _source)
    position = read("position", _position)
    name = read("name", _name)
    bearing = read("bearing_deg", _bearing)
    interval = read("max_interval_s", _interval)
    continuous = read("continuous", _continuous)
    zones = read("zones", _zones)
    if faults:
        raise RowError(faults)
    camera = Camera(
        camera_id=CameraId(camera_id),
        name=name or camera_id,
        source=source,
        position=position,
        node_id=node_id,
        zones=zones or (),
        bearing_deg=bearing,
        max_interval_s=interval or 10.0,
        continuous=bool(continuous),
    )
    spoken = {"position" if field in ("longitude", "latitude") else field for field in values}
    return camera, frozenset(spoken - {"user", "password"})


def merged(present: Camera, camera: Camera, given: frozenset[str]) -> Camera:
    """A known camera after a row about it: what the row did not speak of stays, zones above all."""
    spoken = {field: getattr(camera, field) for field in given - {"id"}}
    return replace(present, **spoken)


class _WrongError(Exception):
    def __init__(self, wrong: str, fix: str, *, field: str = "") -> None:
        super().__init__(wrong)
        self.wrong, self.fix, self.field = wrong, fix, field


def _given(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _text(values: Mapping[str, Any], field: str) -> str:
    return str(values.get(field, "")).strip()


def _id(values: Mapping[str, Any]) -> str:
    text = _text(values, "id")
    if not text:
        raise _WrongError("missing", "give each camera an id that stays the same, e.g. its number in your list")
    if not _ID.fullmatch(text):
        raise _WrongError(f"{text[:40]!r} is no id", "up to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit")
    return text


def _name(values: Mapping[str, Any]) -> str:
    text = " ".join(_text(values, "name").split())
    if len(text) > LONGEST_NAME:
        raise _WrongError(f"{len(text)} letters", f"at most {LONGEST_NAME}")
    return text


def _source(values: Mapping[str, Any]) -> str:
    text = _text(values, "source")
    if not text:
        raise _WrongError("missing", "an http(s):// snapshot or rtsp:// address, a video file or a folder of pictures")
    try:
        address = parse(text)
    except SourceError as error:
        raise _WrongError(str(error), "correct the address") from None
    user = _text(values, "user")
    if not user:
        return text
    if not isinstance(address, NetworkAddress):
        raise _WrongError("a user is given, but the address is a file", "leave user and password empty", field="user")
    if address.user is not None:
        raise _WrongError("given in the address and in its own column", "leave one of them", field="user")
    secret = f"{quote(user, safe='')}:{quote(_text(values, 'password'), safe='')}@"
    return text.replace("://", f"://{secret}", 1)


def _position(values: Mapping[str, Any]) -> tuple[float, float]:
    if "position" in values:
        given = values["position"]
        parts = list(given) if isinstance(given, list | tuple) else re.split(r"[,\uff0c;\s]+", str(given).strip())
        if len(parts) != 2:
            raise _WrongError(f"{str(given)[:40]!r} is no position", "longitude,latitude, e.g. 121.4737,31.2304")
        pair: tuple[Any, Any] = (parts[0], parts[1])
    else:
        pair = values.get("longitude"), values.get("latitude")
    longitude = _number(pair[0], "longitude", least=-180, most=180)
    latitude = _number(pair[1], "latitude", least=-90, most=90)
    if longitude == 0 and latitude == 0:
        raise _WrongError("0, 0 lies in the Gulf of Guinea", "the camera's own longitude and latitude")
    return longitude, latitude


def _bearing(values: Mapping[str, Any]) -> float | None:
    if "bearing_deg" not in values:
        return None
    return _number(values["bearing_deg"], "bearing_deg", least=0, most=360) % 360


def _interval(values: Mapping[str, Any]) -> float | None:
    if "max_interval_s" not in values:
        return None
    return _number(values["max_interval_s"], "max_interval_s", least=SHORTEST_INTERVAL_S, most=LONGEST_INTERVAL_S)


def _continuous(values: Mapping[str, Any]) -> bool:
    text = _text(values, "continuous").lower()
    if text not in YES | NO:
        raise _WrongError(f"{text[:20]!r} is neither yes nor no", "是 or 否, yes or no, 1 or 0")
    return text in YES


def _number(value: Any, field: str, *, least: float, most: float) -> float:
    if not _given(value):
        raise _WrongError("missing", f"a number from {least:g} to {most:g}", field=field)
    try:
        number = float(str(value).strip().rstrip("°度秒s"))
    except ValueError:
        raise _WrongError(f"{str(value)[:40]!r} is no number", f"{least:g} to {most:g}", field=field) from None
    if not least <= number <= most:
        swapped = field == "latitude" and least <= -90 and 90 < abs(number) <= 180
        hint = "longitude and latitude look swapped" if swapped else f"{least:g} to {most:g}"
        raise _WrongError(f"{number:g} is out of range", hint, field=field)
    return number


def _zones(values: Mapping[str, Any]) -> tuple[Zone, ...]:
    """Only JSON lists have them: [{"name", "kind", "polygon": [[x, y], …]}]."""
    given = values.get("zones", [])
    if not isinstance(given, list) or len(given) > MOST_ZONES:
        raise _WrongError("no list of zones", f"at most {MOST_ZONES}, in a JSON list; or draw them on the picture")
    return tuple(_zone(zone) for zone in given)


def _zone(given: Any) -> Zone:
    try:
        corners = tuple((float(x), float(y)) for x, y in given["polygon"])
        zone = Zone(str(given["name"])[:LONGEST_NAME], ZoneKind(given["kind"]), Polygon(corners))
    except (KeyError, TypeError, ValueError):
        raise _WrongError("a zone cannot be read", 'name, kind and "polygon": [[x, y], …] in fractions') from None
    if not 3 <= len(corners) <= MOST_CORNERS or not all(0 <= value <= 1 for corner in corners for value in corner):
        raise _WrongError(f"the zone {zone.name} is no polygon", "3 to 200 corners, x and y from 0 to 1")
    return zone
