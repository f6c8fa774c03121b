from datetime import timedelta
from pathlib import Path

from detect.observer import Observer
from detect.suppression import Mask, Suppressions
from models.geometry import Box
from models.ids import CameraId, NodeId, SubcategoryCode
from models.places import ZoneKind
from models.taxonomy import load_taxonomy
from tests.detect.scenes import CAR, NAMES, START, camera, codes, everywhere, seen, watch

MASK = Mask(CameraId("c1"), SubcategoryCode("F1"), Box(0.18, 0.28, 0.42, 0.52), START + timedelta(hours=1))


def test_a_place_known_to_be_wrong_tells_nothing_until_its_time_and_survives_a_restart(tmp_path: Path) -> None:
    Suppressions(tmp_path / "suppressions.json").add(MASK)
    masks = Suppressions(tmp_path / "suppressions.json")
    watching = Observer(node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=NAMES, suppressions=masks)
    watching.set_cameras([camera(everywhere(ZoneKind.NO_PARKING), everywhere(ZoneKind.FIRE_LANE))])
    assert codes(watch(watching, [seen(CAR)] * 60)) == ["I3"]
    later = START + timedelta(hours=2)
    assert sorted(codes(watch(watching, [seen(CAR)] * 60, start=later))) == ["F1", "I3"]


def test_the_same_mask_twice_is_one(tmp_path: Path) -> None:
    masks = Suppressions(tmp_path / "suppressions.json")
    masks.add(MASK)
    masks.add(MASK)
    assert len(masks) == 1


def test_a_damaged_file_means_no_suppressions_not_no_node(tmp_path: Path) -> None:
    path = tmp_path / "suppressions.json"
    path.write_text("[[1]]")
    assert len(Suppressions(path)) == 0
