import asyncio
import threading
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dispatch.queries import events_after, get_incident, last_seq, list_incidents, timeline
from dispatch.store import directory  # noqa: F401 - registers its tables
from dispatch.store.store import Store
from dispatch.store.tables import Base
from dispatch.testing import EAST, EAST_CAMERA, WEST, observation, see
from dispatch.verify_log import verify_log
from models.clock import SystemClock
from models.errors import DataFolderError, NotFoundError, SettingsError
from models.geometry import Box
from models.testing import FakeClock


def boxes(number: int) -> list[Box]:
    return [Box(0.02 * place, 0.1, 0.02 * place + 0.01, 0.2) for place in range(number)]


class TestOpen:
    def test_the_migrations_make_exactly_the_tables_of_the_models(self, empty_store: Store) -> None:
        with empty_store.reading() as session:
            assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []

    def test_opening_again_keeps_everything(self, database_url: str, store: Store, clock: FakeClock) -> None:
        see(store, observation(clock.now()))
        again = Store.open(database_url, clock=clock)
        with again.reading() as session:
            assert len(list_incidents(session)) == 1
        assert again.feed.seq == store.feed.seq > 0
        again.close()

    @pytest.mark.parametrize("url", ["nonsense", "mongodb://host/name"])
    def test_an_unusable_address_is_told_with_the_way_out(self, url: str) -> None:
        with pytest.raises(SettingsError, match="give sqlite:///"):
            Store.open(url, clock=SystemClock())

    def test_a_file_that_is_no_database_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "record.db").write_bytes(b"this is a shopping list, not a database" * 50)
        with pytest.raises(DataFolderError, match=r"record\.db cannot be opened"):
            Store.open(f"sqlite:///{tmp_path}/record.db", clock=SystemClock())

    def test_a_database_of_a_newer_gridwarden_is_left_alone(self, database_url: str, clock: FakeClock) -> None:
        newer = Store.open(database_url, clock=clock)
        with newer.transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        newer.close()
        with pytest.raises(DataFolderError, match="newer gridwarden"):
            Store.open(database_url, clock=clock)


class TestTransaction:
    def test_what_fails_leaves_nothing_behind_and_wakes_nobody(self, store: Store, clock: FakeClock) -> None:
        see(store, observation(clock.now()))
        seq = store.feed.seq
        with pytest.raises(RuntimeError), store.transaction() as session:  # noqa: PT012
            incident = list_incidents(session)[0]
            from dispatch.events import append
            from dispatch.followups import SYSTEM

            append(
                session,
                incident_id=incident.incident_id,
                kind="seen",
                actor=SYSTEM,
                at=clock.now(),
                after=incident.state,
            )
            raise RuntimeError("the power fails here")
        with store.reading() as session:
            assert last_seq(session) == seq == store.feed.seq

    def test_writers_of_many_threads_leave_a_log_without_gaps(self, store: Store, clock: FakeClock) -> None:
        def work(camera_boxes: list[Box]) -> None:
            for box in camera_boxes:
                see(store, observation(clock.now(), box=box))

        threads = [threading.Thread(target=work, args=(boxes(12)[part::3],)) for part in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.reading() as session:
            events = events_after(session, 0)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert sorted(incident.number for incident in list_incidents(session)) == list(range(1, 13))
        assert verify_log(store).clean


class TestLog:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE incident_event SET kind = 'closed' WHERE seq = 1",
            "DELETE FROM incident_event WHERE seq = 1",
            "INSERT INTO incident_event SELECT 1, incident_id, kind, at, actor_role, actor_id, "
            '"before", "after", \'x\', data FROM incident_event WHERE seq = 1',
        ],
        ids=["changed", "removed", "put in between"],
    )
    def test_the_database_itself_refuses_to_have_events(self, store: Store, clock: FakeClock, statement: str) -> None:
        see(store, observation(clock.now()))
        with pytest.raises(DBAPIError, match="append-only"), store.transaction() as session:
            session.execute(text(statement))

    def test_a_state_that_the_log_does_not_tell_is_found(self, store: Store, clock: FakeClock) -> None:
        see(store, observation(clock.now()))
        assert verify_log(store).clean
        with store.transaction() as session:
            session.execute(text("UPDATE incident SET state = 'closed', sightings = 7"))
        assert {difference.field for difference in verify_log(store).differences} == {"state", "sightings"}


class TestQueries:
    def test_incidents_are_listed_newest_first_by_page_cell_and_time(self, store: Store, clock: FakeClock) -> None:
        start = clock.now()
        for box in boxes(3):
            see(store, observation(clock.now(), box=box))
            clock.advance(minutes=1)
        see(store, observation(clock.now(), camera=EAST_CAMERA))
        with store.reading() as session:
            assert [i.number for i in list_incidents(session, limit=2)] == [4, 3]
            assert [i.number for i in list_incidents(session, before_number=3)] == [2, 1]
            assert [i.number for i in list_incidents(session, cells={EAST})] == [4]
            assert [i.number for i in list_incidents(session, cells=set())] == []
            assert [i.number for i in list_incidents(session, cells={WEST, EAST}, states=set())] == []
            later: datetime = start.replace(minute=start.minute + 2)
            assert [i.number for i in list_incidents(session, since=later)] == [4, 3]

    def test_an_unknown_incident_is_an_error_and_has_no_history(self, store: Store) -> None:
        with store.reading() as session:
            with pytest.raises(NotFoundError):
                get_incident(session, "nothing")
            assert timeline(session, "nothing") == []


class TestFeed:
    async def test_a_commit_in_another_thread_wakes_who_waits(self, store: Store, clock: FakeClock) -> None:
        waiting = asyncio.create_task(store.feed.wait(store.feed.seq))
        await asyncio.sleep(0)
        await asyncio.to_thread(see, store, observation(clock.now()))
        assert await waiting == store.feed.seq > 0

    async def test_who_is_behind_is_answered_at_once(self, store: Store, clock: FakeClock) -> None:
        see(store, observation(clock.now()))
        assert await store.feed.wait(0) == store.feed.seq

    async def test_who_stops_waiting_is_forgotten(self, store: Store) -> None:
        waiting = asyncio.create_task(store.feed.wait(store.feed.seq))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert not store.feed._waiters
