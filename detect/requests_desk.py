"""Dispatch's requests, from arrival to the answer in the spool."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from detect import evidence
from detect.observer import Observer
from detect.requests import SuppressRequest, VerifyRequest
from detect.spool import Spool
from detect.suppression import Mask, Suppressions
from detect.verification import Verifications, Waiting, take_vote, verdict_words
from ingest.picture_store import PictureStore
from models.ids import CameraId, NodeId
from models.observations import Applied, Evidence, EvidenceRole, Verdict, Verification
from models.pictures import Look, LookReason
from models.taxonomy import Subcategory, Taxonomy
from models.wire import applied_message, verification_message

log = logging.getLogger(__name__)


class RequestsDesk:
    """Everything but `__len__` is called in the judging thread."""

    def __init__(
        self,
        *,
        node_id: NodeId,
        taxonomy: Taxonomy,
        spool: Spool,
        suppressions: Suppressions,
        observer: Observer,
        pictures: PictureStore,
        promise: Callable[[CameraId, LookReason], None],
    ) -> None:
        self._node_id, self._taxonomy, self._spool = node_id, taxonomy, spool
        self._suppressions, self._observer, self._pictures = suppressions, observer, pictures
        self._promise = promise
        self._verifications = Verifications()

    def __len__(self) -> int:
        return len(self._verifications)

    def take(self, request: VerifyRequest | SuppressRequest, now: datetime) -> None:
        """Acts on a new request. One asked again is under way, or its answer is in the spool: both need nothing."""
        if self._spool.holds(request.key):
            return
        if isinstance(request, SuppressRequest):
            self._suppressions.add(Mask(request.camera_id, request.code, request.place, request.until_utc))
            self._spool.put([applied_message(Applied(request.request_key, self._node_id))])
        elif self._verifications.ask(request, now):
            self._promise(request.camera_id, LookReason.VERIFICATION)

    def waits_for(self, camera_id: CameraId) -> bool:
        return bool(self._verifications.of_camera(camera_id))

    def see(self, look: Look) -> None:
        """After the observer has seen an inferred look: one more vote for what is asked about this camera."""
        seen = self._observer.last_seen(look.camera_id)
        for waiting in self._verifications.of_camera(look.camera_id):
            subcategory = self._taxonomy.subcategories.get(waiting.request.code)
            if subcategory is None or seen is None:
                continue
            verdict = take_vote(waiting, subcategory, seen, look.captured_at)
            if verdict is not None:
                self._answer(waiting, verdict, subcategory, look)

    def give_up(self, now: datetime) -> None:
        """Those nobody could answer in time: camera offline, place hidden, subcategory no camera sees."""
        for waiting in self._verifications.overdue(now):
            subcategory = self._taxonomy.subcategories.get(waiting.request.code)
            if subcategory is None:
                log.warning("asked to verify unknown subcategory %s; left unanswered", waiting.request.subcategory)
                self._verifications.done(waiting)
            else:
                self._send(waiting, Verdict.CANNOT_TELL, subcategory, now, ())

    def _answer(self, waiting: Waiting, verdict: Verdict, subcategory: Subcategory, look: Look) -> None:
        seen = self._observer.last_seen(look.camera_id)
        assert seen is not None
        picture = evidence.keep(
            self._pictures, look.image, seen,
            box=waiting.request.place, role=EvidenceRole.VERIFIED, taken_at=look.captured_at,
        )  # fmt: skip
        if verdict is Verdict.GONE:
            self._observer.forget_place(look.camera_id, waiting.request.code, waiting.request.place)
        self._send(waiting, verdict, subcategory, look.captured_at, (picture,))

    def _send(
        self, waiting: Waiting, verdict: Verdict, item: Subcategory, at: datetime, pictures: tuple[Evidence, ...]
    ) -> None:
        request = waiting.request
        answer = Verification(
            key=request.request_key,
            node_id=self._node_id,
            camera_id=request.camera_id,
            incident_id=request.incident_id,
            verdict=verdict,
            captured_at=at,
            why=verdict_words(verdict, item, waiting.votes),
            evidence=pictures,
        )
        self._spool.put([verification_message(answer)])
        self._verifications.done(waiting)
