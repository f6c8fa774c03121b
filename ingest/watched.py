"""One camera as the fleet watches it: its source, its health, its counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ingest import health
from ingest.addresses import NetworkAddress, parse
from ingest.health import Health
from ingest.picture_health import PictureHealth
from ingest.source import Source
from ingest.undecoded import UndecodedLook, UndecodedShot
from ingest.views import Light, Reference
from models.clock import Clock
from models.errors import SourceError
from models.pictures import Look, LookReason
from models.places import Camera, CameraCondition, CameraState, Trouble

GRACE_S = 1.0
"""A source keeps its own deadline; one that does not is cut off this much later."""


class Watched:
    """Opens its source when first looked at, so that a wrong address is an offline camera and not a failed start."""

    def __init__(
        self,
        camera: Camera,
        *,
        clock: Clock,
        open_source: Callable[[Camera], Source],
        references: dict[Light, Reference] | None = None,
    ) -> None:
        """references: the right view, where it is known from before."""
        self.camera = camera
        self.health = Health.starting(clock.now())
        self.inferred = 0
        self.endpoint = _endpoint(camera)
        self.task: asyncio.Task[None] | None = None
        self._clock = clock
        self._open_source = open_source
        self._source: Source | None = None
        self._seq = 0
        self._picture_health = PictureHealth(live=bool(self.endpoint), references=references or {})

    async def look(self, reason: LookReason, *, deadline_s: float) -> Look:
        """Raises SourceError, also when the source overruns its deadline. Keeps `health` true either way."""
        try:
            look = await self._look(reason, deadline_s=deadline_s)
        except SourceError as error:
            self.fail(Trouble(error.reason), str(error))
            raise
        remark = self._picture_health.judge(look)
        self.health = health.seen(self.health, self._clock.now(), remark=remark)
        return look

    def fail(self, trouble: Trouble, message: str) -> None:
        self.health = health.failed(self.health, self._clock.now(), trouble=trouble, message=message)

    def host_is_down(self) -> None:
        """The look was not tried because nothing behind this host answers; said once, not counted again and again."""
        if self.health.condition is not CameraCondition.OFFLINE:
            message = f"{self.endpoint} does not answer for any of its cameras; it is tried again and again."
            self.health = health.cut_off(self.health, self._clock.now(), message=message)

    def state(self, now: datetime, *, next_look_at: datetime | None) -> CameraState:
        present = health.lateness(self.health, now, max_interval_s=self.camera.max_interval_s)
        return CameraState(
            camera_id=self.camera.camera_id,
            condition=present.condition,
            since=present.since,
            last_look_at=present.last_look_at,
            next_look_at=next_look_at,
            trouble=present.trouble,
            message=present.message,
            looks=present.looks,
            inferred=self.inferred,
            failures=present.failures,
            flaws=self._picture_health.flaws,
        )

    def view(self) -> dict[Light, Reference]:
        """The right view as it is known now, a copy that stays as it is."""
        references = self._picture_health.references
        return {light: replace(reference) for light, reference in references.items()} if self.endpoint else {}

    def retuned(self, camera: Camera) -> None:
        """The same pictures under new words: name, zones, interval. Zones drawn anew make the view the right one."""
        if camera.zones != self.camera.zones:
            self._picture_health.learn_anew()
        self.camera = camera

    async def close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            await source.close()

    async def _look(self, reason: LookReason, *, deadline_s: float) -> Look:
        if self._source is None:
            self._source = self._open_source(self.camera)
        try:
            async with asyncio.timeout(deadline_s + GRACE_S):
                shot = await self._source.look(deadline_s=deadline_s)
        except TimeoutError:
            raise SourceError(f"No picture within {deadline_s:g} s.", reason=Trouble.TIMEOUT) from None
        self._seq += 1
        if shot.camera_clock is not None:
            self._picture_health.clock_off = shot.camera_clock - self._clock.now()
        if isinstance(shot, UndecodedShot):
            return UndecodedLook(self.camera.camera_id, shot.undecoded, shot.captured_at, self._seq, reason)
        return Look(self.camera.camera_id, shot.image, shot.captured_at, self._seq, reason)


def same_pictures(one: Camera, other: Camera) -> bool:
    """Whether the source can stay open when the camera's settings change from one to the other."""
    return (one.source, one.continuous) == (other.source, other.continuous)


def _endpoint(camera: Camera) -> str:
    try:
        address = parse(camera.source)
    except SourceError:
        return ""
    return address.endpoint if isinstance(address, NetworkAddress) else ""
