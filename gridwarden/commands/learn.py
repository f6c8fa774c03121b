"""`gridwarden learn …`: what people said about the cameras' finds, as pictures to train on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridwarden.console import JsonOption, out, print_json, progress_bar
from gridwarden.data_folder import DataFolder
from gridwarden.kept_record import DATA, ByOption, DatabaseOption, DataOption, Decision, kept_record
from gridwarden.opted_out import OptedOut
from models.errors import NotFoundError
from models.ids import CameraId

if TYPE_CHECKING:
    from detect.street_set import Exported
    from dispatch.store.store import Store
    from models.teaching import JudgedSighting

app = typer.Typer(no_args_is_help=True, help="Teach the network your streets with what people said about its finds.")

OutOption = Annotated[Path, typer.Option("--out", help="Folder of the data set; an earlier export is replaced.")]
DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
CamerasArgument = Annotated[list[str], typer.Argument(metavar="CAMERA…", help="Cameras by id.")]


@app.command()
def export(
    out_folder: OutOption,
    data: DataOption = DATA,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="Decided at or after this time (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAYS, help="Decided before this time (UTC).")] = None,
    database: DatabaseOption = None,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Write rejected and confirmed finds as a YOLO data set for `gridwarden train --add`. Works beside a running box.

    People's heads are masked; cameras that opted out are left out; who exported is in the audit trail."""
    from dispatch.street_examples import judged_sightings

    with kept_record(data, database) as store:
        decision = Decision(store, by)
        with store.reading() as session:
            sightings = judged_sightings(session, since=_utc(since), until=_utc(until))
        decision.audit("street_export_began", f"{len(sightings)} judged pictures to {out_folder.name}")
        done = _export(sightings, out_folder, data)
        decision.audit("street_exported", f"{done.pictures} pictures of {done.cameras} cameras to {out_folder.name}")
    _tell(done, json=json)


@app.command("opt-out")
def opt_out(
    cameras: CamerasArgument, data: DataOption = DATA, database: DatabaseOption = None, by: ByOption = None
) -> None:
    """Leave these cameras' pictures out of every export from now on."""
    _change(cameras, data, database, by, out_of_it=True)


@app.command("opt-in")
def opt_in(
    cameras: CamerasArgument, data: DataOption = DATA, database: DatabaseOption = None, by: ByOption = None
) -> None:
    """Let these cameras' pictures into exports again."""
    _change(cameras, data, database, by, out_of_it=False)


@app.command()
def prune(
    folder: Annotated[Path, typer.Argument(help="An export.")],
    data: DataOption = DATA,
    database: DatabaseOption = None,
    by: ByOption = None,
) -> None:
    """Remove from an export the pictures of cameras that have opted out since."""
    from detect.street_folder import prune as pruned

    with kept_record(data, database) as store:
        removed = pruned(folder, OptedOut(data).cameras())
        Decision(store, by).audit("street_export_pruned", f"{removed} pictures from {folder.name}")
    out.print(f"{removed} pictures removed from {folder}", markup=False)


def _export(sightings: list[JudgedSighting], out_folder: Path, data: Path) -> Exported:
    from detect.backends.opening import open_detector
    from detect.promotion import WeightsShelf
    from detect.street_lessons import UNSURE_SCORE
    from detect.street_set import School
    from detect.street_set import export as exported
    from ingest.picture_store import PictureStore
    from models.taxonomy import load_taxonomy

    detector = open_detector(WeightsShelf(data).in_use(), least_score=UNSURE_SCORE)
    school = School(PictureStore(DataFolder(data).pictures).get, detector, load_taxonomy(), OptedOut(data).cameras())
    with progress_bar() as bar:
        task = bar.add_task("pictures", total=len(sightings))
        return exported(sightings, out_folder, school=school, step=lambda done, _: bar.update(task, completed=done))


def _change(cameras: list[str], data: Path, database: str | None, by: str | None, *, out_of_it: bool) -> None:
    with kept_record(data, database) as store:
        decision = Decision(store, by)
        unknown = sorted(set(cameras) - _known(store))
        if unknown and out_of_it:
            raise NotFoundError(f"There is no camera {', '.join(unknown)} in this record; `gridwarden cameras list`.")
        book = OptedOut(data)
        book.change(map(CameraId, cameras), out_of_it=out_of_it)
        decision.audit("street_opted_out" if out_of_it else "street_opted_in", ", ".join(cameras))
    listed = ", ".join(sorted(book.cameras())) or "none"
    out.print(f"Cameras whose pictures are never exported: {listed}", markup=False)


def _known(store: Store) -> set[str]:
    from dispatch.places import list_camera_places

    with store.reading() as session:
        return {camera.camera_id for camera in list_camera_places(session)}


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _tell(done: Exported, *, json: bool) -> None:
    if json:
        print_json(
            {
                "folder": str(done.folder),
                "pictures": done.pictures,
                "confirmed": done.confirmed,
                "nothing_here": done.nothing_here,
                "cameras": done.cameras,
                "left_out": dict(done.left_out),
            }
        )
        return
    for reason, count in sorted(done.left_out.items(), key=lambda item: -item[1]):
        out.print(f"  {count} left out: {reason}", markup=False)
    out.print(
        f"{done.folder}: {done.pictures} pictures of {done.cameras} cameras, {done.confirmed} with the thing marked, "
        f"{done.nothing_here} that say there is none. Train on them with: gridwarden train --add {done.folder}",
        markup=False,
    )
