import asyncio
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import BrokerAccess
from dispatch.mqtt import BrokerAddress, BrokerGoneError, Incoming, MqttClient
from models import wire
from models.clock import SystemClock
from models.errors import PortInUseError, SettingsError
from models.testing import FakeClock

Password = Callable[[str], Callable[[], str]]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ACCESS = BrokerAccess(b"a secret of at least sixteen bytes")


def client(url: str, identity: str, password: Password, *topics: str) -> MqttClient:
    return MqttClient(url, client_id=identity, username=identity, password=password(identity), subscriptions=topics)


async def first(mqtt: MqttClient) -> Incoming:
    (message,) = await mqtt.batch(1)
    message.acknowledge()
    return message


class TestPasswords:
    def test_a_password_is_good_for_its_identity_until_it_expires(self) -> None:
        password = ACCESS.issue("worker:wang", expires_at=NOW + timedelta(hours=1))
        assert ACCESS.verify("worker:wang", password, NOW)
        assert not ACCESS.verify("worker:li", password, NOW)
        assert not ACCESS.verify("worker:wang", password, NOW + timedelta(hours=1))
        assert not BrokerAccess(b"another secret, just as long").verify("worker:wang", password, NOW)

    @given(st.text(), st.text())
    def test_nothing_made_up_is_let_in(self, identity: str, password: str) -> None:
        assert not ACCESS.verify(identity, password, NOW)

    def test_a_short_secret_is_refused(self) -> None:
        with pytest.raises(ValueError, match="16 bytes"):
            BrokerAccess(b"short")


class TestTopics:
    @pytest.mark.parametrize(
        ("identity", "action", "topic", "allowed"),
        [
            ("worker:wang", "subscribe", wire.tasks_topic("wang"), True),
            ("worker:wang", "subscribe", wire.answers_topic("wang"), True),
            ("worker:wang", "publish", wire.replies_topic("wang"), True),
            ("worker:wang", "publish", wire.tasks_topic("wang"), False),
            ("worker:wang", "subscribe", wire.tasks_topic("li"), False),
            ("worker:wang", "subscribe", "gw/v1/workers/+/tasks", False),
            ("worker:wang", "subscribe", "gw/v1/workers/wang/#", False),
            ("worker:wang", "subscribe", "#", False),
            ("worker:wang", "publish", wire.replies_topic("li"), False),
            ("worker:wang", "publish", wire.observations_topic("wang"), False),
            ("worker:+", "subscribe", "gw/v1/workers/+/tasks", False),
            ("worker:", "subscribe", "gw/v1/workers//tasks", False),
            ("worker:a/b", "subscribe", "gw/v1/workers/a/b/tasks", False),
            ("node:n", "publish", wire.observations_topic("n"), True),
            ("node:n", "publish", wire.status_topic("n"), True),
            ("node:n", "subscribe", wire.requests_topic("n"), True),
            ("node:n", "publish", wire.observations_topic("m"), False),
            ("node:n", "subscribe", wire.observations_topic("n"), False),
            ("dispatch", "subscribe", "gw/v1/observations/+", True),
            ("dispatch", "publish", wire.tasks_topic("wang"), True),
            ("dispatch", "subscribe", "#", False),
            ("nobody", "subscribe", wire.tasks_topic("wang"), False),
        ],
    )
    def test_everybody_has_their_own_topics_only(self, identity: str, action: str, topic: str, allowed: bool) -> None:
        assert ACCESS.may(identity, action, topic) is allowed  # type: ignore[arg-type]


class TestEmbeddedBroker:
    async def test_a_task_reaches_its_worker_over_websocket_and_nobody_else(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        wang, li = wire.tasks_topic("wang"), wire.tasks_topic("li")
        async with (
            client(broker.url, "dispatch", password) as dispatch,
            client(broker.ws_url, "worker:wang", password, wang) as to_wang,
            client(broker.url, "worker:li", password, wang, li) as to_li,
        ):
            for connected in (dispatch, to_wang, to_li):
                await connected.wait_ready()
            await dispatch.publish(wang, b"for wang")
            await dispatch.publish(li, b"for li")
            assert (await first(to_wang)).payload == b"for wang"
            assert (await first(to_li)).payload == b"for li"

    async def test_what_a_worker_may_not_publish_reaches_nobody(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        async with (
            client(broker.url, "dispatch", password, wire.replies_topic("+"), wire.observations_topic("+")) as dispatch,
            client(broker.url, "worker:li", password) as li,
        ):
            await asyncio.gather(dispatch.wait_ready(), li.wait_ready())
            await li.publish(wire.replies_topic("wang"), b"forged")
            await li.publish(wire.observations_topic("n"), b"forged")
            await li.publish(wire.replies_topic("li"), b"genuine")
            assert (await first(dispatch)).payload == b"genuine"

    async def test_a_last_will_on_somebody_elses_topic_is_turned_away(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        forger = client(broker.url, "worker:li", password)
        forger._client.will_set(wire.tasks_topic("wang"), b"forged", qos=1)
        async with forger, client(broker.url, "worker:wang", password) as wang:
            await wang.wait_ready()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(forger.wait_ready(), 0.3)

    async def test_a_wrong_password_is_turned_away_and_leaves_no_session(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        stranger = MqttClient(broker.url, client_id="x", username="dispatch", password=lambda: "1.wrong")
        async with stranger, client(broker.url, "dispatch", password) as dispatch:
            await dispatch.wait_ready()
            with pytest.raises(BrokerGoneError):
                await stranger.publish("gw/v1/anything", b"")
        assert broker._broker is not None
        assert "x" not in broker._broker.sessions

    async def test_retained_status_is_not_shown_to_workers_who_connect(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        tasks = wire.tasks_topic("wang")
        async with (
            client(broker.url, "dispatch", password, wire.status_topic("+")) as dispatch,
            client(broker.url, "node:n", password) as node,
        ):
            await asyncio.gather(dispatch.wait_ready(), node.wait_ready())
            await node.publish(wire.status_topic("n"), json.dumps({"online": True}).encode(), retain=True)
            await first(dispatch)
            async with client(broker.url, "worker:wang", password, tasks) as wang:
                await wang.wait_ready()
                await dispatch.publish(tasks, b"the only thing")
                assert (await first(wang)).payload == b"the only thing"

    async def test_clients_that_come_and_go_cost_nobody_a_message(
        self, broker: EmbeddedBroker, password: Password
    ) -> None:
        tasks = wire.tasks_topic("wang")

        async def come_and_go(person: str) -> None:
            identity = f"worker:{person}"
            async with client(broker.url, identity, password, wire.tasks_topic(person), wire.answers_topic(person)):
                await asyncio.sleep(0)

        async with (
            client(broker.url, "dispatch", password, wire.status_topic("+")) as dispatch,
            client(broker.url, "worker:wang", password, tasks) as wang,
        ):
            await asyncio.gather(dispatch.wait_ready(), wang.wait_ready())
            crowd = asyncio.gather(*(come_and_go(f"p{number}") for number in range(20)))
            for number in range(40):
                await dispatch.publish(tasks, str(number).encode())
            heard = [(await first(wang)).payload for _ in range(40)]
            await crowd
        assert sorted(heard, key=int) == [str(number).encode() for number in range(40)]

    async def test_a_taken_port_is_told_with_the_way_out(self, broker: EmbeddedBroker) -> None:
        for ports in ((broker.port, 0), (0, broker.ws_port)):
            second = EmbeddedBroker("127.0.0.1", *ports, ACCESS, clock=SystemClock())
            with pytest.raises(PortInUseError, match="choose another port"):
                await second.start()

    async def test_after_stopping_the_ports_are_free_again(self) -> None:
        async with EmbeddedBroker("127.0.0.1", 0, 0, ACCESS, clock=FakeClock()) as running:
            ports = running.port, running.ws_port
        for port in ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))

    async def test_a_client_comes_back_when_the_broker_does(self, password: Password) -> None:
        access = BrokerAccess(b"a secret of at least sixteen bytes")
        async with EmbeddedBroker("127.0.0.1", 0, 0, access, clock=SystemClock()) as running:
            port, url = running.port, running.url
            worker = client(url, "worker:wang", password, wire.tasks_topic("wang"))
            await worker.__aenter__()
            await worker.wait_ready()
        while worker.connected:  # noqa: ASYNC110 - paho's thread tells in its own time
            await asyncio.sleep(0.01)
        with pytest.raises(BrokerGoneError):
            await worker.publish(wire.replies_topic("wang"), b"")
        async with EmbeddedBroker("127.0.0.1", port, 0, access, clock=SystemClock()):
            await worker.wait_ready()
            await worker.publish(wire.replies_topic("wang"), b"")
            await worker.__aexit__(None, None, None)


@pytest.mark.parametrize("url", ["localhost:1883", "http://host", "mqtt://", "mqtt://me:secret@host", "mqtt://h:x"])
def test_a_broker_address_that_cannot_be_used_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        BrokerAddress.parse(url)
    assert "secret" not in str(told.value)
