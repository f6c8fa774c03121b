"""A conversation with an RTSP camera over one TCP connection, to the IP address that was checked.

Of our own, because what it has to promise is about limits: see docs/decisions/0010.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from ingest.addresses import NetworkAddress
from ingest.credentials import Credentials
from ingest.rtsp_message import NotSpokenError, Packet, Reply, Wire, request
from models.errors import SourceError
from models.places import Trouble

CHUNK = 64 * 1024
"""Bytes read at once: a sub-stream's keyframe in one go, if the camera sends that fast."""

MAX_EARLY = 256
"""Packets kept that arrive before the answer to PLAY: a keyframe of 350 kB, longer ones are taken the next time."""

MAX_HEARD = 64 * 1024 * 1024
"""Bytes without a keyframe: eight seconds of the largest main stream there is, 64 Mbit/s."""

MAX_SAID = 256 * 1024
"""Bytes before anything plays: the largest description and head allowed, three times."""

FAREWELL_S = 0.3
"""The camera's answer to TEARDOWN is waited for so long: small cameras serve four viewers, and those that were hung up
on without it stay counted for a minute. Over a network across town it takes 0.05 s."""

SESSION_S = 60.0
"""How long a camera keeps a session it does not hear of, where it names no time (RFC 2326 §12.37)."""

_FAULTS = {
    404: ("has no stream of this name; check the path", Trouble.UNREACHABLE),
    453: ("has no bandwidth left for one more viewer", Trouble.UNREACHABLE),
    454: ("forgot us between two requests", Trouble.UNREACHABLE),
    503: ("serves as many viewers as it can; use its sub-stream or let others go", Trouble.UNREACHABLE),
}

_OTHER_DIALECT = frozenset({400, 451, 455, 456, 459, 460, 461, 501, 505, 551})
"""Answers that say "not like this": another client may ask in a way the camera likes."""


class Talk:
    """Raises SourceError for what the camera does, TimeoutError never: the deadline is the caller's."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        address: NetworkAddress,
        credentials: Credentials | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._credentials = credentials
        self._what = address.shown
        self._wire = Wire(what=address.shown)
        self._arrived: deque[Reply | Packet] = deque()
        self._early: deque[Packet] = deque(maxlen=MAX_EARLY)
        self._sequence = 0
        self._heard = 0
        self._session = ""
        self._target = ""
        self._told: tuple[datetime, float] | None = None
        self.keep_alive_s = SESSION_S

    @classmethod
    async def open(cls, address: NetworkAddress, *, ip: str, credentials: Credentials | None) -> Talk:
        try:
            reader, writer = await asyncio.open_connection(ip, address.port, limit=CHUNK)
        except OSError:
            raise SourceError(
                f"{address.shown} cannot be reached; check power, network, host and port.", reason=Trouble.UNREACHABLE
            ) from None
        return cls(reader, writer, address=address, credentials=credentials)

    async def ask(self, method: str, target: str, **headers: str) -> Reply:
        """The answer, whatever it says; who we are is told when the camera wants to know."""
        reply = await self._exchange(method, target, headers)
        offered = reply.headers.get("www-authenticate", [])
        if reply.status == 401 and self._credentials is not None and self._credentials.asked(offered):
            reply = await self._exchange(method, target, headers)
        return reply

    async def setup(self, track: str) -> int:
        """The channel on which the track's packets will come."""
        reply = self.checked(await self.ask("SETUP", track, Transport="RTP/AVP/TCP;unicast;interleaved=0-1"))
        given = reply.header("transport").lower()
        if "tcp" not in given:
            raise NotSpokenError(f"{self._what} sends its video over UDP only.")
        self._session, _, more = reply.header("session").partition(";")
        if (told := re.search(r"timeout\s*=\s*(\d{1,5})", more)) is not None:
            self.keep_alive_s = max(float(told[1]), 1.0)
        channel = re.search(r"interleaved=(\d{1,3})", given)
        return int(channel[1]) if channel else 0

    async def play(self, target: str) -> None:
        self._target = target
        self.checked(await self.ask("PLAY", target, Range="npt=0.000-"))

    async def packet(self, channel: int) -> bytes:
        """The next of one channel. Raises SourceError (ended) when the camera hangs up."""
        while True:
            message = self._early.popleft() if self._early else await self._message()
            if isinstance(message, Packet) and message.channel == channel:
                return message.data

    @property
    def camera_clock(self) -> datetime | None:
        """What the camera's clock shows now, by the last answer of it that told the time."""
        return self._told and self._told[0] + timedelta(seconds=time.monotonic() - self._told[1])

    def forgive(self) -> None:
        """A keyframe came: what was heard before it no longer counts."""
        self._heard = 0

    def stay(self) -> None:
        """Tells the camera that somebody still watches; its answer comes among the packets."""
        self._send("GET_PARAMETER", self._target, {})

    def leave(self) -> None:
        """Ends the session without waiting for the answer."""
        if self._session and not self._writer.is_closing():
            self._send("TEARDOWN", self._target, {})
            self._session = ""

    async def farewell(self) -> None:
        """Ends the session, hears that it ended if that is said soon, hangs up. Raises nothing."""
        self.leave()
        try:
            async with asyncio.timeout(FAREWELL_S):
                while not isinstance(await self._message(), Reply):
                    pass
        except (TimeoutError, SourceError):
            pass
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """At once; nothing is waited for, so that a camera that stopped reading cannot hold the socket."""
        self.leave()
        self._writer.transport.abort()

    def checked(self, reply: Reply) -> Reply:
        """Raises SourceError unless the camera agreed."""
        status = reply.status
        if 200 <= status < 300:
            return reply
        if status in (401, 403):
            raise SourceError(
                f"{self._what} refused the user or password; correct them in the camera's address.",
                reason=Trouble.REFUSED,
            )
        if status in _OTHER_DIALECT:
            raise NotSpokenError(f"{self._what} did not like how it was asked (RTSP {status}).")
        says, trouble = _FAULTS.get(status, ("reports a fault of its own", Trouble.UNREACHABLE))
        raise SourceError(f"{self._what} {says} (RTSP {status}).", reason=trouble)

    async def _exchange(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        self._send(method, target, headers)
        while True:
            message = await self._message()
            if isinstance(message, Packet):
                self._early.append(message)
            elif message.header("cseq") in ("", str(self._sequence)):
                return message

    def _send(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        self._sequence += 1
        told = dict(headers)
        if self._session:
            told["Session"] = self._session
        if self._credentials is not None and (given := self._credentials.header(method, target)) is not None:
            told["Authorization"] = given
        self._writer.write(request(method, target, sequence=self._sequence, headers=told))

    async def _message(self) -> Reply | Packet:
        while not self._arrived:
            try:
                data = await self._reader.read(CHUNK)
            except OSError:
                data = b""
            if not data:
                raise self._ended()
            self._count(data)
            self._arrived.extend(self._wire.feed(data))
        message = self._arrived.popleft()
        if isinstance(message, Reply) and (told := message.date) is not None:
            self._told = told, time.monotonic()
        return message

    def _count(self, data: bytes) -> None:
        self._heard += len(data)
        if not self._target and self._heard > MAX_SAID:
            raise SourceError(
                f"{self._what} talks on without answering, or does not speak RTSP; check the port.",
                reason=Trouble.UNREACHABLE,
            )
        if self._heard > MAX_HEARD:
            raise SourceError(
                f"{self._what} sent {MAX_HEARD // 2**20} MB without a keyframe; use its sub-stream.",
                reason=Trouble.NOT_A_PICTURE,
            )

    def _ended(self) -> SourceError:
        if self._target:
            return SourceError(f"{self._what} ended its stream.", reason=Trouble.ENDED)
        return SourceError(f"{self._what} hung up, or does not speak RTSP; check the port.", reason=Trouble.UNREACHABLE)
