"""Host name to a checked IP address, so that the connection goes to exactly the address that was checked.

Checking the name and then letting the library resolve it again would let a name server answer differently the
second time (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
import time

from ingest.addresses import checked_ip
from ingest.threads import Threads
from models.errors import SourceError
from models.places import Trouble

KEPT_S = 60.0
"""How long a resolved name is used again: cameras seldom move, and a look every 10 s needs no look-up each."""

MAX_NAMES = 8
"""Names remembered per source: its own and those it redirects to."""


class Resolver:
    """Resolves and checks the names one source needs."""

    def __init__(self, threads: Threads, *, allow_private: bool) -> None:
        self._threads = threads
        self._allow_private = allow_private
        self._known: dict[str, tuple[str, float]] = {}

    async def ip(self, host: str, *, deadline_s: float) -> str:
        """Raises SourceError: refused when the address may not be used, unreachable when the name is unknown."""
        if _is_ip(host):
            return checked_ip(host, allow_private=self._allow_private)
        known, until = self._known.get(host, ("", 0.0))
        if time.monotonic() < until:
            return known
        found = await self._threads.run(lambda: _look_up(host), deadline_s=deadline_s, what=f"The name {host}")
        ip = checked_ip(found, allow_private=self._allow_private)
        if len(self._known) >= MAX_NAMES:
            self._known.clear()
        self._known[host] = (ip, time.monotonic() + KEPT_S)
        return ip

    def forget(self) -> None:
        """After a failed look: the camera may have got a new address."""
        self._known.clear()


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _look_up(host: str) -> str:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise SourceError(
            f"The name {host} is not known to the name server; check its spelling.", reason=Trouble.UNREACHABLE
        ) from None
    return str(min(answers, key=lambda answer: answer[0] != socket.AF_INET)[4][0])
