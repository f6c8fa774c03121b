"""The live feed, really served: snapshot, deltas, resuming, rights, and ends that end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from dashboard.live.hub import Hub
from dashboard.live.snapshots import Snapshots
from dashboard.live.stream import MOST_WAITING, Stream
from dashboard.rights import Viewer
from dashboard.testing import ADMINISTRATOR, ANALYST
from dispatch import accounts, people, queries
from dispatch.steps import take_step
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, WANG, WEST, observation, see, worker
from models.ids import DepartmentId, PersonId
from models.lifecycle import Step
from models.people import Actor, Person, Role
from models.places import CameraCondition, CameraState


@dataclass
class Event:
    name: str
    id: str | None
    data: dict


class Feed:
    """Reads a stream as a browser's EventSource does."""

    def __init__(self, response):
        self.status = response.status_code
        self._lines = response.aiter_lines()
        self.comments = 0

    async def events(self) -> AsyncIterator[Event]:
        name, id_, data = "", None, ""
        async for line in self._lines:
            field, _, value = line.partition(": ")
            if line == "" and data:
                yield Event(name, id_, json.loads(data))
                name, id_, data = "", None, ""
            elif line.startswith(":"):
                self.comments += 1
                yield Event("comment", None, {})
            elif field == "event":
                name = value
            elif field == "id":
                id_ = value
            elif field == "data":
                data = value

    async def next(self, *names) -> Event:
        async with asyncio.timeout(10):
            async for event in self.events():
                if event.name in names:
                    return event
        raise AssertionError(f"the stream ended before {names}")

    async def rest(self) -> list[Event]:
        async with asyncio.timeout(10):
            return [event async for event in self.events()]


@pytest.fixture
def watch(dashboard, server):
    """`async with watch(person) as feed:` an EventSource of that person."""

    @asynccontextmanager
    async def open_(person_id, *, after=None, cookies=None):
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        jar = cookies or (dashboard.cookie(person_id) if person_id else None)
        async with (
            httpx.AsyncClient(base_url=server.url, cookies=jar, timeout=10) as client,
            client.stream("GET", "/api/live", headers=headers) as response,
        ):
            yield Feed(response)

    return open_


def _find(dashboard, camera=CAMERA):
    see(dashboard.parts.store, observation(dashboard.clock.now(), camera=camera))
    with dashboard.parts.store.reading() as session:
        return queries.list_incidents(session, limit=1)[0]


def _step(dashboard, incident, step, actor, **data):
    with dashboard.parts.store.transaction() as session:
        take_step(
            session, incident_id=incident.incident_id, step=step, actor=actor, now=dashboard.clock.now(), data=data
        )


class TestWatching:
    async def test_it_begins_with_everything_as_it_is(self, dashboard, watch):
        incident = _find(dashboard)
        dashboard.states.append(CameraState(CAMERA, CameraCondition.ONLINE, dashboard.clock.now(), looks=7, inferred=3))
        async with watch(CENTRE) as feed:
            event = await feed.next("snapshot")
        assert [each["incident_id"] for each in event.data["incidents"]] == [incident.incident_id]
        assert {each["camera_id"]: each["looks"] for each in event.data["cameras"]} == {CAMERA: 7, EAST_CAMERA: 0}
        assert event.data["counts"]["opened"] == 1
        assert event.data["counts"]["looks"] == 7
        assert event.id == str(event.data["seq"])

    async def test_each_step_arrives_with_the_incident_as_it_is_then(self, dashboard, watch):
        async with watch(CENTRE) as feed:
            before = (await feed.next("snapshot")).data["seq"]
            incident = _find(dashboard)
            opened = await feed.next("incident")
            assigned = await feed.next("incident")
            assert opened.id == str(before + 1)
            assert [opened.data["event"]["kind"], assigned.data["event"]["kind"]] == ["open", "assign"]
            assert assigned.data["event"]["data"]["person_name"] == "王伟"
            _step(dashboard, incident, Step.ACCEPT, worker(WANG))
            accepted = await feed.next("incident")
            assert accepted.data["incident"]["state"] == "accepted"
            assert accepted.data["event"]["actor"] == {"role": "worker", "actor_id": "wang", "name": "王伟"}

    async def test_coming_back_with_the_last_id_brings_exactly_what_was_missed(self, dashboard, watch):
        incident = _find(dashboard)
        async with watch(CENTRE) as feed:
            last = (await feed.next("snapshot")).id
        _step(dashboard, incident, Step.RECEIVE, worker(WANG))
        _step(dashboard, incident, Step.ACCEPT, worker(WANG))
        async with watch(CENTRE, after=last) as feed:
            missed = [await feed.next("incident", "snapshot") for _ in range(2)]
        assert [event.data["event"]["kind"] for event in missed] == ["receive", "accept"]
        assert [int(event.id) - int(last) for event in missed] == [1, 2]

    @pytest.mark.parametrize("after", ["999999", "-1", "yesterday", str(2**70)])
    async def test_an_id_that_makes_no_sense_brings_a_snapshot(self, watch, after):
        async with watch(CENTRE, after=after) as feed:
            assert await feed.next("snapshot", "incident")

    async def test_quiet_streams_are_kept_open_by_comments(self, dashboard, watch):
        async with watch(CENTRE) as feed:
            await feed.next("snapshot")
            assert await feed.next("comment")

    async def test_cameras_tell_only_what_changed(self, dashboard, watch):
        now = dashboard.clock.now()
        dashboard.states[:] = [
            CameraState(CAMERA, CameraCondition.ONLINE, now, looks=1),
            CameraState(EAST_CAMERA, CameraCondition.ONLINE, now, looks=1),
        ]
        async with watch(CENTRE) as feed:
            both = await feed.next("cameras")
            assert len(both.data["states"]) == 2
            dashboard.states[1] = CameraState(EAST_CAMERA, CameraCondition.OFFLINE, now, looks=1, message="no answer")
            changed = await feed.next("cameras")
        assert [each["camera_id"] for each in changed.data["states"]] == [EAST_CAMERA]
        assert changed.data["states"][0]["condition"] == "offline"

    async def test_health_says_when_the_box_is_behind(self, dashboard, watch):
        dashboard.counters.update(behind_s=12.5, broker=0, spool=4)
        async with watch(CENTRE) as feed:
            health = (await feed.next("health")).data
        assert (health["behind_s"], health["broker"], health["spool"]) == (12.5, False, 4)


class TestRights:
    async def test_nobody_is_told_to_sign_in(self, watch):
        async with watch(None) as feed:
            assert feed.status == 401

    @pytest.mark.parametrize(("person", "sees_east"), [(WANG, False), ("zhao", False), (CENTRE, True), (ANALYST, True)])
    async def test_snapshots_deltas_and_cameras_are_of_ones_own_cells(self, dashboard, watch, person, sees_east):
        _find(dashboard, EAST_CAMERA)
        _find(dashboard, CAMERA)
        async with watch(person) as feed:
            snapshot = (await feed.next("snapshot")).data
            _find(dashboard, EAST_CAMERA)
            west = _find(dashboard, CAMERA)
            first = (await feed.next("incident")).data["incident"]
        cameras = {each["camera_id"] for each in snapshot["cameras"]}
        assert cameras == ({CAMERA, EAST_CAMERA} if sees_east else {CAMERA})
        assert {each["camera_id"] for each in snapshot["incidents"]} == cameras
        assert snapshot["counts"]["opened"] == len(cameras)
        assert first["camera_id"] == (EAST_CAMERA if sees_east else west.camera_id)

    async def test_the_same_event_shows_each_role_its_own_steps(self, dashboard, watch):
        async with watch(WANG) as his, watch(ANALYST) as hers:
            await his.next("snapshot")
            await hers.next("snapshot")
            _find(dashboard)
            for feed, steps in ((his, ["receive", "accept", "resolve", "return", "nothing_here"]), (hers, [])):
                await feed.next("incident")
                assert (await feed.next("incident")).data["incident"]["steps"] == steps

    async def test_a_lent_task_that_is_taken_back_leaves_the_workers_page(self, dashboard, watch):
        incident = _find(dashboard, EAST_CAMERA)
        operator = Actor(Role.OPERATOR, CENTRE)
        async with watch(WANG) as feed:
            await feed.next("snapshot")
            _step(dashboard, incident, Step.ASSIGN, operator, person=WANG)
            lent = await feed.next("incident", "gone")
            assert (lent.name, lent.data["incident"]["incident_id"]) == ("incident", incident.incident_id)
            _step(dashboard, incident, Step.ASSIGN, operator, person="sun")
            gone = await feed.next("incident", "gone")
            assert (gone.name, gone.data["incident_id"]) == ("gone", incident.incident_id)

    async def test_new_rights_take_effect_while_watching(self, dashboard, watch):
        async with watch(ADMINISTRATOR) as feed:
            assert len((await feed.next("snapshot")).data["cameras"]) == 2
            with dashboard.parts.store.transaction() as session:
                people.put_person(session, Person(ADMINISTRATOR, "吴管理", Role.LEADER, DepartmentId("SQ"), (WEST,)))
            assert len((await feed.next("snapshot")).data["cameras"]) == 1


class TestEnds:
    async def test_signing_out_ends_all_streams_of_that_session_and_no_other(self, dashboard, server, watch):
        cookies = dashboard.cookie(CENTRE)
        async with watch(CENTRE, cookies=cookies) as feed, watch(CENTRE) as other:
            await feed.next("snapshot")
            await other.next("snapshot")
            async with httpx.AsyncClient(base_url=server.url, cookies=cookies) as client:
                await client.post("/api/sign-out", headers={"X-Gridwarden": "1"})
            assert (await feed.rest())[-1].data == {"reason": "signed_out"}
            _find(dashboard)
            assert await other.next("incident")

    async def test_an_outdated_session_ends_the_stream(self, dashboard, watch):
        async with watch(CENTRE) as feed:
            await feed.next("snapshot")
            dashboard.clock.advance(hours=14)
            assert (await feed.rest())[-1].data == {"reason": "signed_out"}

    async def test_a_password_changed_elsewhere_ends_the_stream(self, dashboard, watch):
        async with watch(CENTRE) as feed:
            await feed.next("snapshot")
            with dashboard.parts.store.transaction() as session:
                accounts.set_password_hash(session, person_id=CENTRE, username=CENTRE, password_hash="x")
            assert (await feed.rest())[-1].data == {"reason": "signed_out"}

    async def test_viewers_who_leave_are_forgotten(self, dashboard, watch):
        hub = dashboard.app.state.hub
        async with watch(CENTRE) as feed:
            await feed.next("snapshot")
            assert hub.viewers == 1
        async with asyncio.timeout(10):
            while hub.viewers:  # noqa: ASYNC110 - the hub tells nobody that someone has left
                await asyncio.sleep(0.01)

    async def test_one_session_cannot_take_all_places(self, dashboard, server):
        cookies = dashboard.cookie(CENTRE)
        hub = dashboard.app.state.hub
        viewer = Viewer(Person(CENTRE, "指挥中心", Role.OPERATOR, DepartmentId("SQ")), "same")
        streams = [hub.join(viewer) for _ in range(12)]
        with pytest.raises(Exception, match="Too many live pages"):
            hub.join(viewer)
        for stream in streams:
            hub.leave(stream)
        assert cookies


def _pass_around(dashboard, incident):
    """Fifty wordy events at once."""
    with dashboard.parts.store.transaction() as session:
        for number in range(50):
            take_step(
                session,
                incident_id=incident.incident_id,
                step=Step.ASSIGN,
                actor=Actor(Role.OPERATOR, CENTRE),
                now=dashboard.clock.now(),
                data={"person": (WANG, "li")[number % 2], "reason": "转" * 2000},
            )


class _Numbered:
    def __init__(self, seq):
        self.seq = seq


class TestASlowViewer:
    def _stream(self):
        return Stream(Viewer(Person(CENTRE, "指挥中心", Role.OPERATOR, DepartmentId("SQ")), "hash"))

    def test_what_waits_is_bounded_and_becomes_a_snapshot(self):
        stream = self._stream()
        for seq in range(MOST_WAITING):
            stream.offer(_Numbered(seq))
        assert not stream.stale
        stream.offer(_Numbered(MOST_WAITING))
        assert stream.stale
        assert stream.take_delta() is None

    def test_only_the_newest_counts_wait(self):
        stream = self._stream()
        for number in range(1000):
            stream.offer_newest("counts", b"%d" % number)
        assert stream.take_rest() == [b"999"]

    async def test_a_viewer_that_does_not_read_gets_a_snapshot_not_a_queue(self, dashboard, server):
        """The connection's own buffers are filled first; then events wait, are cut, and the snapshot follows."""
        hub = dashboard.app.state.hub
        host, port = server.url.removeprefix("http://").split(":")
        cookie = "; ".join(f"{name}={value}" for name, value in dashboard.cookie(CENTRE).items())
        with socket.socket() as narrow:
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            narrow.connect((host, int(port)))
            reader, writer = await asyncio.open_connection(sock=narrow.dup(), limit=1024)
        writer.write(f"GET /api/live HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot")
        (stream,) = hub._streams
        incident = await asyncio.to_thread(_find, dashboard)
        for _ in range(100):
            await asyncio.to_thread(_pass_around, dashboard, incident)
            if stream.cut:
                break
        assert stream.cut
        assert len(stream._deltas) <= MOST_WAITING
        rest = b""
        async with asyncio.timeout(20):
            while b"event: snapshot" not in rest:
                rest = rest[-100:] + await reader.read(65536)
        writer.close()


class TestOneSnapshotForManyPages:
    """A snapshot of a whole district takes a tenth of a second: pages that come back together share it."""

    @pytest.fixture
    def snapshots(self, dashboard):
        return Snapshots(dashboard.parts, dashboard.app.state.book)

    def test_pages_of_the_same_sight_are_given_the_same(self, dashboard, snapshots):
        see(dashboard.parts.store, observation(dashboard.clock.now()))
        first, second = (snapshots.take(operator(name), told=snapshots.told) for name in ("anna", "ben"))
        assert first is second
        assert snapshots.take(leader(), told=snapshots.told) is not first

    def test_what_was_begun_before_something_was_told_is_given_to_nobody_who_joined_after(self, dashboard, snapshots):
        before = snapshots.take(operator("anna"), told=snapshots.told)
        see(dashboard.parts.store, observation(dashboard.clock.now()))
        snapshots.count_told()
        assert snapshots.take(operator("ben"), told=snapshots.told).shown > before.shown

    def test_who_owns_an_incident_is_given_their_own_steps(self, dashboard, snapshots):
        see(dashboard.parts.store, observation(dashboard.clock.now()))
        shared = snapshots.take(operator("anna"), told=snapshots.told)
        assert snapshots.take(operator(WANG), told=snapshots.told) is not shared
        assert snapshots.take(operator("ben"), told=snapshots.told) is shared


async def test_who_looks_after_nobody_did_sees_what_happened_meanwhile(dashboard):
    hub = Hub(dashboard.parts, dashboard.app.state.book)
    hub._seq = dashboard.parts.feed.seq

    async def incidents_seen() -> int:
        stream = hub.join(operator("anna"))
        messages = hub.messages(stream, after=None)
        _, snapshot = [await anext(messages), await anext(messages)]
        await messages.aclose()
        hub.leave(stream)
        return len(json.loads(snapshot.split(b"data: ")[1])["incidents"])

    assert await incidents_seen() == 0
    see(dashboard.parts.store, observation(dashboard.clock.now()))
    await hub._follow()
    assert await incidents_seen() == 1


def operator(person_id: str) -> Viewer:
    return Viewer(Person(PersonId(person_id), person_id, Role.OPERATOR, DepartmentId("SQ")), "hash")


def leader() -> Viewer:
    return Viewer(Person(PersonId("lead"), "lead", Role.LEADER, DepartmentId("SQ"), (WEST,)), "hash")
