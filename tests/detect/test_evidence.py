from pathlib import Path

import cv2
import numpy as np

from detect import evidence
from detect.observer import Observer
from ingest.originals import Originals
from ingest.picture_store import PictureStore
from models.geometry import Box
from models.ids import NodeId
from models.observations import EvidenceRole
from models.places import ZoneKind
from models.taxonomy import load_taxonomy
from tests.detect.scenes import CAR, NAMES, START, camera, everywhere, look, seen, street, watch


def checkered() -> np.ndarray:
    rows, columns = np.mgrid[0:360, 0:640]
    return np.repeat((((rows // 4 + columns // 4) % 2) * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def test_heads_are_pixelated_and_the_rest_is_left_alone() -> None:
    image = checkered()
    copy = evidence.masked(image, seen(("person", 0.5, (0.4, 0.2, 0.5, 0.8))), longest_side=1280)
    head, legs = copy[75:125, 258:318], copy[200:280, 258:318]
    assert head.std() < 30
    assert legs.std() > 100
    assert image[75:125, 258:318].std() > 100


def test_bare_heads_and_helmets_are_heads_too() -> None:
    copy = evidence.masked(checkered(), seen(("head_no_helmet", 0.5, (0.4, 0.2, 0.5, 0.3))), longest_side=1280)
    assert copy[75:105, 260:316].std() < 30


def test_a_person_at_the_very_edge_is_no_trouble() -> None:
    rows = seen(("person", 0.5, (0.0, 0.0, 0.01, 1.0)), ("person", 0.5, (0.99, 0.99, 1.0, 1.0)))
    assert evidence.masked(checkered(), rows, longest_side=320).shape == (180, 320, 3)


def test_the_find_is_framed_and_kept_under_its_hash(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    kept = evidence.keep(
        store, street(height=360, width=640), seen(), box=Box(0.25, 0.25, 0.5, 0.5), role=EvidenceRole.FOUND,
        taken_at=START,
    )  # fmt: skip
    jpeg = store.get(kept.picture)
    assert jpeg is not None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    blue, _green, red = image[90, 240].astype(int)
    assert red - blue > 80


def test_the_original_is_kept_beside_it_where_the_operator_wants_that_and_only_there(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals", tmp_path / "keys.json")
    for kept_too, store in (
        (False, PictureStore(tmp_path / "masked")),
        (True, PictureStore(tmp_path / "both", originals=originals)),
    ):
        kept = evidence.keep(
            store, street(height=360, width=640), seen(("person", 0.9, (0.2, 0.2, 0.5, 0.9))),
            box=Box(0.25, 0.25, 0.5, 0.5), role=EvidenceRole.FOUND, taken_at=START,
        )  # fmt: skip
        assert (originals.get(kept.picture) is not None) is kept_too
        assert originals.get(kept.picture) != store.get(kept.picture)


def test_an_original_that_cannot_be_kept_costs_no_find(tmp_path: Path) -> None:
    (tmp_path / "originals").write_text("a file where the folder should be")
    store = PictureStore(tmp_path / "p", originals=Originals(tmp_path / "originals", tmp_path / "keys.json"))
    kept = evidence.keep(
        store, street(height=90, width=160), seen(), box=Box(0.2, 0.2, 0.5, 0.5), role=EvidenceRole.FOUND,
        taken_at=START,
    )  # fmt: skip
    assert store.get(kept.picture) is not None


def test_an_observation_brings_a_found_picture_and_one_from_before(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    watching = Observer(node_id=NodeId("n1"), taxonomy=load_taxonomy(), names=NAMES, pictures=store)
    watching.set_cameras([camera(everywhere(ZoneKind.NO_PARKING))])
    watching.see(look(0), seen())
    (told,) = watch(watching, [seen(CAR)] * 60, first=1)
    assert [item.role for item in told.evidence] == [EvidenceRole.FOUND, EvidenceRole.BEFORE]
    assert all(store.get(item.picture) for item in told.evidence)
    assert told.evidence[1].taken_at < told.first_seen_at


def test_where_a_plate_may_be_is_pixelated_on_vehicles_near_enough_to_read_it() -> None:
    copy = evidence.masked(checkered(), seen(("car", 0.9, (0.2, 0.2, 0.6, 0.8))), longest_side=1280)
    band, roof, beside = copy[170:275, 160:350], copy[75:140, 160:350], copy[170:275, 400:600]
    assert band.std() < 30
    assert roof.std() > 100
    assert beside.std() > 100


def test_a_car_too_small_to_read_is_left_as_it_is() -> None:
    rows = seen(("car", 0.9, (0.5, 0.5, 0.55, 0.55)))
    assert np.array_equal(evidence.masked(checkered(), rows, longest_side=1280), checkered())


def test_vehicles_cut_by_the_edge_of_the_picture_are_no_trouble() -> None:
    rows = seen(("car", 0.5, (0.0, 0.5, 0.2, 1.0)), ("car", 0.5, (0.7, 0.0, 1.0, 0.004)))
    assert evidence.masked(checkered(), rows, longest_side=320).shape == (180, 320, 3)
