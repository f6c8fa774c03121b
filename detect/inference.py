"""Looks in batches through the detector, in a thread, with a deadline: no picture can stop the node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from detect.detector import Detector
from models.pictures import Detections, Look

log = logging.getLogger(__name__)

BATCH = 4
"""Looks inferred together; with two batches under way both cores stay busy, and a find waits a quarter of a second."""

DETAIL_SIDE = 640
"""Longest side, at least, of the picture that is inferred: half as much again as the network's input."""

THREADS = 2

DEADLINE_S = 30.0
"""A batch takes 0.1 to 0.5 s; what takes this long hangs or the machine is drowning."""


class Inference:
    """Two batches at a time: one is prepared while the other is on the cores."""

    def __init__(self, detector: Detector, *, deadline_s: float = DEADLINE_S) -> None:
        self._detector, self._deadline_s = detector, deadline_s
        self._thread = ThreadPoolExecutor(THREADS, thread_name_prefix="infer")
        self.inferred = self.timeouts = self.failures = 0

    async def detect(self, looks: Sequence[Look]) -> list[Detections | None]:
        """One result per look, None where there is none: too late, or the picture broke the detector.

        A batch that fails is tried again one by one, so that a bad picture costs only itself.
        """
        whole = await self._try(looks)
        if whole is not None:
            return list(whole)
        if len(looks) == 1:
            return [None]
        single = [await self._try([look]) for look in looks]
        return [found[0] if found else None for found in single]

    def close(self) -> None:
        """Without waiting for a batch that hangs."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _try(self, looks: Sequence[Look]) -> list[Detections] | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                found = await loop.run_in_executor(self._thread, self._see, looks)
        except TimeoutError:
            self.timeouts += 1
            self._replace_thread()
            log.error("Inference of %d looks took longer than %.0f s and was given up", len(looks), self._deadline_s)
            return None
        except Exception:
            self.failures += 1
            log.exception("Inference of %d looks failed", len(looks))
            return None
        self.inferred += len(looks)
        return found

    def _see(self, looks: Sequence[Look]) -> list[Detections]:
        """In the thread: decoding is part of the work."""
        return self._detector.detect([look.reduced(DETAIL_SIDE) for look in looks])

    def _replace_thread(self) -> None:
        """The old thread cannot be ended, only left behind; its pictures are garbage once it returns."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = ThreadPoolExecutor(THREADS, thread_name_prefix="infer")
