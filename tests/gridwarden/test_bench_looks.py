from gridwarden.bench.finds import Told, recall
from gridwarden.bench.looks import intervals
from gridwarden.bench.served.script import FIND, RTSP_EVERY, Change, changed, timetable
from models.geometry import Box
from models.ids import CameraId, SubcategoryCode

PLACE = Box(0.4, 0.5, 0.6, 0.9)
LEFT = {CameraId("a"): Change(20.0, PLACE, 1), CameraId("b"): Change(30.0, PLACE, 2)}


def told(camera: str, *, box: Box = PLACE, at_s: float = 25.0, code: str = FIND) -> Told:
    return Told(CameraId(camera), SubcategoryCode(code), box, at_s)


def test_the_timetable_is_the_same_for_servers_watcher_and_referee() -> None:
    assert timetable(50, 120) == timetable(50, 120)
    assert timetable(50, 120)[:20] == timetable(20, 120)


def test_a_district_is_mostly_quiet_and_changes_early_enough_to_be_told() -> None:
    district = timetable(1438, 120)
    assert 0.25 < sum(served.busy for served in district) / len(district) < 0.35
    assert sum(served.rtsp for served in district) == round(len(district) / RTSP_EVERY)
    changes = changed(district)
    assert len(changes) > 300
    assert all(0 < change.at_s <= 30 for change in changes.values())


def test_what_is_told_at_its_place_after_it_was_left_is_found() -> None:
    seen = recall([told("a"), told("a")], LEFT)
    assert (seen.share, seen.found, seen.unscripted) == (0.5, {"a"}, 0)
    assert seen.among([CameraId("b")]).share == 0


def test_what_was_there_before_or_lies_elsewhere_or_is_something_else_is_not_found() -> None:
    tellings = [told("a", at_s=5.0), told("b", box=Box(0.0, 0.0, 0.2, 0.2)), told("b", code="A1"), told("c")]
    seen = recall(tellings, LEFT)
    assert not seen.found
    assert seen.unscripted == 3


def test_a_camera_that_is_no_longer_looked_at_cannot_hide() -> None:
    looked_at = {CameraId("a"): [2.0, 10.0], CameraId("b"): [9.0]}
    assert intervals(looked_at, [CameraId("a"), CameraId("b"), CameraId("c")], 30.0) == [8.0, 20.0, 9.0, 21.0, 30.0]
