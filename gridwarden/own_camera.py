"""A user's own video, folder or address as a camera nobody has drawn zones on yet."""

from __future__ import annotations

from pathlib import Path

from gridwarden.district import NODE
from ingest.addresses import FileAddress, parse, without_secret
from models.errors import SettingsError, SourceError
from models.geometry import Point, Polygon
from models.ids import CameraId, SubcategoryCode
from models.places import Camera, Zone, ZoneKind

KINDS = (ZoneKind.GATHERING, ZoneKind.NO_PARKING, ZoneKind.FOOTWAY, ZoneKind.NO_VENDING)
"""What the whole picture counts as, so that people, vehicles, stalls and garbage in it matter."""

OVERRIDES = {
    "B1": {"dwell_s": 20.0, "looks": 4.0},
    "B2": {"dwell_s": 20.0, "looks": 4.0},
    "B3": {"dwell_s": 20.0, "looks": 4.0},
    "F1": {"dwell_s": 20.0, "looks": 4.0},
    "F5": {"dwell_s": 20.0, "looks": 4.0},
    "G1": {"dwell_s": 20.0, "looks": 4.0},
    "J1": {"dwell_s": 5.0, "looks": 3.0, "count": 5.0},
}
"""Seconds instead of minutes: people's videos are short. The district's real limits are in taxonomy.toml."""

INTERVAL_S = 2.0
"""A clip of half a minute is then looked at fifteen times."""


def own_camera(number: int, source: str, *, position: Point) -> Camera:
    """Raises SettingsError naming the source and what would be right."""
    try:
        address = parse(source)
    except SourceError as error:
        raise SettingsError(str(error)) from error
    if isinstance(address, FileAddress) and not address.path.exists():
        raise SettingsError(
            f"{source} does not exist. Give a video file, a folder of pictures, or an rtsp:// or http:// address."
        )
    everything = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    return Camera(
        camera_id=CameraId(f"own-{number}"),
        name=f"自选画面 {number}（{Path(without_secret(source)).name}）",
        source=source,
        position=position,
        node_id=NODE,
        zones=tuple(Zone("整个画面", kind, everything) for kind in KINDS),
        max_interval_s=INTERVAL_S,
        overrides={SubcategoryCode(code): values for code, values in OVERRIDES.items()},
    )
