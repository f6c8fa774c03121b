"""`gridwarden cameras …`: the cameras of one box. Works beside a running box, which follows within seconds."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from gridwarden.camera_book import KeptCamera
from gridwarden.commands.camera_data import CONDITION_WORDS, DATA, PAUSED, DataOption, camera_book
from gridwarden.commands.cameras_find import gateway, onvif
from gridwarden.commands.cameras_health import health
from gridwarden.commands.cameras_import import import_list
from gridwarden.commands.cameras_try import try_one
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.data_folder import DataFolder
from gridwarden.district import NODE
from ingest.addresses import without_secret
from ingest.camera_row import RowError, camera_of, merged
from ingest.health_journal import read_journal
from models.errors import NotFoundError, SettingsError
from models.places import CameraState
from models.wire import moment

app = typer.Typer(no_args_is_help=True, help="List, add, test, import and judge cameras.")
app.command("test")(try_one)
app.command("import")(import_list)
app.command("health")(health)
app.command("onvif")(onvif)
app.command("gateway")(gateway)

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="Cameras by id, as `cameras list` shows them.")]


@app.command("list")
def list_cameras(data: DataOption = DATA, json: JsonOption = False) -> None:
    """Every camera with its address (never its password) and how it is doing."""
    with camera_book(data) as book:
        cameras = book.all()
    states = read_journal(DataFolder(data).health).states
    if json:
        for kept in cameras:
            print_json(_line(kept, states.get(kept.camera.camera_id)))
        return
    table = Table("id", "name", "address", "every", "zones", "state", box=None, pad_edge=False)
    for kept in cameras:
        camera = kept.camera
        table.add_row(
            camera.camera_id,
            camera.name,
            kept.fault or without_secret(camera.source),
            f"{camera.max_interval_s:g} s",
            str(len(camera.zones)),
            _condition(kept, states.get(camera.camera_id)),
        )
    out.print(table, markup=False)
    paused = sum(kept.paused for kept in cameras)
    out.print(f"{len(cameras)} cameras" + (f", {paused} paused" if paused else ""))


@app.command("add")
def add(
    camera_id: Annotated[str, typer.Argument(metavar="ID", help="Letters, digits, . _ -; stays the same for ever.")],
    source: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="http(s)://, rtsp://, gb28181://, a video, a folder.")
    ],
    position: Annotated[str, typer.Option(help="LONGITUDE,LATITUDE in WGS 84 degrees, e.g. 121.4737,31.2304.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    user: Annotated[str, typer.Option(help="The camera's user; its password is asked for, not typed here.")] = "",
    every: Annotated[float, typer.Option(help="Longest time between two looks, seconds.")] = 10.0,
    bearing: Annotated[float | None, typer.Option(help="Where it looks, degrees from north.")] = None,
    continuous: Annotated[bool, typer.Option("--continuous", help="Keep its RTSP stream open.")] = False,
    change: Annotated[bool, typer.Option("--change", help="Change the camera if the id is known; zones stay.")] = False,
    data: DataOption = DATA,
) -> None:
    """Add one camera, or with --change change one. A running box looks at it within seconds."""
    password = typer.prompt("password 密码", hide_input=True, err=True) if user else ""
    row = {
        "id": camera_id, "name": name, "source": source, "user": user, "password": password, "position": position,
        "max_interval_s": every, "bearing_deg": bearing, "continuous": continuous,
    }  # fmt: skip
    try:
        camera, given = camera_of(row, node_id=NODE)
    except RowError as error:
        faults = "\n".join(f"  {field}: {wrong}; {fix}" for field, wrong, fix in error.faults)
        raise SettingsError(f"The camera {camera_id} is not added:\n{faults}") from None
    with camera_book(data, make=True) as book:
        try:
            present = book.get(camera_id).camera
        except NotFoundError:
            present = None
        if present is not None and not change:
            raise SettingsError(f"There is a camera {camera_id} ({present.name}) already; --change changes it.")
        book.put([camera if present is None else merged(present, camera, given)])
    say(f"{camera_id} is {'changed' if present else 'added'}; a running box looks at it within seconds")


@app.command("remove")
def remove(ids: IdsArgument, data: DataOption = DATA) -> None:
    """Stop looking at cameras for good. Their incidents and pictures stay."""
    with camera_book(data) as book:
        from_file = [kept.camera.camera_id for kept in book.all() if kept.camera.camera_id in ids and not kept.own]
        book.remove(ids)
    say(f"{len(set(ids))} removed; a running box stops looking within seconds")
    if from_file:
        say(
            f"{', '.join(from_file)}: if the district file names {'it' if len(from_file) == 1 else 'them'}, remove "
            "the entry there too, or the next start brings it back"
        )


@app.command("pause")
def pause(ids: IdsArgument, data: DataOption = DATA) -> None:
    """Stop looking at cameras until `cameras resume`, restarts included."""
    with camera_book(data) as book:
        book.pause(ids, paused=True)
    say(f"{len(set(ids))} paused; a running box stops looking within seconds")


@app.command("resume")
def resume(ids: IdsArgument, data: DataOption = DATA) -> None:
    """Look at paused cameras again."""
    with camera_book(data) as book:
        book.pause(ids, paused=False)
    say(f"{len(set(ids))} resumed; a running box looks at them within seconds")


@app.command("turn-key")
def turn_key(data: DataOption = DATA) -> None:
    """Encrypt every camera's address anew with a new key, and forget the old one."""
    with camera_book(data) as book:
        count = book.turn_key()
    say(f"{count} addresses are encrypted with a new key; back up {DataFolder(data).camera_keys} apart from the record")


def _condition(kept: KeptCamera, state: CameraState | None) -> str:
    if kept.paused:
        return PAUSED
    if state is None:
        return "–"
    flaws = ", ".join(flaw.value for flaw in state.flaws)
    return CONDITION_WORDS[state.condition] + (
        f" ({flaws})" if flaws else f" ({state.trouble})" if state.trouble else ""
    )


def _line(kept: KeptCamera, state: CameraState | None) -> dict[str, Any]:
    camera = kept.camera
    return {
        "camera": camera.camera_id,
        "name": camera.name,
        "address": without_secret(camera.source),
        "position": list(camera.position),
        "bearing_deg": camera.bearing_deg,
        "max_interval_s": camera.max_interval_s,
        "continuous": camera.continuous,
        "zones": len(camera.zones),
        "paused": kept.paused,
        "own": kept.own,
        "fault": kept.fault,
        "condition": "paused" if kept.paused else state.condition.value if state else None,
        "since": moment(state.since) if state and not kept.paused else None,
        "trouble": state.trouble.value if state and state.trouble and not kept.paused else None,
        "flaws": [flaw.value for flaw in state.flaws] if state else [],
        "message": state.message if state and not kept.paused else "",
    }
