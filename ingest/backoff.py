"""How long to wait after failures, for a camera and for the host behind many cameras. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_RETRY_S = 2.0
"""A camera that lost one look is usually back with the next: sooner than its routine look would come."""

LONGEST_RETRY_S = 60.0
"""A camera that is back is seen within a minute; 1,438 dead ones cost 24 attempts a second at most."""

REFUSED_RETRY_S = 300.0
"""After a wrong password: cameras lock the account after five or so wrong tries in half an hour. A corrected address is
tried at once, because a changed camera starts anew."""

JITTER = 0.5
"""The delay is cut by up to this share at random, so that cameras which failed together do not return together."""


def retry_delay_s(failures: int, *, draw: float, at_least_s: float = 0.0) -> float:
    """Seconds to wait after this many failures in a row; `draw` is a random number in 0..1, which shortens it.

    >>> [retry_delay_s(n, draw=0) for n in (1, 2, 3, 4, 5, 6, 60)]
    [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    """
    doublings = min(max(failures - 1, 0), 10)
    usual_s = min(FIRST_RETRY_S * 2.0**doublings, LONGEST_RETRY_S)
    return max(usual_s, at_least_s) * (1 - JITTER * draw)


TRIPS_AFTER = 5
"""Failures in a row of one host, over all its cameras, that open its circuit: a recorder with 64 channels is down,
not 64 cameras."""

PROBE_EVERY_S = 15.0
"""While a circuit is open one look in this time is let through to see whether the host is back."""

MAX_PER_HOST = 4
"""Looks at one host at a time: recorders have few sessions, and refuse the operator's own when we take them all."""

BUSY_WAIT_S = 0.25
"""A look that finds its host busy is asked again after this."""

_POSTPONED_S = 5.0
"""While a circuit is open its other cameras are asked again after this, so that all return soon after the probe."""


@dataclass(slots=True)
class _Host:
    flying: int = 0
    failures: int = 0
    probe_at: float = 0.0


@dataclass(slots=True)
class Hosts:
    """Concurrency and circuit of each host, known by its endpoint; "" (files) is never limited."""

    _hosts: dict[str, _Host] = field(default_factory=dict)

    def wait_s(self, endpoint: str, *, now: float) -> float:
        """0 when a look may start now (and must then be ended by `ended`), else seconds to wait before asking again."""
        if not endpoint:
            return 0.0
        host = self._hosts.setdefault(endpoint, _Host())
        if host.flying >= MAX_PER_HOST:
            return BUSY_WAIT_S
        if host.failures >= TRIPS_AFTER:
            if now < host.probe_at or host.flying:
                return min(max(host.probe_at - now, BUSY_WAIT_S), _POSTPONED_S)
            host.probe_at = now + PROBE_EVERY_S
        host.flying += 1
        return 0.0

    def ended(self, endpoint: str, *, reached: bool | None, now: float) -> None:
        """A look at the host ended: it was reached (whatever it answered), it was not, or None: given up by us."""
        host = self._hosts.get(endpoint)
        if host is None:
            return
        host.flying -= 1
        if reached is None:
            return
        host.failures = 0 if reached else host.failures + 1
        if host.failures == TRIPS_AFTER:
            host.probe_at = now + PROBE_EVERY_S

    def is_open(self, endpoint: str) -> bool:
        """Whether the host is taken to be down."""
        host = self._hosts.get(endpoint)
        return host is not None and host.failures >= TRIPS_AFTER

    def keep_only(self, endpoints: set[str]) -> None:
        """Forgets hosts no camera is behind any more."""
        for endpoint in self._hosts.keys() - endpoints:
            if self._hosts[endpoint].flying <= 0:
                del self._hosts[endpoint]
