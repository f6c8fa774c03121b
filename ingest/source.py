"""The seam between cameras and the rest: anything that can be asked for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.pictures import Image


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture as a source gives it, before it is a camera's Look.

    image: uint8 (H, W, 3) BGR, longest side at most `ingest.decode.MAX_SIDE`; captured_at: UTC; camera_clock: what the
    camera itself says the time is, where it says so.
    """

    image: Image
    captured_at: datetime
    camera_clock: datetime | None = None


class Source(Protocol):
    """One camera's pictures. Asked by one task at a time; belongs to one event loop."""

    async def look(self, *, deadline_s: float) -> Shot:
        """The newest picture. Raises SourceError with a `Trouble` as reason, at the latest after `deadline_s`."""
        ...

    async def close(self) -> None:
        """Lets go of sockets, files and threads; may be called twice; `look` afterwards is an error."""
        ...
