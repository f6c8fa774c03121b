"""What was told against what was to be told, subcategory by subcategory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from detect.memory import overlap
from detect.rules.episodes import HEARTBEAT_S
from gridwarden.bench.playing import Told
from gridwarden.bench.staging import Scene
from gridwarden.bench.stills import judged_in
from models.geometry import Box

SAME_PLACE = 0.5
"""Shared area over the smaller box from which on a told box is about the thing: rules tell the box of a heap or of all
things in a zone, which is larger than one of them."""


@dataclass(slots=True)
class Count:
    """right: expected and told; false: told and not expected, or told twice; missed: expected and not told."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        told = self.right + self.false
        return self.right / told if told else None

    @property
    def recall(self) -> float | None:
        wanted = self.right + self.missed
        return self.right / wanted if wanted else None

    def to_json(self) -> dict[str, Any]:
        return {"right": self.right, "false": self.false, "missed": self.missed}


@dataclass(slots=True)
class Verdict:
    """Counts by subcategory and kind of evidence ("composed", "picture"); remarks: what went wrong, in words."""

    counts: dict[str, dict[str, Count]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Count)))
    remarks: list[str] = field(default_factory=list)

    def take(self, scene: Scene, told: Sequence[Told]) -> None:
        """Adds one scene's outcome."""
        pending = dict.fromkeys(range(len(scene.expected)), 0.0)
        answered: dict[int, float] = {}
        judged, first = judged_in(scene), announcements(told)
        for item in told:
            if judged and item.code not in judged:
                continue
            match = _match(scene, item, pending)
            if match is not None:
                del pending[match]
                answered[match] = item.t
                self.counts[item.code][scene.kind].right += 1
            elif item in first and not _repeated(scene, item, answered) and not _allowed(scene, item):
                self.counts[item.code][scene.kind].false += 1
                self.remarks.append(f"{scene.name}: false {item.code} at {item.t:.0f} s: {item.why}")
        for index in pending:
            expected = scene.expected[index]
            self.counts[expected.code][scene.kind].missed += 1
            self.remarks.append(f"{scene.name}: missed {expected.code} until {expected.until_s:.0f} s")


def announcements(told: Sequence[Told]) -> list[Told]:
    """Without the hourly confirmations of what was told before."""
    return [
        item for item in told
        if not any(
            other.code == item.code
            and item.t - other.t >= HEARTBEAT_S * 0.95
            and overlap(other.box, item.box) >= SAME_PLACE
            for other in told
        )
    ]  # fmt: skip


def _match(scene: Scene, item: Told, pending: Iterable[int]) -> int | None:
    for index in pending:
        expected = scene.expected[index]
        timely = expected.code == item.code and expected.from_s <= item.t <= expected.until_s
        if timely and _about(scene, expected.actors, item):
            return index
    return None


def _repeated(scene: Scene, item: Told, answered: dict[int, float]) -> bool:
    """The hourly confirmation of something told before is no second announcement."""
    return any(
        scene.expected[index].code == item.code
        and item.t - at >= HEARTBEAT_S * 0.95
        and _about(scene, scene.expected[index].actors, item)
        for index, at in answered.items()
    )


def _allowed(scene: Scene, item: Told) -> bool:
    return any(
        allowed.code == item.code and (not allowed.actors or _about(scene, allowed.actors, item))
        for allowed in scene.allowed
    )


def _about(scene: Scene, actors: tuple[int, ...], item: Told) -> bool:
    there = scene.box_of(actors, item.t) or _last_box(scene, actors)
    return there is not None and overlap(there, item.box) >= SAME_PLACE


def _last_box(scene: Scene, actors: tuple[int, ...]) -> Box | None:
    """Where something that has left stood: what is missing is told at its place."""
    boxes = [scene.actors[index].box_at(scene.actors[index].since_s) for index in actors if index < len(scene.actors)]
    return next((box for box in boxes if box), None)
