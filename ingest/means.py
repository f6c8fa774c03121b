"""What the sources of one fleet share: threads for pixels, threads that wait for streams, TLS settings."""

from __future__ import annotations

import functools
import ssl

from ingest.threads import Threads

DECODING_THREADS = 2
"""One per core of the small box: decoding is pure computation, more would only take turns."""

WAITING_THREADS = 160
"""RTSP looks and name look-ups that wait inside C code: more than the 96 looks the fleet spends on cameras that failed,
so that dead cameras never hold them all. Threads are started when needed and end when idle."""


class Means:
    """Made by the fleet, lent to its sources, closed once by the fleet."""

    def __init__(self, *, decoding: int = DECODING_THREADS, waiting: int = WAITING_THREADS) -> None:
        self.decoding = Threads(decoding, name="decoding")
        self.waiting = Threads(waiting, name="waiting")

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """One for all: building one reads the machine's certificates, 20 ms and a megabyte each time."""
        return ssl.create_default_context()

    def close(self) -> None:
        self.decoding.close()
        self.waiting.close()


@functools.cache
def shared_means() -> Means:
    """For single sources opened outside a fleet; its threads end by themselves when idle."""
    return Means()
