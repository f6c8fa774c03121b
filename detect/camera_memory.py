"""All a watch node remembers of one camera, and its form on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from detect.background import Background
from detect.memory import Scene
from detect.memory_state import scene_from_state, scene_to_state
from detect.rules.episodes import Episode
from detect.rules.plan import PlannedRule
from models.errors import PayloadError
from models.geometry import Box
from models.ids import SubcategoryCode
from models.pictures import Detections

STATE_VERSION = 1
"""Grows when the form on disk changes; another version's memory is not read, the camera learns again."""


@dataclass(frozen=True, slots=True)
class EarlierPicture:
    """A masked JPEG from a calm moment, to show what a place looked like before."""

    jpeg: bytes
    taken_at: datetime


@dataclass(slots=True, eq=False)
class CameraMemory:
    """Mutable, owned by the observer. `seen`: the last look's detections, static changes among them;
    before: the episodes before the last look, in case what it told could not be kept.
    """

    rules: tuple[PlannedRule, ...]
    background: Background | None
    scene: Scene = field(default_factory=Scene)
    episodes: tuple[Episode, ...] = ()
    before: tuple[Episode, ...] = ()
    seen: Detections | None = None
    earlier: EarlierPicture | None = None
    changed: bool = False


def to_state(memory: CameraMemory) -> str:
    """JSON text."""
    return json.dumps(
        {
            "v": STATE_VERSION,
            "scene": scene_to_state(memory.scene),
            "episodes": [_episode_to_state(episode) for episode in memory.episodes],
            "background": memory.background.to_state() if memory.background else {},
        },
        separators=(",", ":"),
    )


def restore(memory: CameraMemory, text: str) -> None:
    """Fills the memory from what `to_state` wrote. Raises PayloadError, the memory unchanged, when it is not that."""
    try:
        state = json.loads(text)
        if state["v"] != STATE_VERSION:
            raise ValueError(f"version {state['v']} is not {STATE_VERSION}")
        scene = scene_from_state(state["scene"])
        episodes = tuple(_episode_from_state(item) for item in state["episodes"])
        background = Background.from_state(state["background"]) if memory.background else None
    except (KeyError, TypeError, ValueError, AttributeError) as trouble:
        raise PayloadError(f"a saved camera memory is damaged ({trouble}); the camera learns its scene again") from None
    memory.scene, memory.episodes, memory.background = scene, episodes, background


def _episode_to_state(episode: Episode) -> dict[str, Any]:
    return {
        "subcategory": episode.subcategory,
        "identity": episode.identity,
        "origin": episode.origin,
        "first_seen": episode.first_seen.isoformat(),
        "since": episode.since.isoformat(),
        "last_true": episode.last_true.isoformat(),
        "box": episode.box.xyxy,
        "dwell_s": episode.dwell_s,
        "looks": episode.looks,
        "missed": episode.missed,
        "told": episode.told,
        "told_size": episode.told_size,
        "told_at": episode.told_at.isoformat() if episode.told_at else None,
        "beats": episode.beats,
    }


def _episode_from_state(item: dict[str, Any]) -> Episode:
    return Episode(
        subcategory=SubcategoryCode(item["subcategory"]),
        identity=str(item["identity"]),
        origin=str(item["origin"]),
        first_seen=datetime.fromisoformat(item["first_seen"]),
        since=datetime.fromisoformat(item["since"]),
        last_true=datetime.fromisoformat(item["last_true"]),
        box=Box(*item["box"]),
        dwell_s=float(item["dwell_s"]),
        looks=int(item["looks"]),
        missed=int(item["missed"]),
        told=int(item["told"]),
        told_size=float(item["told_size"]),
        told_at=datetime.fromisoformat(item["told_at"]) if item["told_at"] else None,
        beats=int(item["beats"]),
    )
