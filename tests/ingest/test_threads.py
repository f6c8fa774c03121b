import asyncio
import threading

import pytest

from ingest.threads import Threads
from models.errors import SourceError


async def run(threads: Threads, work, *, deadline_s: float = 10):
    return await threads.run(work, deadline_s=deadline_s, what="the camera")


async def test_results_and_errors_come_back():
    threads = Threads(2, name="test")
    assert await run(threads, lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await run(threads, lambda: 1 / 0)
    threads.close()


async def test_never_more_threads_than_allowed_and_every_job_is_done():
    threads, seen = Threads(3, name="test"), set()

    def work(number: int) -> int:
        seen.add(threading.get_ident())
        return number

    results = await asyncio.gather(*(run(threads, lambda n=n: work(n)) for n in range(200)))
    assert results == list(range(200))
    assert len(seen) <= 3
    threads.close()


async def test_work_that_is_too_slow_is_given_up_and_its_thread_used_again():
    threads, hold = Threads(1, name="test"), threading.Event()
    with pytest.raises(SourceError, match="the camera gave no picture within") as raised:
        await run(threads, lambda: hold.wait(10), deadline_s=0.05)
    assert raised.value.reason == "timeout"
    hold.set()
    assert await run(threads, lambda: "next") == "next"
    threads.close()


async def test_cancelled_work_that_has_not_begun_is_not_begun():
    threads, hold, begun = Threads(1, name="test"), threading.Event(), []
    first = asyncio.create_task(run(threads, lambda: hold.wait(10)))
    second = asyncio.create_task(run(threads, lambda: begun.append(1)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    hold.set()
    await first
    await run(threads, lambda: None)
    assert begun == []
    threads.close()


async def test_closed_threads_end_and_take_no_more_work():
    threads = Threads(2, name="ending")
    await run(threads, lambda: None)
    alive = [thread for thread in threading.enumerate() if thread.name == "ending"]
    threads.close()
    for thread in alive:
        thread.join(timeout=10)
        assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="closed"):
        await run(threads, lambda: None)


async def test_threads_with_nothing_to_do_end_and_come_back_when_needed(monkeypatch):
    monkeypatch.setattr("ingest.threads.IDLE_S", 0.01)
    threads = Threads(2, name="idle")
    for _ in range(30):
        await asyncio.gather(*(run(threads, lambda: None) for _ in range(3)))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        while threads.alive:  # noqa: ASYNC110 - a thread that ends tells nobody
            await asyncio.sleep(0.01)
    assert await run(threads, lambda: 7) == 7
    threads.close()
