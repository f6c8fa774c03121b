"""The demonstration district: `district.toml` with its footage found, or with the user's own videos as cameras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from dispatch.practice import Patience
from gridwarden.demo.footage import Say, fetch, find
from gridwarden.district import NODE, District, read_district
from gridwarden.own_camera import own_camera
from models.errors import SettingsError
from models.people import Role
from models.places import Camera
from models.taxonomy import Taxonomy

FILE = Path(__file__).with_name("district.toml")
SCHEME = "footage:"

PATIENCE = Patience(receive=timedelta(hours=1), reopening=timedelta(0))
"""In a real district silence is passed on after 5 minutes; whoever tries the demonstration signs in when they like.

A problem seen again within 10 minutes of its closing reopens it there; here the clip starts over and brings everything
back, so it is a new one."""

POSITION = (113.6105, 34.7527)
"""A user's own cameras stand in the middle of the first cell, a few metres apart."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where a role's work is, as told at the start."""

    path: str
    zh: str
    en: str


SHOWN_ROLES = {
    Role.OPERATOR: Page("/", "指挥中心", "command centre"),
    Role.WORKER: Page("/worker", "网格员　", "grid worker"),
    Role.ANALYST: Page("/analysis", "分析研判", "analyst"),
}


def demo_district(cache: Path, sources: Sequence[str], *, taxonomy: Taxonomy, say: Say) -> District:
    """Raises SettingsError when there is nothing to show, and how to give something."""
    district = read_district(FILE, taxonomy=taxonomy, node_id=NODE)
    if sources:
        return replace(district, cameras=tuple(_own_cameras(sources)))
    fetch(cache, say=say)
    cameras = tuple(found for camera in district.cameras if (found := _with_footage(camera, cache)))
    if not cameras:
        raise SettingsError(
            "No demonstration footage could be had. Give your own: ./scripts/demo VIDEO_OR_RTSP_URL …, "
            "or run it again with a network."
        )
    if left_out := len(district.cameras) - len(cameras):
        say(f"{left_out} of {len(district.cameras)} cameras are left out: their footage is not on this machine")
    return replace(district, cameras=cameras)


def _with_footage(camera: Camera, cache: Path) -> Camera | None:
    name, mark, options = camera.source.removeprefix(SCHEME).partition("#")
    path = find(name, cache)
    return None if path is None else replace(camera, source=f"{path}{mark}{options}")


def _own_cameras(sources: Sequence[str]) -> Iterator[Camera]:
    for number, source in enumerate(sources, start=1):
        yield own_camera(number, source, position=(POSITION[0] + 0.0004 * (number - 1), POSITION[1]))
