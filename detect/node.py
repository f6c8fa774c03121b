"""A watch node: fleet → gate → detector → observer → spool → dispatch, and dispatch's requests back.

The event loop moves looks and messages; pixels are handled in two threads, one infers while the other judges the
batch before. What a look leads to is on disk before the next batch of that thread begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from detect.detector import Detector
from detect.evidence import latest_jpeg
from detect.inference import BATCH, DETAIL_SIDE, Inference
from detect.novelty import surprising
from detect.observer import Observer
from detect.publisher import Publisher, Request
from detect.requests_desk import RequestsDesk
from detect.spool import Spool
from detect.suppression import Suppressions
from detect.thresholds import threshold_of
from detect.waiting_room import WaitingRoom
from ingest.gate import Gate, Verdict
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from models.clock import Clock
from models.errors import DataFolderError, NotFoundError
from models.ids import CameraId, NodeId
from models.observations import Observation
from models.pictures import Detections, Look, LookReason
from models.places import Camera, CameraState
from models.taxonomy import Taxonomy
from models.wire import observation_message

log = logging.getLogger(__name__)

FOLLOW_UP_S = 3.0
"""A candidate is looked at again this soon; a flame has told itself after three looks, six seconds."""

INFERRING = 2
"""Batches under way at once."""

CALM_S = 0.2
"""Unchanged looks wait at most this long to be judged: 30 of them at 144 looks a second."""

SAVE_EVERY_S = 60.0
"""Camera memories are saved this often; those that told something are saved with what they told."""

FULL_WAIT_S = 1.0
"""How often a full spool is asked whether there is room again."""


class WatchedFleet(Protocol):
    """What a node needs of `ingest.fleet.Fleet`; its twin is `ingest.testing.FakeFleet`."""

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]: ...
    async def run(self) -> None: ...
    def looks(self) -> AsyncIterator[Look]: ...
    def promise(self, camera_id: CameraId, *, reason: LookReason, within_s: float) -> None: ...
    def count_inferred(self, camera_id: CameraId) -> None: ...
    def states(self) -> list[CameraState]: ...
    def counters(self) -> dict[str, int | float]: ...


class WatchNode:
    """Runs once. broker_url: None watches without telling dispatch; the spool keeps everything."""

    def __init__(
        self,
        *,
        node_id: NodeId,
        cameras: Sequence[Camera],
        fleet: WatchedFleet,
        detector: Detector,
        taxonomy: Taxonomy,
        pictures: PictureStore,
        latest: LatestPictures,
        broker_url: str | None,
        password: Callable[[], str] | None,
        data_dir: Path,
        clock: Clock,
        broker_ca: Path | None = None,
    ) -> None:
        """broker_ca: whom TLS trusts (PEM). Raises DataFolderError when data_dir cannot be used, SettingsError."""
        data_dir.mkdir(parents=True, exist_ok=True)
        self._fleet, self._latest, self._clock = fleet, latest, clock
        self._gate = Gate()
        self._inference = Inference(detector)
        self._spool = Spool(data_dir / "spool.db")
        suppressions = Suppressions(data_dir / "suppressions.json")
        self._observer = Observer(
            node_id=node_id, taxonomy=taxonomy, names=detector.names, suppressions=suppressions, pictures=pictures,
            threshold=threshold_of(detector),
        )  # fmt: skip
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self._desk = RequestsDesk(
            node_id=node_id, taxonomy=taxonomy, spool=self._spool, suppressions=suppressions,
            observer=self._observer, pictures=pictures, promise=self._promise,
        )  # fmt: skip
        self._publisher = broker_url and Publisher(
            node_id=node_id, broker_url=broker_url, password=password, spool=self._spool,
            on_request=self._requested, clock=clock, ca_file=broker_ca,
        )  # fmt: skip
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room, self._calm, self._ended = WaitingRoom(), list[Look](), False
        self._arrived = asyncio.Event()
        self._inferring: set[CameraId] = set()
        self._seen: dict[CameraId, Detections] = {}
        self._cameras: dict[CameraId, Camera] = {}
        self._counts = {"gated": 0, "passing": 0, "observations": 0, "judge_failures": 0, "bad_pictures": 0}
        self.set_cameras(cameras)
        self._observer.restore(self._spool.memories())

    def set_cameras(self, cameras: Sequence[Camera]) -> dict[CameraId, str]:
        """These from now on, while running too; those that stay as they were are not disturbed.

        Returns what is wrong, a sentence by camera; the rest goes on.
        """
        present = {camera.camera_id: camera for camera in cameras}
        problems = {**self._observer.set_cameras(cameras), **self._fleet.set_cameras(cameras)}
        for camera_id, before in self._cameras.items():
            if present.get(camera_id) != before:
                self._gate.forget(camera_id)
            if camera_id not in present:
                self._latest.forget(camera_id)
                self._seen.pop(camera_id, None)
        self._cameras = present
        for camera_id, problem in problems.items():
            log.warning("camera %s: %s", camera_id, problem)
        return problems

    async def run(self) -> None:
        """Watches until cancelled or, with a fleet that ends, until its last look is judged."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(self._fleet.run()), group.create_task(self._tidy())]
                if isinstance(self._publisher, Publisher):
                    helpers.append(group.create_task(self._publisher.run()))
                await self._watch()
                for helper in helpers:
                    helper.cancel()
        finally:
            self._stop()

    def counters(self) -> dict[str, int | float]:
        """Since start: looks, gated, inferred, observations, …; now: behind_s, spool, verifying, connected."""
        publisher = self._publisher if isinstance(self._publisher, Publisher) else None
        return {
            **self._fleet.counters(),
            **self._counts,
            "inferred": self._inference.inferred,
            "waiting": len(self._room),
            "waiting_s": round(self._room.oldest_s(now=time.monotonic()), 3),
            "replaced": self._room.replaced,
            "stale": self._room.stale,
            "full_looks": self._gate.full_looks,
            "gate_misses": self._gate.misses,
            "inference_timeouts": self._inference.timeouts,
            "inference_failures": self._inference.failures,
            "spool": len(self._spool),
            "verifying": len(self._desk),
            "connected": int(publisher is not None and publisher.connected),
            **(publisher.counters() if publisher else {}),
        }

    async def _watch(self) -> None:
        """Until the fleet ends, and what it gave is inferred and judged."""
        async with asyncio.TaskGroup() as group:
            flushing = group.create_task(self._flush_calm())
            for _ in range(INFERRING):
                group.create_task(self._infer_waiting())
            async for look in self._fleet.looks():
                while self._spool.full:  # noqa: ASYNC110 - freed by the publisher; a glance a second is enough
                    await asyncio.sleep(FULL_WAIT_S)
                if self._usable(look):
                    self._sort(look)
            self._ended = True
            self._arrived.set()
            flushing.cancel()
        await self._judge_calm()

    def _sort(self, look: Look) -> None:
        """To the detector, to the judge, or nowhere: what only passes by is worth an inference now and then."""
        verdict = self._gate.judge(look)
        if verdict is Verdict.INFER or (verdict is Verdict.PASSING and look.camera_id in self._room):
            self._room.put(look, now=time.monotonic())
            self._arrived.set()
            return
        self._counts["gated"] += 1
        self._counts["passing"] += verdict is Verdict.PASSING
        self._room.leave(look.camera_id)
        if verdict is Verdict.UNCHANGED:
            self._calm.append(look)

    async def _infer_waiting(self) -> None:
        """One of two that take turns: while one decodes and prepares its looks, the other's keep the cores busy."""
        judged: asyncio.Future[None] | None = None
        loop = asyncio.get_running_loop()
        while True:
            batch = self._room.take(BATCH, now=time.monotonic(), without=self._inferring)
            if batch:
                found = await self._infer(batch)
                if judged is not None:
                    await judged
                judged = loop.run_in_executor(self._judge, self._judge_all, found)
            elif self._ended and not self._room:
                break
            else:
                self._arrived.clear()
                await self._arrived.wait()
        if judged is not None:
            await judged

    async def _infer(self, batch: list[Look]) -> list[tuple[Look, Detections | None]]:
        """Each look with its detections; those that could not be inferred are left out."""
        self._inferring.update(look.camera_id for look in batch)
        try:
            results = await self._inference.detect(batch)
        finally:
            self._inferring.difference_update(look.camera_id for look in batch)
            self._arrived.set()
        for look, result in zip(batch, results, strict=True):
            if result is None:
                self._gate.forget(look.camera_id)
            else:
                self._learn(look, result)
        return [(look, result) for look, result in zip(batch, results, strict=True) if result is not None]

    def _learn(self, look: Look, result: Detections) -> None:
        """The gate hears what the look showed."""
        self._fleet.count_inferred(look.camera_id)
        before = self._seen.get(look.camera_id)
        self._gate.inferred(look, surprising=surprising(before, result))
        self._seen[look.camera_id] = result

    async def _flush_calm(self) -> None:
        while True:
            await asyncio.sleep(CALM_S)
            await self._judge_calm()

    async def _judge_calm(self) -> None:
        """Unchanged looks are judged together: handing each to the thread would cost more than judging it."""
        calm, self._calm = self._calm, []
        if calm:
            found: list[tuple[Look, Detections | None]] = [(look, None) for look in calm]
            await asyncio.get_running_loop().run_in_executor(self._judge, self._judge_all, found)

    def _usable(self, look: Look) -> bool:
        """Whether the source kept its word about pictures; the gate would stumble over others."""
        if look.small.ndim == 3 and look.small.shape[2] == 3 and look.small.size:
            return True
        self._counts["bad_pictures"] += 1
        log.error("camera %s: gave an array %s, not a picture", look.camera_id, look.small.shape)
        return False

    def _judge_all(self, found: list[tuple[Look, Detections | None]]) -> None:
        """In the judging thread. The outermost edge for one look: its failure costs only this look."""
        for look, detections in found:
            try:
                self._judge_one(look, detections)
            except Exception:
                self._counts["judge_failures"] += 1
                log.exception("camera %s: a look could not be judged", look.camera_id)

    def _judge_one(self, look: Look, detections: Detections | None) -> None:
        if detections is None:
            self._tell(look.camera_id, self._observer.unchanged(look))
            self._latest.confirm(look.camera_id, look.captured_at)
            return
        self._tell(look.camera_id, self._observer.see(look, detections))
        self._latest.put(look.camera_id, latest_jpeg(look.reduced(DETAIL_SIDE), detections), look.captured_at)
        self._desk.see(look)
        if self._desk.waits_for(look.camera_id):
            self._promise(look.camera_id, LookReason.VERIFICATION)
        elif self._observer.wants_another_look(look.camera_id):
            self._promise(look.camera_id, LookReason.FOLLOW_UP)

    def _tell(self, camera_id: CameraId, observations: list[Observation]) -> None:
        if observations:
            messages: list[dict[str, Any]] = [observation_message(item) for item in observations]
            try:
                self._spool.put(messages, memories={camera_id: self._observer.state_of(camera_id)})
            except DataFolderError:
                self._observer.take_back(camera_id)
                raise
            self._counts["observations"] += len(observations)

    def _promise(self, camera_id: CameraId, reason: LookReason) -> None:
        """From the judging thread: the fleet lives in the event loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._promise_now, camera_id, reason)

    def _promise_now(self, camera_id: CameraId, reason: LookReason) -> None:
        with contextlib.suppress(NotFoundError):
            self._fleet.promise(camera_id, reason=reason, within_s=FOLLOW_UP_S)

    def _requested(self, request: Request) -> None:
        """In the event loop; acted on in the judging thread, which owns the verifications."""
        self._judge.submit(self._take, request)

    def _take(self, request: Request) -> None:
        try:
            self._desk.take(request, self._clock.now())
        except DataFolderError:
            log.exception("A request could not be carried out; dispatch asks again")

    async def _tidy(self) -> None:
        """Answers verifications that ran out of time; saves memories that told nothing."""
        loop = asyncio.get_running_loop()
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            await loop.run_in_executor(self._judge, self._give_up)
            if seconds % SAVE_EVERY_S == 0:
                await loop.run_in_executor(self._judge, self._save)

    def _give_up(self) -> None:
        try:
            self._desk.give_up(self._clock.now())
        except DataFolderError:
            log.exception("An overdue verification could not be answered; tried again in a second")

    def _save(self) -> None:
        try:
            self._spool.put([], memories=self._observer.changed_states())
        except DataFolderError:
            log.exception("Camera memories could not be saved; they are kept and tried again")

    def _stop(self) -> None:
        self._loop = None
        self._judge.shutdown(wait=True, cancel_futures=True)
        self._inference.close()
        self._save()
        self._spool.close()
