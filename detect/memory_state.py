"""A scene as JSON, for the disk: a watch node that restarts knows what already stood there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from detect.memory import Scene
from detect.things import Thing
from models.errors import PayloadError
from models.geometry import Box


def scene_to_state(scene: Scene) -> dict[str, Any]:
    return {
        "things": [_thing_to_state(thing) for thing in scene.things],
        "departed": [_thing_to_state(thing) for thing in scene.departed],
        "looked_at": scene.looked_at.isoformat() if scene.looked_at else None,
        "next_id": scene.next_id,
        "view": base64.b64encode(scene.view).decode(),
        "aspect": scene.aspect,
    }


def scene_from_state(state: Mapping[str, Any]) -> Scene:
    """Raises PayloadError when it is not what `scene_to_state` wrote."""
    try:
        return Scene(
            tuple(_thing_from_state(item) for item in state["things"]),
            tuple(_thing_from_state(item) for item in state["departed"]),
            datetime.fromisoformat(state["looked_at"]) if state["looked_at"] else None,
            int(state["next_id"]),
            base64.b64decode(state.get("view", ""), validate=True),
            float(state.get("aspect", 16 / 9)),
        )
    except (KeyError, TypeError, ValueError) as trouble:
        raise PayloadError(f"a saved scene is damaged ({trouble}); the camera learns its scene again") from trouble


def _thing_to_state(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.thing_id,
        "name": thing.name,
        "box": thing.box.xyxy,
        "anchor": thing.anchor.xyxy,
        "score": thing.score,
        "first_seen": thing.first_seen.isoformat(),
        "last_seen": thing.last_seen.isoformat(),
        "standing_since": thing.standing_since.isoformat(),
        "sightings": thing.sightings,
        "missed": thing.missed,
        "votes": dict(thing.votes),
        "held": thing.held,
        "compared": thing.compared,
        "stirs": thing.stirs,
        "view": base64.b64encode(thing.view).decode(),
    }


def _thing_from_state(item: Mapping[str, Any]) -> Thing:
    """Figures that came later are 0 in an older state: the looks to come fill them."""
    return Thing(
        thing_id=int(item["id"]),
        name=str(item["name"]),
        box=Box(*item["box"]),
        anchor=Box(*item["anchor"]),
        score=float(item["score"]),
        first_seen=datetime.fromisoformat(item["first_seen"]),
        last_seen=datetime.fromisoformat(item["last_seen"]),
        standing_since=datetime.fromisoformat(item["standing_since"]),
        sightings=int(item["sightings"]),
        missed=int(item["missed"]),
        votes=tuple((str(name), float(weight)) for name, weight in item["votes"].items()),
        held=int(item.get("held", 0)),
        compared=int(item.get("compared", 0)),
        stirs=int(item.get("stirs", 0)),
        view=base64.b64decode(item.get("view", ""), validate=True),
    )
