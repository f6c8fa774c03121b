"""`gridwarden ledger`: the incidents of a stretch of days as a file to take away."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from dispatch.deadlines import LOCAL
from dispatch.ledger import ledger as lines_of
from dispatch.ledger_files import csv_lines, write_xlsx
from dispatch.store.store import Store
from gridwarden.commands.camera_data import DATA, DataOption
from gridwarden.console import JsonOption, out, print_json
from gridwarden.data_folder import DataFolder
from models.clock import SystemClock
from models.errors import SettingsError


def ledger(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .xlsx or .csv.")],
    since: Annotated[str, typer.Option(help="First local day, 2026-11-01; 30 days ago without.")] = "",
    until: Annotated[str, typer.Option(help="Last local day, that day included; today without.")] = "",
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Write the ledger (台账) of the incidents found in these days. Works while gridwarden runs."""
    if target.suffix not in (".xlsx", ".csv"):
        raise SettingsError(f"{target} must end in .xlsx or .csv")
    folder = DataFolder(data)
    if not (data / "gridwarden.sqlite").exists():
        raise SettingsError(f"{data} holds no record (gridwarden.sqlite). Name the data folder with --data.")
    today = datetime.now(UTC).astimezone(LOCAL).date()
    first, last = _day(since, today - timedelta(days=30)), _day(until, today)
    store = Store.open(folder.database_url, clock=SystemClock())
    try:
        with store.reading() as session:
            end = _midnight(last + timedelta(days=1))
            lines = list(lines_of(session, store.practice.taxonomy, since=_midnight(first), until=end))
    finally:
        store.close()
    try:
        if target.suffix == ".csv":
            target.write_bytes(b"".join(csv_lines(lines)))
        else:
            write_xlsx(target, lines, title=f"台账 {first} – {last}")
    except OSError as error:
        raise SettingsError(f"{target} cannot be written: {error.strerror}") from error
    if json:
        print_json({"file": str(target), "lines": len(lines), "since": str(first), "until": str(last)})
    else:
        out.print(f"{target}: {len(lines)} incidents found from {first} to {last}")


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError as error:
        raise SettingsError(f"{text!r} is no day: write it like 2026-11-01") from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)
