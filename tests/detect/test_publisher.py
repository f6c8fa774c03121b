import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from detect.publisher import Publisher, Request
from detect.requests import SuppressRequest
from detect.spool import Spool
from models.clock import SystemClock
from models.errors import SettingsError
from models.ids import NodeId
from models.wire import committed_topic, requests_topic
from tests.detect.brokers import NODE, RunningBroker, dispatcher, embedded, eventually, free_port, mosquitto

SUPPRESS = {
    "v": 1, "type": "suppress", "key": "r1", "camera": "c1", "subcategory": "F1", "box": [0.1, 0.1, 0.2, 0.2],
    "until": "2027-01-01T00:00:00Z",
}  # fmt: skip

StartBroker = Callable[[Path, int], AbstractAsyncContextManager[RunningBroker]]


@asynccontextmanager
async def publishing(broker: RunningBroker, spool: Spool, asked: list[Request]) -> AsyncIterator[Publisher]:
    publisher = Publisher(
        node_id=NodeId(NODE), broker_url=broker.url, password=broker.node_password, spool=spool,
        on_request=asked.append, clock=SystemClock(),
    )  # fmt: skip
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture(params=[mosquitto, embedded])
def start_broker(request: pytest.FixtureRequest) -> StartBroker:
    chosen: StartBroker = request.param
    return chosen


async def test_the_spool_is_emptied_by_the_commit_and_by_nothing_less(
    tmp_path: Path, start_broker: StartBroker
) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.put([{"key": "before"}])
    async with (
        start_broker(tmp_path, free_port()) as broker,
        dispatcher(broker) as ear,
        publishing(broker, spool, []),
    ):
        await ear.until(lambda: ear.keys() == ["before"])
        assert len(spool) == 1
        spool.put([{"key": "while running"}])
        await ear.until(lambda: ear.keys() == ["before", "while running"])
        ear.say(committed_topic(NODE), b"not json")
        ear.commit("before", "while running")
        await eventually(lambda: len(spool) == 0)
    spool.close()


async def test_dispatch_sees_the_node_come_and_go(tmp_path: Path, start_broker: StartBroker) -> None:
    spool = Spool(tmp_path / "spool.db")
    async with start_broker(tmp_path, free_port()) as broker, dispatcher(broker) as ear:
        async with publishing(broker, spool, []):
            await ear.until(lambda: ear.statuses == [True])
        await ear.until(lambda: ear.statuses == [True, False])
    spool.close()


async def test_requests_arrive_checked_and_rubbish_is_counted(tmp_path: Path, start_broker: StartBroker) -> None:
    spool, asked = Spool(tmp_path / "spool.db"), list[Request]()
    async with (
        start_broker(tmp_path, free_port()) as broker,
        dispatcher(broker) as ear,
        publishing(broker, spool, asked) as publisher,
    ):
        await ear.until(lambda: ear.statuses == [True])
        ear.say(requests_topic(NODE), b"\xff")
        ear.ask({**SUPPRESS, "box": [0.2, 0.1, 0.1, 0.2]})
        ear.ask(SUPPRESS)
        await eventually(lambda: bool(asked))
        assert isinstance(asked[0], SuppressRequest)
        assert publisher.counters()["refused_payloads"] == 2
    spool.close()


async def test_what_was_not_committed_is_sent_again_after_the_broker_was_away(tmp_path: Path) -> None:
    spool, port = Spool(tmp_path / "spool.db"), free_port()
    spool.put([{"key": "a"}])
    asked: list[Request] = []
    async with mosquitto(tmp_path, port) as broker, dispatcher(broker) as ear:
        link = publishing(broker, spool, asked)
        await link.__aenter__()
        await ear.until(lambda: ear.keys() == ["a"])
    spool.put([{"key": "b"}])
    async with mosquitto(tmp_path, port) as broker, dispatcher(broker) as ear:
        await ear.until(lambda: set(ear.keys()) == {"a", "b"})
        ear.commit("a", "b")
        await eventually(lambda: len(spool) == 0)
        await link.__aexit__(None, None, None)
    spool.close()


def test_an_address_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    with pytest.raises(SettingsError, match="mqtt://host"):
        Publisher(
            node_id=NodeId(NODE), broker_url="http://x", password=None, spool=spool,
            on_request=lambda _: None, clock=SystemClock(),
        )  # fmt: skip
    spool.close()
