"""`gridwarden backup` and `gridwarden restore`: a copy of the record, taken while gridwarden runs, and put back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridwarden.console import JsonOption, out, print_json
from gridwarden.data_folder import opened
from models.clock import SystemClock
from models.errors import GridwardenError, SettingsError

DataOption = Annotated[Path, typer.Option(help="The data folder.")]
DatabaseOption = Annotated[
    str | None, typer.Option(help="The record's address where it is not in the data folder (PostgreSQL).")
]


def backup(
    copy: Annotated[Path, typer.Argument(help="The file to write.")],
    data: DataOption = Path("var/demo"),
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the record while gridwarden runs. Pictures are files and are copied like files."""
    from dispatch.backup import backup as take

    record = data / "gridwarden.sqlite"
    if database is None and not record.exists():
        raise SettingsError(f"{data} holds no record (gridwarden.sqlite). Name the data folder with --data.")
    take(database or f"sqlite:///{record}", copy)
    size = copy.stat().st_size
    if json:
        print_json({"backup": str(copy), "bytes": size})
    else:
        out.print(f"{copy}: {size} bytes")


def restore(
    copy: Annotated[Path, typer.Argument(help="A file that `gridwarden backup` wrote.")],
    data: DataOption = Path("var/demo"),
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Put a backup in the record's place, then prove it against its log. gridwarden must be stopped."""
    from dispatch.backup import restore as put
    from dispatch.store.store import Store
    from dispatch.verify_log import verify_log

    with opened(data):
        url = database or f"sqlite:///{data / 'gridwarden.sqlite'}"
        put(copy, url)
        store = Store.open(url, clock=SystemClock())
        try:
            report = verify_log(store)
        finally:
            store.close()
    if json:
        print_json({"incidents": report.incidents, "events": report.events, "differences": len(report.differences)})
    else:
        out.print(f"{report.incidents} incidents, {report.events} events, {len(report.differences)} differences")
    if not report.clean:
        raise GridwardenError("The restored record differs from its log: see `gridwarden verify-log`")
