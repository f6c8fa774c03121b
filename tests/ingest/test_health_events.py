from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.health_events import SETTLED, happenings
from ingest.health_journal import KEPT, HealthJournal, read_journal
from models.errors import DataFolderError
from models.ids import CameraId
from models.places import CameraCondition, CameraState, Flaw, Trouble

CAMERA = CameraId("cam")


@pytest.fixture
def online(clock):
    return CameraState(CAMERA, CameraCondition.ONLINE, clock.now())


def offline(clock, camera_id=CAMERA) -> CameraState:
    return CameraState(
        camera_id, CameraCondition.OFFLINE, clock.now(), trouble=Trouble.TIMEOUT, message="gave no picture in time"
    )


@pytest.fixture
def journal(tmp_path):
    made = HealthJournal(tmp_path / "node" / "health.db")
    yield made
    made.close()


def test_an_outage_is_told_once_with_its_reason_and_its_beginning_and_once_when_it_is_over(journal, clock, online):
    began = clock.now()
    down = offline(clock)
    (event,) = journal.note([down], clock.now())
    assert (event.kind, event.reason, event.began_at, event.ended_at) == ("offline", "timeout", began, None)
    clock.advance(hours=3)
    assert journal.note([down], clock.now()) == []
    back = replace(online, since=clock.now())
    assert journal.note([back], clock.now()) == []
    clock.advance(seconds=SETTLED.total_seconds())
    (over,) = journal.note([back], clock.now())
    assert (over.kind, over.began_at, over.ended_at) == ("offline", began, clock.now())


def test_a_camera_that_flaps_is_one_event(journal, clock, online):
    told = []
    for _ in range(100):
        told += journal.note([offline(clock)], clock.now())
        clock.advance(seconds=20)
        told += journal.note([replace(online, since=clock.now())], clock.now())
        clock.advance(seconds=20)
    assert len(told) == 1


def test_lateness_of_a_moment_is_not_told(clock, online):
    late = replace(online, condition=CameraCondition.LATE)
    assert happenings({}, [late], clock.now() + timedelta(seconds=29)) == []
    (event,) = happenings({}, [late], clock.now() + timedelta(seconds=31))
    assert event.kind == "late"


def test_a_flaw_is_told_beside_an_outage_and_does_not_end_with_the_camera_offline(journal, clock, online):
    moved = replace(online, flaws=(Flaw.MOVED,), message="moved: …")
    assert [event.kind for event in journal.note([moved], clock.now())] == ["moved"]
    assert [event.kind for event in journal.note([offline(clock)], clock.now())] == ["offline"]
    clock.advance(minutes=5)
    ended = journal.note([replace(online, since=clock.now() - SETTLED)], clock.now())
    assert {event.kind for event in ended} == {"moved", "offline"}
    assert all(event.ended_at for event in ended)


def test_a_camera_that_is_starting_ends_nothing_and_one_that_was_removed_ends_all(journal, clock, online):
    journal.note([offline(clock)], clock.now())
    assert journal.note([replace(online, condition=CameraCondition.STARTING)], clock.now()) == []
    (ended,) = journal.note([], clock.now())
    assert ended.ended_at is not None


def test_what_is_on_is_still_on_after_a_restart(tmp_path, clock):
    path = tmp_path / "health.db"
    first = HealthJournal(path)
    first.note([offline(clock)], clock.now())
    first.close()
    second = HealthJournal(path)
    assert second.note([offline(clock)], clock.now()) == []
    second.close()


def test_the_journal_is_read_while_it_is_written(journal, tmp_path, clock, online):
    path = tmp_path / "node" / "health.db"
    assert read_journal(tmp_path / "none.db").states == {}
    state = replace(offline(clock), looks=7, flaws=(Flaw.BLURRED,), last_look_at=clock.now())
    journal.note([state], clock.now())
    kept = read_journal(path, events=10)
    assert kept.states == {CAMERA: state}
    assert kept.written_at == clock.now()
    assert [event.kind for event in kept.events] == ["blurred", "offline"]


def test_old_events_are_forgotten_and_those_still_on_are_not(journal, tmp_path, clock, online):
    journal.note([offline(clock, CameraId("a")), offline(clock, CameraId("b"))], clock.now())
    journal.note([offline(clock, CameraId("b"))], clock.now())
    clock.advance(hours=24 * KEPT.days + 1)
    journal.tidy(clock.now())
    assert [event.camera_id for event in read_journal(tmp_path / "node" / "health.db", events=10).events] == ["b"]


def test_a_thousand_cameras_down_and_back_together_are_a_thousand_events_each_way(journal, clock, online):
    cameras = [CameraId(f"c{number}") for number in range(1438)]
    assert len(journal.note([offline(clock, camera_id) for camera_id in cameras], clock.now())) == 1438
    clock.advance(minutes=10)
    back = [replace(online, camera_id=camera_id) for camera_id in cameras]
    assert len(journal.note(back, clock.now())) == 1438


def test_a_file_that_is_no_journal_is_said(tmp_path):
    path = tmp_path / "health.db"
    path.write_bytes(b"this is no database at all, it is a text of some length")
    with pytest.raises(DataFolderError, match="health journal"):
        HealthJournal(path)
