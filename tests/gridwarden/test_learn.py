"""From a rejected find in the record to a data set that training reads: real store, real pictures, real network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from detect.evidence import keep
from detect.labels import read_dataset
from detect.pixels import read_picture
from detect.street_folder import split_of
from dispatch.accounts import AuditEntry, audit_entries, set_password_hash
from dispatch.queries import list_incidents
from dispatch.steps import take_step
from dispatch.store.store import Store
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, WANG, fill_small_district, observation, see, worker
from gridwarden.cli import app
from ingest.picture_store import PictureStore
from models.clock import SystemClock
from models.errors import DataFolderError, DatasetError, NotAllowedError, NotFoundError, SettingsError
from models.geometry import Box
from models.ids import CameraId
from models.lifecycle import Step
from models.observations import EvidenceRole
from models.pictures import Detections

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
HEAP = Box(0.3, 0.4, 0.5, 0.6)


class Street:
    """A data folder with a record in which finds were judged."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.store = Store.open(f"sqlite:///{root / 'gridwarden.sqlite'}", clock=SystemClock())
        self.pictures = PictureStore(root / "pictures")
        fill_small_district(self.store)
        with self.store.transaction() as session:
            set_password_hash(session, person_id=CENTRE, username="zhihui", password_hash="x")
            set_password_hash(session, person_id=WANG, username="wang", password_hash="x")

    def rejected(self, file: Path, *, camera: CameraId = CAMERA) -> None:
        """The camera told of a burning heap on a picture where nothing burns; the worker went there in vain."""
        image = read_picture(file)
        assert image is not None
        now = self.store.clock.now()
        evidence = keep(
            self.pictures, image, Detections.empty(("fire",)), box=HEAP, role=EvidenceRole.FOUND, taken_at=now
        )
        see(self.store, observation(now, camera=camera, subcategory="I1", box=HEAP, picture=evidence.picture))
        with self.store.transaction() as session:
            found = list_incidents(session)[0]
            take_step(
                session, incident_id=found.incident_id, step=Step.NOTHING_HERE, now=now,
                actor=worker(found.assignment.person_id if found.assignment else WANG),
            )  # fmt: skip

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["learn", *words, "--data", str(self.root)])

    def audited(self) -> list[AuditEntry]:
        with self.store.reading() as session:
            return audit_entries(session)


def garbage_pictures() -> list[Path]:
    return [DATA / line for line in (DATA / "splits" / "val.txt").read_text().split() if "/garbage/" in line]


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    made = Street(tmp_path / "data")
    yield made
    made.store.close()


def test_a_rejected_find_becomes_a_hard_negative_for_training(street: Street, tmp_path: Path) -> None:
    street.rejected(garbage_pictures()[0])
    told = street.run("export", "--out", str(tmp_path / "set"), "--json")
    assert told.exit_code == 0, told.output
    done: dict[str, Any] = json.loads(told.stdout)
    assert (done["pictures"], done["nothing_here"], done["cameras"]) == (1, 1, 1)
    data = read_dataset(tmp_path / "set", split=split_of(CAMERA))
    assert data.names == ("fire",)
    assert (data.pictures[0].marked, len(data.pictures[0].boxes)) == ({0}, 0)


def test_who_exported_is_in_the_audit_trail_by_user_name_when_given(street: Street, tmp_path: Path) -> None:
    street.rejected(garbage_pictures()[0])
    assert street.run("export", "--out", str(tmp_path / "set"), "--by", "zhihui").exit_code == 0
    newest = street.audited()[0]
    assert (newest.person_id, newest.action) == (CENTRE, "street_exported")
    assert "1 pictures of 1 cameras to set (command line, user " in newest.subject


@pytest.mark.parametrize(("name", "error"), [("nobody", NotAllowedError), ("wang", NotAllowedError)])
def test_a_stranger_and_a_worker_may_not_export(
    street: Street, tmp_path: Path, name: str, error: type[Exception]
) -> None:
    street.rejected(garbage_pictures()[0])
    told = street.run("export", "--out", str(tmp_path / "set"), "--by", name)
    assert isinstance(told.exception, error)
    assert not (tmp_path / "set").exists()


def test_a_camera_that_opts_out_leaves_later_exports_and_can_be_pruned_from_earlier_ones(
    street: Street, tmp_path: Path
) -> None:
    first, second = garbage_pictures()[:2]
    street.rejected(first)
    street.rejected(second, camera=EAST_CAMERA)
    assert street.run("export", "--out", str(tmp_path / "old")).exit_code == 0
    assert "camera-2" in street.run("opt-out", EAST_CAMERA).output
    told = street.run("export", "--out", str(tmp_path / "new"), "--json")
    assert json.loads(told.stdout)["left_out"] == {"the camera has opted out": 1}
    assert street.run("prune", str(tmp_path / "old")).output.startswith("1 pictures removed")
    assert EAST_CAMERA not in (tmp_path / "old" / "examples.tsv").read_text()
    assert {"street_opted_out", "street_export_pruned"} <= {entry.action for entry in street.audited()}
    assert "none" in street.run("opt-in", EAST_CAMERA).output


def test_a_camera_nobody_knows_cannot_opt_out(street: Street) -> None:
    assert isinstance(street.run("opt-out", "elsewhere").exception, NotFoundError)


def test_as_long_as_the_list_of_opt_outs_is_damaged_nothing_is_exported(street: Street, tmp_path: Path) -> None:
    street.rejected(garbage_pictures()[0])
    (street.root / "learn").mkdir()
    (street.root / "learn" / "opted-out.json").write_text("{")
    told = street.run("export", "--out", str(tmp_path / "set"))
    assert isinstance(told.exception, DataFolderError)
    assert not (tmp_path / "set").exists()


def test_only_what_was_decided_in_the_asked_days_is_exported(street: Street, tmp_path: Path) -> None:
    street.rejected(garbage_pictures()[0])
    told = street.run("export", "--out", str(tmp_path / "set"), "--until", "2020-01-01")
    assert isinstance(told.exception, DatasetError)
    assert "0 judged pictures" in str(told.exception)


def test_a_folder_without_a_record_is_named(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["learn", "export", "--out", str(tmp_path / "x"), "--data", str(tmp_path / "no")])
    assert isinstance(told.exception, SettingsError)
    assert "holds no record" in str(told.exception)


def test_what_was_exported_is_added_to_the_training_data(street: Street, tmp_path: Path) -> None:
    from detect.training.additions import overlay

    train_camera = next(camera for camera in (CAMERA, EAST_CAMERA) if split_of(camera) == "train")
    file = next(DATA / line for line in (DATA / "splits" / "train.txt").read_text().split() if "/facade/" in line)
    street.rejected(file, camera=train_camera)
    assert street.run("export", "--out", str(tmp_path / "set")).exit_code == 0
    small = tmp_path / "small"
    (small / "splits").mkdir(parents=True)
    for name in ("images", "labels", "classes.txt", "sets.tsv"):
        (small / name).symlink_to(DATA / name)
    for split in ("train", "val"):
        lines = (DATA / "splits" / f"{split}.txt").read_text().split()[:20]
        (small / "splits" / f"{split}.txt").write_text("\n".join(lines))
    made = overlay(small, [tmp_path / "set"], tmp_path / "both")
    (added,) = [one for one in read_dataset(made.folder, split="train").pictures if one.set_name.startswith("added")]
    assert {read_dataset(made.folder, split="train").names[number] for number in added.marked} == {"fire"}
    picture = read_picture(added.path)
    assert picture is not None
    assert np.ptp(picture) > 50
    shutil.rmtree(made.folder)
    assert (tmp_path / "set" / "examples.tsv").is_file()
