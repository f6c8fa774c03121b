"""How long a condition has held, and telling it once.

An episode is one problem at one place, from the first look that showed it to the look after which it is gone.
`advance` is pure: episodes and the hits of a look in, episodes and what is to be told out. A thing that just stands
there is checked again and again and told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from detect.rules.hit import Hit
from detect.rules.plan import PlannedRule
from detect.things import overlap
from models.geometry import Box
from models.ids import SubcategoryCode

GRACE_LOOKS = 2
"""Looks in a row a condition may be interrupted: a passer-by, one missed detection …"""

GRACE_S = 20.0
"""… and at least this long, two looks at 10 s …"""

GRACE_SHARE = 0.25
"""… or this share of the recipe's dwell: a crowd that thins for 40 s of 3 minutes is still that crowd."""

QUIET_S = 180.0
"""A told problem that is back within this time never left; after it, it is a new one. Three minutes outlast a lorry
that stops in front of the camera, and are less than anybody needs to clear a heap and drop the next."""

GREW = 2.0
"""Times the size at which it was told: worth telling again …"""

MOST_TOLD = 3
"""… but at most so often: a crowd that swells and shrinks is one crowd."""

HEARTBEAT_S = 3600.0
"""A problem still standing is confirmed to dispatch once an hour, so that "last seen" on the incident stays true."""

QUICK_S = 60.0
"""What must hold no longer than this is worth extra looks: flames yes, a parked car no."""

QUICK_LOOKS = 20
"""Extra looks one candidate gets: what a minute of them has not confirmed, a lamp say, waits for routine looks."""

MAX_EPISODES = 200
"""Per camera, newest kept; recipes times things a picture can hold."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One condition at one place.

    box: where it was told, before that where it is; origin: the identity it began with, part of the key, while
    `identity` follows heaps that join; looks: that showed it; dwell_s: how long it must hold; told, told_size,
    told_at: how often, how big and when it was told; beats: hourly confirmations.
    """

    subcategory: SubcategoryCode
    identity: str
    first_seen: datetime
    since: datetime
    last_true: datetime
    box: Box
    origin: str
    dwell_s: float
    looks: int = 1
    missed: int = 0
    told: int = 0
    told_size: float = 0.0
    told_at: datetime | None = None
    beats: int = 0

    @property
    def tale(self) -> str:
        """What tells this telling from others of the same episode; part of the idempotency key."""
        return f"{self.told}.{self.beats}"


@dataclass(frozen=True, slots=True)
class Telling:
    """An episode that has become worth telling, with the hit that shows it."""

    rule: PlannedRule
    episode: Episode
    hit: Hit


def advance(
    episodes: Sequence[Episode], found: Sequence[tuple[PlannedRule, Hit]], at: datetime
) -> tuple[tuple[Episode, ...], list[Telling]]:
    """The episodes after this look, and those to be told now."""
    known = _matched(episodes, found)
    going: list[Episode] = []
    tellings: list[Telling] = []
    for (rule, hit), before in zip(found, known, strict=True):
        episode = _begin(rule, hit, at) if before is None else _continue(before, hit, at)
        if _due(episode, rule, hit, at):
            episode = _told(episode, hit, at)
            tellings.append(Telling(rule, episode, hit))
        going.append(episode)
    waiting = [replace(episode, missed=episode.missed + 1) for episode in episodes if episode not in known]
    kept = [episode for episode in waiting if _stays(episode, at)]
    return tuple((kept + going)[-MAX_EPISODES:]), tellings


def pending(episodes: Sequence[Episode]) -> bool:
    """Whether something seen in the last look would be told soon if another look confirmed it."""
    return any(
        not episode.missed and not episode.told and episode.dwell_s <= QUICK_S and episode.looks <= QUICK_LOOKS
        for episode in episodes
    )


def _matched(episodes: Sequence[Episode], found: Sequence[tuple[PlannedRule, Hit]]) -> list[Episode | None]:
    """The episode of each hit: first by identity, then by place, for things that were away for a moment."""
    by_identity = {(episode.subcategory, episode.identity): episode for episode in episodes}
    known = [by_identity.pop((rule.subcategory.code, hit.identity), None) for rule, hit in found]
    for number, (rule, hit) in enumerate(found):
        if known[number] is None:
            known[number] = _nearest(by_identity.values(), rule.subcategory.code, hit)
            if (taken := known[number]) is not None:
                del by_identity[(taken.subcategory, taken.identity)]
    return known


def _nearest(episodes: Iterable[Episode], code: SubcategoryCode, hit: Hit) -> Episode | None:
    same = [
        episode
        for episode in episodes
        if episode.subcategory == code and not hit.identity.startswith("zone") and overlap(episode.box, hit.box) >= 0.5
    ]
    return max(same, key=lambda episode: overlap(episode.box, hit.box), default=None)


def _begin(rule: PlannedRule, hit: Hit, at: datetime) -> Episode:
    first = min(thing.first_seen for thing in hit.things) if hit.since is not None else at
    return Episode(
        rule.subcategory.code, hit.identity, first, hit.since or at, at, hit.box,
        origin=hit.identity,
        dwell_s=rule.recipe.dwell_s,
        looks=hit.sightings or 1,
    )  # fmt: skip


def _continue(episode: Episode, hit: Hit, at: datetime) -> Episode:
    return replace(
        episode,
        identity=hit.identity,
        since=hit.since if hit.since is not None and not episode.told else episode.since,
        last_true=at,
        box=episode.box if episode.told else hit.box,
        looks=max(hit.sightings, episode.looks + 1),
        missed=0,
    )


def _due(episode: Episode, rule: PlannedRule, hit: Hit, at: datetime) -> bool:
    if not hit.ripe:
        return False
    if not episode.told:
        return (at - episode.since).total_seconds() >= rule.recipe.dwell_s and episode.looks >= rule.recipe.looks
    if hit.size >= GREW * episode.told_size and episode.told < MOST_TOLD:
        return True
    return episode.told_at is not None and (at - episode.told_at).total_seconds() >= HEARTBEAT_S


def _told(episode: Episode, hit: Hit, at: datetime) -> Episode:
    grew = not episode.told or (hit.size >= GREW * episode.told_size and episode.told < MOST_TOLD)
    return replace(
        episode,
        told=episode.told + grew,
        beats=episode.beats + (not grew),
        told_size=max(hit.size, episode.told_size),
        box=hit.box,
        told_at=at,
    )


def _stays(episode: Episode, at: datetime) -> bool:
    away = at - episode.last_true
    if episode.told:
        return away <= timedelta(seconds=QUIET_S)
    return episode.missed <= GRACE_LOOKS or away <= timedelta(seconds=max(GRACE_S, episode.dwell_s * GRACE_SHARE))
