"""From a camera's address to its playing video track, and keyframe after keyframe of it.

Every redirect is checked like the first address; user and password go to the camera's own host only.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

from ingest.addresses import NetworkAddress, parse
from ingest.credentials import Credentials
from ingest.keyframe import KeyframeFinder
from ingest.resolve import Resolver
from ingest.rtsp_description import Encoding, video_track, whole_target
from ingest.rtsp_message import Reply
from ingest.rtsp_talk import Talk
from models.errors import SourceError
from models.places import Trouble

MAX_REDIRECTS = 3
"""A recorder sends on to a camera, a load balancer to a server: more is a loop."""

_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})


class KeyframeStream:
    """A track that plays. `next_keyframe` until it is enough, then `farewell` or `hang_up` of its `talk`."""

    def __init__(self, talk: Talk, finder: KeyframeFinder, *, encoding: Encoding, channel: int) -> None:
        self.talk = talk
        self.encoding = encoding
        self._finder = finder
        self._channel = channel

    async def next_keyframe(self) -> bytes:
        """Annex B bytes that can be decoded alone. Raises SourceError when the stream ends or is none."""
        while (found := self._finder.put(await self.talk.packet(self._channel))) is None:
            pass
        self.talk.forgive()
        return found


class KeyframeDoor:
    """Opens one camera's stream again and again, remembering what it learnt: how it wants the password.

    address: where the camera was found the last time; another than the given one after a redirect.
    """

    def __init__(self, address: NetworkAddress, *, resolver: Resolver) -> None:
        self._given = address
        self._resolver = resolver
        self._credentials = None if address.user is None else Credentials(address.user, address.password or "")
        self._greeted = False
        self.address = address

    async def open(self, *, deadline_s: float) -> KeyframeStream:
        """Raises SourceError, and NotSpokenError where FFmpeg may do better. Keeps no deadline but the resolver's."""
        address = self.address = self._given
        for _ in range(MAX_REDIRECTS + 1):
            talk = await self._connect(address, deadline_s=deadline_s)
            try:
                described = await self._described(talk, address)
                if described.status not in _REDIRECTS or not described.header("location"):
                    return await self._playing(talk, talk.checked(described), address)
            except BaseException:
                talk.hang_up()
                raise
            talk.hang_up()
            address = self.address = self._redirected(address, described.header("location"))
        raise SourceError(
            f"{self._given.shown} redirects more than {MAX_REDIRECTS} times; give the address it ends at.",
            reason=Trouble.REFUSED,
        )

    async def _connect(self, address: NetworkAddress, *, deadline_s: float) -> Talk:
        ip = await self._resolver.ip(address.host, deadline_s=deadline_s)
        credentials = self._credentials if address.host == self._given.host else None
        return await Talk.open(address, ip=ip, credentials=credentials)

    async def _described(self, talk: Talk, address: NetworkAddress) -> Reply:
        """OPTIONS the first time only: some cameras want to be greeted, none says anything that is used."""
        if not self._greeted:
            await talk.ask("OPTIONS", address.url)
        return await talk.ask("DESCRIBE", address.url, Accept="application/sdp")

    async def _playing(self, talk: Talk, described: Reply, address: NetworkAddress) -> KeyframeStream:
        track = video_track(described.body, what=address.shown)
        base = described.header("content-base") or described.header("content-location") or address.url
        channel = await talk.setup(whole_target(base, track.control, what=address.shown))
        await talk.play(whole_target(base, track.session, what=address.shown))
        self._greeted = True
        finder = KeyframeFinder(track, what=address.shown)
        return KeyframeStream(talk, finder, encoding=track.encoding, channel=channel)

    def _redirected(self, address: NetworkAddress, location: str) -> NetworkAddress:
        target = parse(urljoin(address.url, location))
        if not isinstance(target, NetworkAddress) or target.scheme != "rtsp":
            raise SourceError(
                f"{address.shown} redirects away from rtsp://, which is not followed; give the address it ends at.",
                reason=Trouble.REFUSED,
            )
        own = target.host == self._given.host
        return replace(target, user=self._given.user if own else None, password=self._given.password if own else None)


def too_late(address: NetworkAddress, deadline_s: float, *, playing: bool) -> SourceError:
    """For whoever kept the deadline."""
    gave = "sent no whole keyframe" if playing else "gave no picture"
    return SourceError(f"{address.shown} {gave} within {deadline_s:g} s.", reason=Trouble.TIMEOUT)
