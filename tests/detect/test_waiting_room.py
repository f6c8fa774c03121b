from datetime import UTC, datetime

import numpy as np

from detect.waiting_room import STALE_S, WaitingRoom
from models.ids import CameraId
from models.pictures import Look, LookReason

PICTURE = np.zeros((2, 2, 3), np.uint8)


def look(camera: str, seq: int = 1, reason: LookReason = LookReason.ROUTINE) -> Look:
    return Look(CameraId(camera), PICTURE, datetime(2026, 1, 1, tzinfo=UTC), seq, reason)


def taken(room: WaitingRoom, count: int, now: float, **more) -> list[tuple[str, int]]:
    return [(one.camera_id, one.seq) for one in room.take(count, now=now, **more)]


def test_a_newer_look_takes_the_place_of_the_older_and_keeps_its_turn() -> None:
    room = WaitingRoom()
    for at, (camera, seq) in enumerate([("a", 1), ("b", 1), ("a", 2)]):
        room.put(look(camera, seq), now=float(at))
    assert taken(room, 8, 3.0) == [("a", 2), ("b", 1)]
    assert room.replaced == 1


def test_when_there_are_too_many_every_camera_has_its_turn() -> None:
    room, seen = WaitingRoom(), {f"c{number}": 0 for number in range(100)}
    for now in range(60):
        for camera in seen:
            room.put(look(camera, now), now=float(now))
        for camera, _ in taken(room, 10, float(now)):
            seen[camera] += 1
    assert set(seen.values()) == {6}


def test_promised_looks_go_first_and_are_all_kept_in_order() -> None:
    room = WaitingRoom()
    room.put(look("a"), now=0.0)
    for seq in (1, 2):
        room.put(look("b", seq, LookReason.VERIFICATION), now=1.0)
    assert taken(room, 8, 2.0) == [("b", 1), ("a", 1)]
    assert taken(room, 8, 2.0) == [("b", 2)]


def test_a_camera_whose_look_is_being_inferred_waits() -> None:
    room = WaitingRoom()
    room.put(look("a"), now=0.0)
    room.put(look("a", 2, LookReason.FOLLOW_UP), now=0.0)
    assert taken(room, 8, 1.0, without={"a"}) == []
    assert len(taken(room, 8, 1.0)) == 1


def test_nothing_older_than_its_deadline_is_inferred_and_it_is_counted() -> None:
    room = WaitingRoom()
    room.put(look("a"), now=0.0)
    room.put(look("b", 1, LookReason.FOLLOW_UP), now=0.0)
    assert room.oldest_s(now=STALE_S) == STALE_S
    assert taken(room, 8, STALE_S + 1) == []
    assert room.stale == 2
    assert len(room) == 0


def test_a_camera_whose_change_has_gone_leaves() -> None:
    room = WaitingRoom()
    room.put(look("a"), now=0.0)
    assert CameraId("a") in room
    assert room.leave(CameraId("a"))
    assert not room.leave(CameraId("a"))
    assert taken(room, 8, 1.0) == []
