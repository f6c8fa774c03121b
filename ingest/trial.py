"""One camera tried step by step, for whoever sets it up: what was tried, what answered, and where it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ingest.addresses import FileAddress, NetworkAddress, parse
from ingest.means import Means, shared_means
from ingest.open_source import open_source
from ingest.picture_health import first_impression
from ingest.resolve import Resolver
from ingest.source import Shot
from models.clock import Clock
from models.errors import SourceError
from models.pictures import Image
from models.places import Camera, Trouble

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TrialStep:
    """name: address, name, connect, picture, again; said: what answered, or what is wrong."""

    name: str
    worked: bool
    seconds: float
    said: str


@dataclass(slots=True, eq=False)
class Trial:
    """trouble: None when there is a picture."""

    steps: list[TrialStep] = field(default_factory=list)
    image: Image | None = None
    trouble: Trouble | None = None

    @property
    def worked(self) -> bool:
        return self.image is not None


async def try_camera(
    camera: Camera, *, clock: Clock, allow_private: bool, deadline_s: float, means: Means | None = None
) -> Trial:
    """Never raises for what a camera does."""
    trial = Trial()
    means = means or shared_means()
    try:
        address = await _step(trial, "address", lambda: _address(camera), say=_told)
        if isinstance(address, NetworkAddress):
            resolver = Resolver(means.waiting, allow_private=allow_private)
            ip = await _step(
                trial, "name", lambda: resolver.ip(address.host, deadline_s=deadline_s), say=lambda ip: f"leads to {ip}"
            )
            await _step(
                trial,
                "connect",
                lambda: _connect(address, ip=ip, deadline_s=deadline_s),
                say=lambda _: f"port {address.port} answers",
            )
        await _look_twice(trial, camera, clock=clock, allow_private=allow_private, deadline_s=deadline_s, means=means)
    except SourceError as error:
        trial.trouble = Trouble(error.reason)
    return trial


async def _look_twice(
    trial: Trial, camera: Camera, *, clock: Clock, allow_private: bool, deadline_s: float, means: Means
) -> None:
    """The second look tells what every later one costs: connections are kept, passwords asked for already."""
    source = open_source(camera, clock=clock, allow_private=allow_private, means=means)
    try:
        shot = await _step(trial, "picture", lambda: source.look(deadline_s=deadline_s), say=_seen)
        trial.image = shot.image
        await _step(trial, "again", lambda: source.look(deadline_s=deadline_s), say=_seen)
    finally:
        await source.close()


async def _step(trial: Trial, name: str, work: Callable[[], Awaitable[T]], *, say: Callable[[T], str]) -> T:
    started = time.monotonic()
    try:
        result = await work()
    except SourceError as error:
        trial.steps.append(TrialStep(name, False, time.monotonic() - started, str(error)))
        raise
    trial.steps.append(TrialStep(name, True, time.monotonic() - started, say(result)))
    return result


async def _address(camera: Camera) -> NetworkAddress | FileAddress:
    return parse(camera.source)


def _told(address: NetworkAddress | FileAddress) -> str:
    if isinstance(address, FileAddress):
        return f"a file or folder: {address.path}"
    user = "with user and password" if address.user is not None else "without user and password"
    return f"{address.shown}, {user}"


async def _connect(address: NetworkAddress, *, ip: str, deadline_s: float) -> None:
    try:
        async with asyncio.timeout(deadline_s):
            _, writer = await asyncio.open_connection(ip, address.port)
    except TimeoutError:
        raise SourceError(
            f"{address.endpoint} swallowed the attempt for {deadline_s:g} s: switched off, a wrong address, or a "
            "firewall in between.",
            reason=Trouble.TIMEOUT,
        ) from None
    except OSError as error:
        raise SourceError(
            f"{address.endpoint} cannot be connected to ({error.strerror or error}); check power, network, host and "
            "port.",
            reason=Trouble.UNREACHABLE,
        ) from None
    writer.close()


def _seen(shot: Shot) -> str:
    height, width = shot.image.shape[:2]
    remark = first_impression(shot.image)
    return f"{width}×{height} pixels" + (f"; {remark}" if remark else "")
