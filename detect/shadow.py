"""A second network in the shadow of the one in use: it sees some of the same pictures, and nothing follows from it.

`ShadowingDetector` is a `Detector` like the one it wraps. What it adds to a look is two readings of a clock and an
offer to a queue that drops what it cannot take; the shadow infers in a thread of its own, at the lowest priority,
within a budget.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detect.detector import Detector
from detect.shadow_journal import ShadowJournal
from detect.shadow_plan import ShadowPlan, read_plan
from models.clock import Clock
from models.errors import GridwardenError
from models.pictures import Detections, Image

log = logging.getLogger(__name__)

SHARE = 0.1
"""Of the seconds the real inference takes: on a box that is busy all day a shadow still sees thousands of looks."""

MOST_CREDIT_S = 5.0
"""What quiet hours may save up: about a hundred looks, spent over as many batches."""

FIRST_COST_S = 0.2
"""Expected of a look before one was measured: ten times the usual, so that a slow network is not begun on credit."""

ASK_PLAN_S = 5.0
"""How soon a start or stop of the shadow is noticed; the file is 200 bytes."""

SAVE_S = 60.0
"""What a power cut may cost of the counts."""

MOST_FAILURES = 5
"""In a row; then the shadow rests until it is started anew. A network that fails always would only fill the log."""

STOP_WAIT_S = 2.0
"""A look in the shadow is through in a fraction of it; a hanging one is left behind."""


@dataclass
class Budget:
    """Seconds the shadow may still take; may be used from two threads, since adding floats is all it does.

    >>> budget = Budget(share=0.1)
    >>> budget.earn(10.0)
    >>> budget.allows()
    True
    >>> budget.spend(2.0)
    >>> budget.allows()
    False
    """

    share: float = SHARE
    credit: float = 0.0
    cost: float = FIRST_COST_S
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def earn(self, seconds: float) -> None:
        """The real path has inferred so long."""
        with self._lock:
            self.credit = min(self.credit + self.share * seconds, MOST_CREDIT_S)

    def spend(self, seconds: float) -> None:
        """The shadow has. What a look costs follows the last few."""
        with self._lock:
            self.credit -= seconds
            self.cost += (seconds - self.cost) / 4

    def allows(self) -> bool:
        with self._lock:
            return self.credit >= self.cost


@dataclass(frozen=True, slots=True, eq=False)
class _Offer:
    image: Image
    seen: Detections


class ShadowingDetector:
    """A `Detector`; `detector` alone decides what is seen.

    folder: where `detect.shadow_plan` says which weights run in the shadow, asked again while running, and where
    their journal is kept; opened: makes a detector of a weights folder, called in the shadow's thread; threshold: from
    which score on a find of the detector in use counts, since it may pass on weaker ones, too.
    """

    def __init__(
        self,
        detector: Detector,
        folder: Path,
        *,
        opened: Callable[[Path], Detector],
        threshold: Callable[[str], float] = lambda _: 0.0,
        clock: Clock,
        share: float = SHARE,
    ) -> None:
        self._detector, self._folder, self._opened, self._clock = detector, folder, opened, clock
        self.budget = Budget(share)
        self._counts_from = np.array([threshold(name) for name in detector.names], np.float32)
        self._offers: queue.Queue[_Offer | None] = queue.Queue(1)  # one waits: an old picture is no better than a new
        self._stopping = threading.Event()
        self._plan: ShadowPlan | None = None
        self._shadow: Detector | None = None
        self._journal: ShadowJournal | None = None
        self._draw = random.Random(1)  # noqa: S311 - which picture of a batch; nothing secret
        self._counts = {"shadow_looks": 0, "shadow_disagreements": 0, "shadow_passed_over": 0, "shadow_failures": 0}
        self._in_a_row = 0
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    @property
    def names(self) -> tuple[str, ...]:
        return self._detector.names

    def detect(self, batch: list[Image]) -> list[Detections]:
        """What the wrapped detector sees, its errors included."""
        started = time.perf_counter()
        found = self._detector.detect(batch)
        self.budget.earn(time.perf_counter() - started)
        if self._shadow is not None and batch:
            self._offer(batch, found)
        return found

    def counters(self) -> dict[str, int]:
        return dict(self._counts)

    def close(self) -> None:
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._offers.put_nowait(None)  # wakes it
        self._thread.join(STOP_WAIT_S)
        self._detector.close()

    def _offer(self, batch: list[Image], found: list[Detections]) -> None:
        """One of the batch, drawn by lot, or a camera that always comes first would be all the shadow sees."""
        if not self.budget.allows():
            self._counts["shadow_passed_over"] += len(batch)
            return
        chosen = self._draw.randrange(len(batch))
        with contextlib.suppress(queue.Full):
            self._offers.put_nowait(_Offer(batch[chosen], found[chosen]))

    def _run(self) -> None:
        """The shadow's thread. The broad except is its outermost edge: nothing in it may reach the real path."""
        _lowest_priority()
        asked, saved = -ASK_PLAN_S, time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            try:
                if now - asked >= ASK_PLAN_S:
                    asked = now
                    self._follow_plan()
                if now - saved >= SAVE_S:
                    saved = now
                    self._save()
                offer = self._offers.get(timeout=1)
                if offer is not None:
                    self._take(offer)
            except queue.Empty:
                continue
            except Exception:
                log.exception("The network in the shadow failed; the one in use goes on")
                self._failed()
        self._put_away()

    def _follow_plan(self) -> None:
        plan = read_plan(self._folder)
        if plan == self._plan:
            return
        self._put_away()
        self._plan = plan
        if plan is None:
            return
        shadow = self._opened(plan.weights)
        self._journal = ShadowJournal(plan.journal(self._folder))
        self._in_a_row = 0
        self._shadow = shadow
        self.ready.set()
        log.info("%s runs in the shadow", plan.weights.name)

    def _take(self, offer: _Offer) -> None:
        shadow, journal = self._shadow, self._journal
        if shadow is None or journal is None:
            return
        started = time.perf_counter()
        try:
            (seen,) = shadow.detect([offer.image])
        finally:
            self.budget.spend(time.perf_counter() - started)
        in_use = offer.seen[offer.seen.scores >= self._counts_from[offer.seen.class_ids]]
        difference = journal.note(offer.image, in_use, seen, at=self._clock.now())
        self._counts["shadow_looks"] += 1
        self._counts["shadow_disagreements"] += bool(difference.only_in_use or difference.only_shadow)
        self._in_a_row = 0

    def _failed(self) -> None:
        self._counts["shadow_failures"] += 1
        self._in_a_row += 1
        if self._in_a_row >= MOST_FAILURES:
            log.error("The shadow failed %d times in a row and rests until it is started anew", self._in_a_row)
            self._put_away()

    def _save(self) -> None:
        if self._journal is not None:
            try:
                self._journal.save()
            except GridwardenError as trouble:
                log.warning("%s", trouble)

    def _put_away(self) -> None:
        """The journal is saved; the shadow takes no more offers."""
        self._save()
        shadow, self._shadow, self._journal = self._shadow, None, None
        self.ready.clear()
        if shadow is not None:
            shadow.close()


def _lowest_priority() -> None:
    """Of this thread and those it starts (Linux; elsewhere the budget alone must do)."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
