"""Whether a camera's pictures are worth anything: frozen, black, covered, blurred, moved. At most 0.2 ms a look.

Each flaw must last before it is said and be gone for some looks before it is taken back (`PATIENCE`), so that a bus,
a hand, a lightning or one broken picture raises nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from ingest.views import (
    LEAST_SHIFT,
    RESTORED,
    SPOILT,
    Comparison,
    Light,
    Reference,
    Small,
    compare,
    edges,
    first_reference,
    learn,
    small,
)
from models.pictures import Image, Look
from models.places import FLAW_WORDS, Flaw

BLACK_LEVEL = 12
LIT_SHARE = 0.01
"""Of 255; the darkest night picture with one lamp in it has more than a hundredth of its points above."""

UNIFORM = 5.0
"""Grey levels of spread below which nothing is to be seen: a hand, a bag, paint, snow on the glass. Dense fog over a
street still has 8."""

LOST = 0.8
"""Share of the blocks that had texture and have none any more."""

BLURRED, SHARP_AGAIN = 0.45, 0.58
"""Of the sharpness learnt, on pictures 160 to 213 wide. Measured on seven real clips: 0.67 and more while nothing
happens; 0.28 to 0.44 after a blur of 3 pixels at 640 where there is texture (0.5 to 0.68 on plain asphalt); 0.6 and
more after one of 1.6 pixels, which the detector does not mind."""

FROZEN_LOOKS = 5
FROZEN_S = 60.0
"""Identical to the last bit for this many looks over this long: a sensor's noise never repeats, an encoder that hangs
sends the same picture for ever. Shorter, and a gateway that caches snapshots for some seconds would be accused."""

COMPARED_EVERY_S = 15.0
"""The view and its sharpness are compared this often: half the cost of a look's health, for what lasts for hours."""

CLOCK_OFF_S = 120.0
"""A camera's clock that differs by more is wrong; a proxy's cache and a slow answer explain a minute."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """looks, seconds: how long a flaw shows before it is said; good: looks without it until it is taken back.

    Looks that cannot tell count for neither.
    """

    looks: int
    seconds: float
    good: int


FLAWS = tuple(Flaw)
"""Gone through at every look: going through the enum itself costs four times that."""

PATIENCE: Mapping[Flaw, Lasting] = {
    Flaw.FROZEN: Lasting(1, 0, 1),  # has waited already
    Flaw.BLACK: Lasting(3, 15, 2),
    Flaw.COVERED: Lasting(3, 15, 3),
    Flaw.BLURRED: Lasting(6, 120, 4),  # drops on the glass run off, autofocus hunts for half a minute
    Flaw.MOVED: Lasting(4, 60, 3),  # a lorry in front of the lens drives on
    Flaw.CLOCK_WRONG: Lasting(3, 0, 3),
}


@dataclass(slots=True)
class _Suspicion:
    looks: int = 0
    since: datetime | None = None
    good: int = 0
    said_since: datetime | None = None


@dataclass(slots=True)
class PictureHealth:
    """One per camera. live: False for files, which may rightly stand still and show now this, now that."""

    live: bool
    clock_off: timedelta | None = None
    """The camera's clock minus ours, when it last told."""
    references: dict[Light, Reference] = field(default_factory=dict)
    """The right view in each light, as far as it is known."""
    _print: int = 0
    _same: int = 0
    _same_since: datetime | None = None
    _compared_at: datetime | None = None
    _suspicions: dict[Flaw, _Suspicion] = field(default_factory=lambda: {flaw: _Suspicion() for flaw in Flaw})

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """Those that are certain, the gravest first."""
        return tuple(flaw for flaw in FLAWS if self._suspicions[flaw].said_since is not None)

    @property
    def message(self) -> str:
        """For the operator, "" for a good picture."""
        return "; ".join(f"{flaw.value}: {FLAW_WORDS[flaw].en}" for flaw in self.flaws)

    def judge(self, look: Look) -> str:
        """Takes in one look; `message` afterwards."""
        picture = small(look.small)
        showing = self._showing(picture, look.captured_at)
        for flaw in FLAWS:
            self._weigh(flaw, showing.get(flaw, False), now=look.captured_at)
        return self.message

    def learn_anew(self) -> None:
        """The view is right as it is now: zones were drawn on it."""
        self.references.clear()
        self._suspicions[Flaw.MOVED] = _Suspicion()

    def _showing(self, picture: Small, now: datetime) -> dict[Flaw, bool | None]:
        """True, False, or None where nothing can be said; what is left out is not showing."""
        showing: dict[Flaw, bool | None] = {Flaw.CLOCK_WRONG: self._clock_wrong()}
        if self.live:
            showing[Flaw.FROZEN] = self._stands_still(picture, now)
        if _is_black(picture):
            return showing | {Flaw.BLACK: True, Flaw.COVERED: None, Flaw.BLURRED: None, Flaw.MOVED: None}
        if not self.live:
            return showing | {Flaw.COVERED: picture.spread < UNIFORM}
        return showing | self._against_reference(picture, now)

    def _against_reference(self, picture: Small, now: datetime) -> dict[Flaw, bool | None]:
        if picture.spread < UNIFORM:
            return {Flaw.COVERED: True, Flaw.BLURRED: None, Flaw.MOVED: None}
        reference = self.references.get(picture.light)
        if reference is not None and reference.is_mature(now) and not self._due(now):
            return {Flaw.COVERED: None, Flaw.BLURRED: None, Flaw.MOVED: None}
        found, sharpness = edges(picture.grey), picture.sharpness
        if reference is None:
            self.references[picture.light] = first_reference(found, sharpness=sharpness, now=now)
            return {Flaw.BLURRED: None, Flaw.MOVED: None}
        if not reference.is_mature(now):
            learn(reference, found, sharpness=sharpness, now=now)
            return {Flaw.BLURRED: None, Flaw.MOVED: None}
        self._compared_at = now
        compared = compare(found, reference)
        if compared.lost >= LOST:
            return {Flaw.COVERED: True, Flaw.BLURRED: None, Flaw.MOVED: None}
        blurred = self._between(Flaw.BLURRED, reference.sharpness and sharpness / reference.sharpness)
        moved = None if blurred else self._moved(compared)
        if blurred is False and moved is False:
            learn(reference, found, sharpness=sharpness, now=now)
        return {Flaw.BLURRED: blurred, Flaw.MOVED: moved}

    def _due(self, now: datetime) -> bool:
        return self._compared_at is None or not 0 <= (now - self._compared_at).total_seconds() < COMPARED_EVERY_S

    def _moved(self, compared: Comparison) -> bool | None:
        if compared.agreeing is None:
            return None
        if max(map(abs, compared.shift)) >= LEAST_SHIFT or compared.agreeing < SPOILT:
            return True
        return None if compared.agreeing < RESTORED and self._said(Flaw.MOVED) else False

    def _between(self, flaw: Flaw, share: float) -> bool | None:
        """Below the lower mark it shows; between the marks it neither begins nor ends."""
        if share < BLURRED:
            return True
        return None if share < SHARP_AGAIN and self._said(flaw) else False

    def _said(self, flaw: Flaw) -> bool:
        return self._suspicions[flaw].said_since is not None

    def _weigh(self, flaw: Flaw, showing: bool | None, *, now: datetime) -> None:
        suspicion, lasting = self._suspicions[flaw], PATIENCE[flaw]
        if showing is None:
            return
        if not showing:
            suspicion.looks, suspicion.since = 0, None
            suspicion.good += 1
            if suspicion.good >= lasting.good:
                suspicion.said_since = None
            return
        suspicion.good = 0
        suspicion.looks += 1
        if suspicion.since is None or now < suspicion.since:
            suspicion.since = now
        lasted_s = (now - suspicion.since).total_seconds()
        if suspicion.said_since is None and suspicion.looks >= lasting.looks and lasted_s >= lasting.seconds:
            suspicion.said_since = now

    def _clock_wrong(self) -> bool | None:
        return None if self.clock_off is None else abs(self.clock_off.total_seconds()) > CLOCK_OFF_S

    def _stands_still(self, picture: Small, at: datetime) -> bool:
        fingerprint = zlib.crc32(picture.points.tobytes())
        if fingerprint != self._print or self._same_since is None:
            self._print, self._same, self._same_since = fingerprint, 0, at
        self._same += 1
        return self._same >= FROZEN_LOOKS and (at - self._same_since).total_seconds() >= FROZEN_S


def first_impression(image: Image) -> str:
    """What one picture alone tells against itself, "" when nothing."""
    picture = small(image)
    if _is_black(picture):
        return FLAW_WORDS[Flaw.BLACK].en
    return FLAW_WORDS[Flaw.COVERED].en if picture.spread < UNIFORM else ""


def _is_black(picture: Small) -> bool:
    return bool(np.count_nonzero(picture.points > BLACK_LEVEL) <= LIT_SHARE * picture.points.size)
