"""One identity each, on the embedded broker and on a real Mosquitto with TLS: own topics only, ended within seconds."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch import accounts
from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import DISPATCH, AccessRevokedError, BrokerAccess
from dispatch.broker_keeper import EmbeddedKeeper, MosquittoKeeper
from dispatch.credentials import CredentialBook, list_credentials, renew, revoke
from dispatch.dynamic_security import COMMANDS, changes
from dispatch.mqtt import Incoming, MqttClient
from dispatch.store.store import Store
from dispatch.testing import LI, WANG
from models import wire
from models.clock import SystemClock
from models.errors import SettingsError
from tests.dispatch.mosquitto import Mosquitto, set_up

SECRET = b"a secret of at least sixteen bytes"
WORKER = f"worker:{WANG}"
TASKS, REPLIES = wire.tasks_topic(WANG), wire.replies_topic(WANG)
NODES = ("node:box",)


@dataclass
class Guarded:
    """A running broker whose identities are kept from a record."""

    url: str
    ws_url: str
    ca_file: Path | None
    store: Store
    access: BrokerAccess

    def client(self, identity: str, *topics: str, password: Callable[[], str] | None = None) -> MqttClient:
        made = password or (lambda: self.access.issue(identity, expires_at=SystemClock().now() + timedelta(hours=1)))
        return MqttClient(
            self.url, client_id=f"{identity}-test", username=identity, password=made, subscriptions=topics,
            ca_file=self.ca_file,
        )  # fmt: skip

    def change(self, how: Callable[..., object], identity: str) -> None:
        with self.store.transaction() as session:
            how(session, identity, now=self.store.clock.now())


@pytest.fixture
def book(live_store: Store) -> CredentialBook:
    return CredentialBook(live_store, nodes=NODES)


@pytest.fixture
def mosquitto_folder() -> Iterator[Path]:
    # not pytest's folder: that is for its user alone, and Mosquitto runs as another one when root tests
    with tempfile.TemporaryDirectory(prefix="gridwarden-mosquitto-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def set_up_mosquitto(mosquitto_folder: Path, book: CredentialBook) -> Mosquitto:
    return set_up(mosquitto_folder / "broker", BrokerAccess(SECRET, book.generation, lasting=True))


@pytest.fixture(params=["embedded", "mosquitto"])
async def guarded(request: pytest.FixtureRequest, live_store: Store, book: CredentialBook) -> AsyncIterator[Guarded]:
    if request.param == "embedded":
        access = BrokerAccess(SECRET, book.generation)
        broker = EmbeddedBroker("127.0.0.1", 0, 0, access, clock=SystemClock())
        async with broker, kept(EmbeddedKeeper(broker, book)):
            yield Guarded(broker.url, broker.ws_url, None, live_store, access)
    else:
        made: Mosquitto = request.getfixturevalue("set_up_mosquitto")
        access = BrokerAccess(SECRET, book.generation, lasting=True)
        async with made.running(), kept(keeper_of(made, book, access)):
            yield Guarded(made.url, made.ws_url, made.ca_file, live_store, access)


@asynccontextmanager
async def kept(keeper: EmbeddedKeeper | MosquittoKeeper) -> AsyncIterator[None]:
    task = asyncio.create_task(keeper.run())
    try:
        if isinstance(keeper, MosquittoKeeper):
            await until(lambda: keeper.in_step)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def keeper_of(made: Mosquitto, book: CredentialBook, access: BrokerAccess) -> MosquittoKeeper:
    return MosquittoKeeper(made.url, book, access, lambda: access.lasting_password(DISPATCH), ca_file=made.ca_file)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what happens in another process tells nobody
            await asyncio.sleep(0.02)


async def first(mqtt: MqttClient) -> Incoming:
    (message,) = await mqtt.batch(1)
    message.acknowledge()
    return message


async def turned_away(client: MqttClient) -> None:
    """What is connected may still be told so; what is turned away never becomes ready."""
    async with client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.wait_ready(), 0.7)


class TestBothBrokers:
    async def test_a_worker_hears_their_own_tasks_and_answers(self, guarded: Guarded) -> None:
        async with (
            guarded.client(DISPATCH, wire.replies_topic("+")) as dispatch,
            guarded.client(WORKER, TASKS, wire.answers_topic(WANG)) as phone,
        ):
            await asyncio.gather(dispatch.wait_ready(), phone.wait_ready())
            await dispatch.publish(TASKS, b"a task")
            assert (await first(phone)).payload == b"a task"
            await phone.publish(REPLIES, b"done")
            assert (await first(dispatch)).payload == b"done"

    async def test_nobody_hears_or_says_what_is_anothers(self, guarded: Guarded) -> None:
        other = f"worker:{LI}"
        async with (
            guarded.client(DISPATCH, wire.replies_topic("+"), wire.observations_topic("+")) as dispatch,
            guarded.client(WORKER, TASKS, wire.answers_topic(WANG)) as phone,
            guarded.client(other, wire.tasks_topic(LI), TASKS, "gw/v1/#", "$CONTROL/#") as nosy,
        ):
            await asyncio.gather(dispatch.wait_ready(), phone.wait_ready(), nosy.wait_ready())
            for topic in (REPLIES, TASKS, wire.observations_topic("box")):
                await nosy.publish(topic, b"forged")  # MQTT 3.1.1 has no word for a refusal: it is acknowledged
            await dispatch.publish(TASKS, b"for wang")
            await dispatch.publish(wire.tasks_topic(LI), b"for li")
            assert (await first(phone)).payload == b"for wang"
            assert (await first(nosy)).payload == b"for li"
            await phone.publish(REPLIES, b"genuine")
            assert (await first(dispatch)).payload == b"genuine"

    async def test_a_watch_node_tells_its_finds_and_hears_requests(self, guarded: Guarded) -> None:
        async with (
            guarded.client(DISPATCH, wire.observations_topic("+")) as dispatch,
            guarded.client("node:box", wire.requests_topic("box"), wire.committed_topic("box")) as node,
        ):
            await asyncio.gather(dispatch.wait_ready(), node.wait_ready())
            await node.publish(wire.observations_topic("box"), b"a find")
            assert (await first(dispatch)).payload == b"a find"
            await dispatch.publish(wire.requests_topic("box"), b"look again")
            assert (await first(node)).payload == b"look again"

    async def test_a_lost_phone_is_cut_off_and_its_password_worthless(self, guarded: Guarded) -> None:
        stolen = guarded.access.issue(WORKER, expires_at=SystemClock().now() + timedelta(hours=1))
        async with guarded.client(WORKER, TASKS, password=lambda: stolen) as phone:
            await phone.wait_ready()
            guarded.change(renew, WORKER)
            await until(lambda: not phone.connected)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(phone.wait_ready(), 1.5)
        async with guarded.client(WORKER, TASKS) as new_phone:
            await asyncio.wait_for(new_phone.wait_ready(), 10)

    async def test_a_revoked_worker_stays_out_until_renewed(self, guarded: Guarded) -> None:
        known = guarded.access.issue(WORKER, expires_at=SystemClock().now() + timedelta(hours=1))
        async with guarded.client(WORKER, TASKS) as phone:
            await phone.wait_ready()
            guarded.change(revoke, WORKER)
            await until(lambda: not phone.connected)
        await turned_away(guarded.client(WORKER, TASKS, password=lambda: known))
        with pytest.raises(AccessRevokedError, match="broker renew"):
            guarded.access.issue(WORKER, expires_at=SystemClock().now())
        guarded.change(renew, WORKER)
        await until(lambda: _may(guarded.access))
        async with guarded.client(WORKER, TASKS) as phone:
            await asyncio.wait_for(phone.wait_ready(), 10)

    async def test_others_stay_connected_when_one_is_revoked(self, guarded: Guarded) -> None:
        async with guarded.client(WORKER, TASKS) as phone, guarded.client(f"worker:{LI}") as other:
            await asyncio.gather(phone.wait_ready(), other.wait_ready())
            guarded.change(revoke, f"worker:{LI}")
            await until(lambda: not other.connected)
            assert phone.connected


class TestMosquitto:
    async def test_without_a_password_nobody_comes_in(self, guarded: Guarded) -> None:
        await turned_away(guarded.client("", "gw/v1/#", password=lambda: ""))
        await turned_away(guarded.client(WORKER, TASKS, password=lambda: "guessed"))

    async def test_nobody_but_the_dispatcher_gives_identities(
        self, set_up_mosquitto: Mosquitto, book: CredentialBook
    ) -> None:
        access, made = BrokerAccess(SECRET, book.generation, lasting=True), set_up_mosquitto
        async with made.running(), kept(keeper_of(made, book, access)):
            phone = MqttClient(
                made.url, client_id="p", username=WORKER, password=lambda: access.lasting_password(WORKER),
                ca_file=made.ca_file,
            )  # fmt: skip
            async with phone:
                await phone.wait_ready()
                wish = {"command": "createClient", "username": "worker:mine", "password": "x"}
                await phone.publish(COMMANDS, json.dumps({"commands": [wish]}).encode())
                await phone.publish(REPLIES, b"what the broker takes after it")
            assert "worker:mine" not in names_in(made.folder / "dynamic-security.json")

    async def test_a_broker_with_another_certificate_is_not_trusted(
        self, set_up_mosquitto: Mosquitto, book: CredentialBook
    ) -> None:
        access = BrokerAccess(SECRET, book.generation, lasting=True)
        async with set_up_mosquitto.running():
            password = access.lasting_password(DISPATCH)
            client = MqttClient(set_up_mosquitto.url, client_id="d", username=DISPATCH, password=lambda: password)
            await turned_away(client)

    async def test_phones_come_in_over_websocket(self, set_up_mosquitto: Mosquitto, book: CredentialBook) -> None:
        access = BrokerAccess(SECRET, book.generation, lasting=True)
        made = set_up_mosquitto
        async with made.running(), kept(keeper_of(made, book, access)):
            password = access.lasting_password(WORKER)
            phone = MqttClient(
                made.ws_url, client_id="p", username=WORKER, password=lambda: password, subscriptions=[TASKS]
            )
            async with phone:
                await asyncio.wait_for(phone.wait_ready(), 10)

    async def test_a_broker_that_lost_its_identities_is_given_them_again(
        self, set_up_mosquitto: Mosquitto, book: CredentialBook
    ) -> None:
        access = BrokerAccess(SECRET, book.generation, lasting=True)
        made = set_up_mosquitto
        state = made.folder / "dynamic-security.json"
        first_state = state.read_bytes()
        keeper = keeper_of(made, book, access)
        async with made.running(), kept(keeper):
            assert WORKER in names_in(state)
        state.write_bytes(first_state)
        async with made.running(), kept(keeper_of(made, book, access)):
            assert WORKER in names_in(state)

    async def test_identities_of_the_operators_own_are_left_alone(
        self, set_up_mosquitto: Mosquitto, book: CredentialBook
    ) -> None:
        made = set_up_mosquitto
        state = made.folder / "dynamic-security.json"
        held = json.loads(state.read_text())
        held["clients"].append({"username": "city-platform", "roles": []})
        held["clients"].append({"username": "worker:left-long-ago", "roles": []})
        state.write_text(json.dumps(held))
        access = BrokerAccess(SECRET, book.generation, lasting=True)
        async with made.running(), kept(keeper_of(made, book, access)):
            assert "city-platform" in names_in(state)
            assert "worker:left-long-ago" not in names_in(state)


class TestChanges:
    """What the plugin is told, without a broker."""

    def test_a_broker_in_step_is_told_nothing(self) -> None:
        access = BrokerAccess(SECRET, lasting=True)
        (batch,) = changes([], [WORKER], access)
        client = next(one for one in batch if one["command"] == "createClient")
        assert changes([client], [WORKER], access) == []

    def test_another_secret_makes_everybody_anew(self) -> None:
        (batch,) = changes([], [WORKER], BrokerAccess(SECRET, lasting=True))
        client = next(one for one in batch if one["command"] == "createClient")
        told = changes([client], [WORKER], BrokerAccess(b"another secret, just as long", lasting=True))
        assert [one["command"] for batch in told for one in batch] == [
            "deleteClient", "deleteRole", "deleteRole", "createRole", "createClient",
        ]  # fmt: skip

    def test_five_hundred_people_are_told_in_messages_a_broker_takes(self) -> None:
        wanted = [f"worker:p{number}" for number in range(500)]
        told = changes([], wanted, BrokerAccess(SECRET, lasting=True))
        created = [one["username"] for batch in told for one in batch if one["command"] == "createClient"]
        assert created == wanted
        assert max(len(json.dumps(batch)) for batch in told) < 64 * 1024


class TestRecord:
    def test_a_renewal_signs_the_persons_browsers_out(self, store: Store) -> None:
        now = store.clock.now()
        with store.transaction() as session:
            accounts.new_session(session, "token", WANG, now + timedelta(hours=1), now=now)
            accounts.new_session(session, "other", LI, now + timedelta(hours=1), now=now)
            renew(session, WORKER, now=now)
        with store.reading() as session:
            assert accounts.session_person(session, "token", now) is None
            assert accounts.session_person(session, "other", now) is not None

    def test_the_dispatchers_own_access_cannot_be_revoked(self, store: Store) -> None:
        with pytest.raises(SettingsError, match="lock gridwarden out"), store.transaction() as session:
            revoke(session, DISPATCH, now=store.clock.now())

    def test_everybody_with_a_phone_is_listed_and_nobody_else(self, store: Store) -> None:
        with store.reading() as session:
            listed = [one.identity for one in list_credentials(session, nodes=NODES)]
        assert listed[0] == "node:box"
        assert {WORKER, f"worker:{LI}"} < set(listed)
        assert not any("operator" in identity for identity in listed)


def names_in(state: Path) -> set[str]:
    return {client["username"] for client in json.loads(state.read_text())["clients"]}


def _may(access: BrokerAccess) -> bool:
    try:
        access.issue(WORKER, expires_at=SystemClock().now())
    except AccessRevokedError:
        return False
    return True
