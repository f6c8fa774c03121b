"""From looks and detections to observations: one camera memory each, the recipes, suppressions, evidence.

Called from one thread at a time. Everything that decides is pure and lies in `memory` and `rules`; here it is joined.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from detect import evidence
from detect.background import Background
from detect.camera_memory import CameraMemory, EarlierPicture, restore, to_state
from detect.memory import START_SCORE, Scene, Threshold, remember
from detect.rules.episodes import Telling, advance, pending
from detect.rules.hit import Hit
from detect.rules.hours import in_force_since
from detect.rules.kinds import RULES
from detect.rules.plan import PlannedRule, needs_background, plan
from detect.rules.words import reason
from detect.suppression import Suppressions
from detect.things import kin, overlap
from detect.views import DETAIL, viewer
from ingest.picture_store import PictureStore
from models.errors import PayloadError, SettingsError
from models.geometry import Box
from models.ids import CameraId, NodeId, ObservationKey, SubcategoryCode
from models.observations import Evidence, EvidenceRole, Observation
from models.pictures import Detections, Look
from models.places import Camera
from models.taxonomy import STATIC_CHANGE, Taxonomy

log = logging.getLogger(__name__)

LOCAL_TIME = ZoneInfo("Asia/Shanghai")
"""Hours in recipes are local; China has one time zone."""

EARLIER_EVERY = timedelta(minutes=10)
"""How often the picture of a calm moment is renewed: a "before" of the same light, at 2 ms per camera and 10 min."""


HANDLED_PLACE = 0.3
"""Share of the smaller box: what stands so much in a handled place is what was handled, or is new there."""


class Observer:
    """Knows every camera of a node. pictures: None leaves observations without evidence (for `watch` and tests).

    threshold: the score from which a find of a class begins something; the detector may pass on weaker ones
    (`detect.memory.KEEP_SCORE`), which only hold what is known.
    """

    def __init__(
        self,
        *,
        node_id: NodeId,
        taxonomy: Taxonomy,
        names: tuple[str, ...],
        suppressions: Suppressions | None = None,
        pictures: PictureStore | None = None,
        local_time: tzinfo = LOCAL_TIME,
        threshold: Threshold = lambda _: START_SCORE,
    ) -> None:
        self._node_id, self._taxonomy, self._pictures = node_id, taxonomy, pictures
        self._names = names if STATIC_CHANGE in names else (*names, STATIC_CHANGE)
        self._suppressions, self._local_time, self._threshold = suppressions, local_time, threshold
        self._memories: dict[CameraId, CameraMemory] = {}

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]:
        """These and no others; what is known of the others is forgotten, zones and overrides may have changed.

        Returns what is wrong, a sentence by camera; such a camera is watched without its overrides.
        """
        problems: dict[CameraId, str] = {}
        memories: dict[CameraId, CameraMemory] = {}
        for camera in cameras:
            try:
                rules = plan(camera, self._taxonomy, self._names)
            except SettingsError as trouble:
                problems[camera.camera_id] = str(trouble)
                rules = plan(replace(camera, overrides={}), self._taxonomy, self._names)
            known = self._memories.get(camera.camera_id)
            background = (known and known.background) or (Background() if needs_background(rules) else None)
            memory = known or CameraMemory(rules, background)
            memory.rules, memory.background = rules, background
            memories[camera.camera_id] = memory
        self._memories = memories
        return problems

    def see(self, look: Look, detections: Detections) -> list[Observation]:
        """What this inferred look makes worth telling; looks of unknown cameras say nothing."""
        memory = self._memories.get(look.camera_id)
        if memory is None:
            return []
        memory.seen = self._with_changes(memory, look, detections)
        height, width = look.reduced(DETAIL).shape[:2]
        memory.scene = remember(
            replace(memory.scene, aspect=width / height), memory.seen, look.captured_at,
            threshold=self._threshold, view=viewer(look),
        )  # fmt: skip
        return self._judge(memory, look)

    def unchanged(self, look: Look) -> list[Observation]:
        """The gate says that nothing changed since the last inferred look: what stood there stands there longer."""
        memory = self._memories.get(look.camera_id)
        if memory is None or memory.seen is None:
            return []
        appeared = self._appeared(memory)
        if appeared is None:
            memory.scene = memory.scene.confirmed(look.captured_at, viewer(look))
        else:
            memory.seen = appeared
            memory.scene = remember(
                memory.scene, appeared, look.captured_at, threshold=self._threshold, view=viewer(look)
            )  # fmt: skip
        return self._judge(memory, look)

    def wants_another_look(self, camera_id: CameraId) -> bool:
        """Something was seen that another look soon could confirm."""
        memory = self._memories.get(camera_id)
        return memory is not None and pending(memory.episodes)

    def last_seen(self, camera_id: CameraId) -> Detections | None:
        """The last inferred look's detections with static changes, for verification."""
        memory = self._memories.get(camera_id)
        return memory.seen if memory else None

    def forget_place(self, camera_id: CameraId, code: SubcategoryCode, box: Box) -> None:
        """The problem there has been handled: if it comes back, even at once, it is a new one."""
        memory = self._memories.get(camera_id)
        if memory is None:
            return
        memory.episodes = tuple(
            episode
            for episode in memory.episodes
            if episode.subcategory != code or overlap(episode.box, box) < HANDLED_PLACE
        )
        recipe = self._taxonomy.subcategories[code].recipe if code in self._taxonomy.subcategories else None
        names = frozenset().union(*(kin(name) for name in recipe.classes)) if recipe else frozenset()
        memory.scene = _without(memory.scene, names, box)

    def take_back(self, camera_id: CameraId) -> None:
        """What the last look told could not be kept: the next look tells it again."""
        memory = self._memories.get(camera_id)
        if memory is not None:
            memory.episodes = memory.before

    def changed_states(self) -> dict[CameraId, str]:
        """The memories that changed since last asked, as JSON texts."""
        states = {camera_id: to_state(memory) for camera_id, memory in self._memories.items() if memory.changed}
        for camera_id in states:
            self._memories[camera_id].changed = False
        return states

    def state_of(self, camera_id: CameraId) -> str:
        return to_state(self._memories[camera_id])

    def restore(self, states: Mapping[CameraId, str]) -> int:
        """Takes back saved memories of known cameras; a damaged one is logged and learnt again. The count restored."""
        restored = 0
        for camera_id, text in states.items():
            memory = self._memories.get(camera_id)
            if memory is None:
                continue
            try:
                restore(memory, text)
                restored += 1
            except PayloadError as trouble:
                log.warning("camera %s: %s", camera_id, trouble)
        return restored

    def _with_changes(self, memory: CameraMemory, look: Look, detections: Detections) -> Detections:
        """The detections in the node's names, joined by the static changes."""
        widened = Detections(detections.boxes, detections.scores, detections.class_ids, self._names)
        if memory.background is None:
            return widened
        sure = np.array([row.score >= self._threshold(row.name) for row in detections], bool)
        return self._joined(memory, widened, memory.background.changes(look.small, detections[sure]))

    def _joined(self, memory: CameraMemory, seen: Detections, changes: Detections) -> Detections:
        unnamed = _unnamed(changes, seen, memory.scene, self._threshold)
        ids = np.full(len(unnamed), self._names.index(STATIC_CHANGE), np.int32)
        return Detections.merge([seen, Detections(unnamed.boxes, unnamed.scores, ids, self._names)])

    def _appeared(self, memory: CameraMemory) -> Detections | None:
        """What was seen last, with static changes that have stood long enough only now; None where there are none."""
        if memory.background is None or memory.seen is None:
            return None
        named = memory.seen[memory.seen.class_ids != self._names.index(STATIC_CHANGE)]
        joined = self._joined(memory, named, memory.background.unchanged())
        return joined if len(joined) > len(memory.seen) else None

    def _judge(self, memory: CameraMemory, look: Look) -> list[Observation]:
        at = memory.scene.looked_at or look.captured_at
        episodes, tellings = advance(memory.episodes, self._hits(memory, look.camera_id, at), at)
        observations = [self._observation(memory, look, telling, at) for telling in tellings]
        memory.before, memory.episodes, memory.changed = memory.episodes, episodes, True
        self._note_calm(memory, look, at)
        return observations

    def _hits(self, memory: CameraMemory, camera_id: CameraId, at: datetime) -> list[tuple[PlannedRule, Hit]]:
        local = at.astimezone(self._local_time)
        found: list[tuple[PlannedRule, Hit]] = []
        for rule in memory.rules:
            since = in_force_since(local, rule.recipe)
            if since is not None:
                found += [(rule, _in_force(hit, since)) for hit in RULES[rule.recipe.rule](rule, memory.scene)]
        return [
            (rule, hit) for rule, hit in found if not self._suppressed(camera_id, rule.subcategory.code, hit.box, at)
        ]

    def _suppressed(self, camera_id: CameraId, code: SubcategoryCode, box: Box, at: datetime) -> bool:
        return self._suppressions is not None and self._suppressions.covers(camera_id, code, box, at)

    def _observation(self, memory: CameraMemory, look: Look, telling: Telling, at: datetime) -> Observation:
        rule, episode, hit = telling.rule, telling.episode, telling.hit
        lasted_s = (at - episode.since).total_seconds()
        return Observation(
            key=_key(look.camera_id, rule, telling),
            node_id=self._node_id,
            camera_id=look.camera_id,
            subcategory=rule.subcategory.code,
            first_seen_at=episode.since,
            captured_at=at,
            box=hit.box,
            confidence=min(max(hit.confidence, 0.0), 1.0),
            why=reason(hit, rule.recipe, self._taxonomy, lasted_s=lasted_s),
            evidence=self._evidence(memory, look, telling, at),
            assist=rule.recipe.assist > 0,
        )

    def _evidence(self, memory: CameraMemory, look: Look, telling: Telling, at: datetime) -> tuple[Evidence, ...]:
        if self._pictures is None or memory.seen is None:
            return ()
        found = evidence.keep(
            self._pictures, look.image, memory.seen, box=telling.hit.box, role=EvidenceRole.FOUND, taken_at=at
        )
        earlier = memory.earlier
        if earlier is None or earlier.taken_at >= telling.episode.first_seen:
            return (found,)
        return (found, Evidence(self._pictures.put(earlier.jpeg), EvidenceRole.BEFORE, earlier.taken_at))

    def _note_calm(self, memory: CameraMemory, look: Look, at: datetime) -> None:
        """Keeps a masked picture of a moment in which nothing is waiting to be told."""
        fresh = memory.earlier is not None and at - memory.earlier.taken_at < EARLIER_EVERY
        if self._pictures is None or memory.seen is None or fresh or pending(memory.episodes):
            return
        memory.earlier = EarlierPicture(evidence.latest_jpeg(look.reduced(evidence.LATEST_SIDE), memory.seen), at)


def _key(camera_id: CameraId, rule: PlannedRule, telling: Telling) -> ObservationKey:
    """The same for the same telling of the same episode, whoever works it out and however often."""
    episode = telling.episode
    began = (episode.first_seen.isoformat(), episode.since.isoformat())
    parts = (camera_id, rule.subcategory.code, episode.origin, *began, episode.tale)
    return ObservationKey(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32])


def _in_force(hit: Hit, since: datetime) -> Hit:
    """What was allowed, or outside the recipe's hours, has its time from then on."""
    return hit if hit.since is None else replace(hit, since=max(hit.since, since))


def _without(scene: Scene, names: frozenset[str], box: Box) -> Scene:
    """The scene without such things at the place: whatever stands there from now on begins anew."""
    things, departed = (
        tuple(thing for thing in group if thing.name not in names or overlap(thing.box, box) < HANDLED_PLACE)
        for group in (scene.things, scene.departed)
    )
    return replace(scene, things=things, departed=departed)


NAMED = (
    "garbage", "garbage_bin", "garbage_overflow", "fire", "smoke", "pothole", "umbrella", "dog", "cat",
    "bird", "car", "bus", "truck", "bicycle", "motorcycle",
)  # fmt: skip
"""What recipes of its own tell by its name, and is no unnamed static change besides. Furniture and luggage are not
among them: a chair before a shop has a recipe, but a chair on the footway is an object on the footway."""

KNOWN_BY_NAME = 0.5
"""Share of a static change that named things must cover."""


def _unnamed(changes: Detections, seen: Detections, scene: Scene, threshold: Threshold) -> Detections:
    """The static changes that nothing with a name explains, seen now or known to stand there."""
    named = [row.box for row in seen.of(*NAMED) if row.score >= threshold(row.name)]
    named += [
        thing.box for thing in scene.things
        if thing.standing and thing.name in NAMED and thing.score >= threshold(thing.name)
    ]  # fmt: skip
    keep = [
        max((row.box.intersection(box) for box in named), default=0.0) < KNOWN_BY_NAME * row.box.area
        for row in changes
    ]  # fmt: skip
    return changes[np.array(keep, bool)]
