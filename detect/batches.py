"""Looks gathered into batches for the detector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from detect.inference import BATCH
from models.pictures import Look

GATHER_S = 0.02
"""How long a batch waits for more looks: at 50 looks a second one more comes in this time."""


async def batches(looks: AsyncIterator[Look]) -> AsyncIterator[list[Look]]:
    """Whatever comes within a moment of the first look, at most a batch, two looks of one camera never together."""
    ahead: asyncio.Future[Look] | None = None
    try:
        while True:
            ahead = ahead or asyncio.ensure_future(anext(looks))
            batch = [await ahead]
            ahead = asyncio.ensure_future(anext(looks))
            while len(batch) < BATCH and (await asyncio.wait([ahead], timeout=GATHER_S))[0]:
                if ahead.exception() or ahead.result().camera_id in {look.camera_id for look in batch}:
                    break
                batch.append(ahead.result())
                ahead = asyncio.ensure_future(anext(looks))
            yield batch
    except StopAsyncIteration:
        return
    finally:
        if ahead is not None:
            ahead.cancel()
