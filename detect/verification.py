"""The camera checks the work: is the problem of a handled incident still at its place?

The recipe turned round. Several looks decide, because one may be a passing bus or a bad moment; a place that is
hidden is no answer; and when no answer can be had in time, that is said: "cannot tell", and a person verifies.
Pure: `vote`, `decide`; the bookkeeping is `Verifications`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from detect.requests import VerifyRequest
from detect.things import kin, overlap
from models.geometry import Box
from models.observations import Verdict
from models.pictures import Detections
from models.taxonomy import Recipe, RuleKind, Subcategory
from models.text import Text

LOOKS_TO_DECIDE = 3
"""Looks without the problem that say "gone"."""

LOOKS_STILL_THERE = 2
"""Looks with the problem that say "still there"; one alone may be a false find."""

BETWEEN_S = 2.0
"""Looks closer than this show the same moment."""

DECIDE_WITHIN = timedelta(seconds=120)
"""Then "cannot tell": a worker waits beside the place, and one hidden by a parked bus stays hidden."""

SAME_PLACE = 0.3
"""Share of the smaller box: a heap half cleared lies elsewhere in its old box."""

DOUBTFUL = 0.2
"""Score from which a find, too weak to say "still there", keeps "gone" from being said: that look is no answer."""

HIDDEN = 0.5
"""Share of the place people or vehicles must cover to hide it."""

MAX_WAITING = 1000
"""Requests under way; dispatch asks again for those refused."""

_HIDING = ("person", "car", "bus", "truck")


@dataclass(slots=True)
class Waiting:
    """A request and the looks' votes so far, True for "still there"."""

    request: VerifyRequest
    asked_at: datetime
    votes: list[bool] = field(default_factory=list)
    voted_at: datetime | None = None


class Verifications:
    """The requests under way, by key."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def ask(self, request: VerifyRequest, now: datetime) -> bool:
        """Whether the request is new (and taken)."""
        if request.key in self._waiting or len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting[request.key] = Waiting(request, now)
        return True

    def of_camera(self, camera_id: str) -> list[Waiting]:
        return [item for item in self._waiting.values() if item.request.camera == camera_id]

    def overdue(self, now: datetime) -> list[Waiting]:
        return [item for item in self._waiting.values() if now - item.asked_at >= DECIDE_WITHIN]

    def done(self, waiting: Waiting) -> None:
        self._waiting.pop(waiting.request.key, None)

    def __len__(self) -> int:
        return len(self._waiting)


def take_vote(waiting: Waiting, subcategory: Subcategory, seen: Detections, at: datetime) -> Verdict | None:
    """Counts one look; the verdict once there is one. Looks from before the handling, or too close, do not count."""
    if at < waiting.request.since or subcategory.recipe is None:
        return None
    if waiting.voted_at is not None and (at - waiting.voted_at).total_seconds() < BETWEEN_S:
        return None
    answer = vote(subcategory.recipe, seen, waiting.request.place)
    if answer is None:
        return None
    waiting.votes.append(answer)
    waiting.voted_at = at
    return decide(waiting.votes)


def vote(recipe: Recipe, seen: Detections, place: Box) -> bool | None:
    """Whether this look shows the problem at the place; None when the place is hidden or the find doubtful."""
    names = frozenset().union(*(kin(name) for name in recipe.classes))
    there = [
        row for row in seen
        if row.name in names and row.score >= DOUBTFUL and overlap(row.box, place) >= SAME_PLACE
    ]  # fmt: skip
    sure = [row for row in there if row.score >= recipe.min_score]
    if recipe.rule is RuleKind.ABSENT:
        return not there
    if recipe.rule is RuleKind.COUNT and recipe.count > 1:
        return len(sure) >= recipe.count
    if there:
        return True if sure else None
    hidden = sum(row.box.intersection(place) for row in seen if row.name in _HIDING)
    return None if hidden >= HIDDEN * place.area else False


def decide(votes: list[bool]) -> Verdict | None:
    """
    >>> decide([False, False]), decide([False, False, False]).value, decide([False, True, True]).value
    (None, 'gone', 'still_there')
    """
    if sum(votes) >= LOOKS_STILL_THERE:
        return Verdict.STILL_THERE
    if len(votes) >= LOOKS_TO_DECIDE and not any(votes[-LOOKS_TO_DECIDE:]):
        return Verdict.GONE
    return None


def verdict_words(verdict: Verdict, subcategory: Subcategory, votes: list[bool]) -> Text:
    looks, against = len(votes), sum(votes)
    if verdict is Verdict.GONE:
        return Text(
            f"复看 {looks} 次，原位置已无“{subcategory.zh}”",
            f"{looks} looks: no “{subcategory.en}” at the place any more",
        )
    if verdict is Verdict.STILL_THERE:
        return Text(
            f"复看 {looks} 次，其中 {against} 次仍见“{subcategory.zh}”",
            f"{looks} looks, {against} of them still show “{subcategory.en}”",
        )
    return Text(
        f"{DECIDE_WITHIN.seconds} 秒内复看 {looks} 次，位置被遮挡或看不清，请人工核查",
        f"{looks} looks in {DECIDE_WITHIN.seconds} s: hidden or unclear, a person has to check",
    )
