"""`gridwarden verify-log`: proves that what is shown follows from what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridwarden.console import JsonOption, out, print_json
from models.clock import SystemClock
from models.errors import GridwardenError, SettingsError


def verify_log(
    data: Annotated[Path, typer.Option(help="The data folder to check.")] = Path("var/demo"),
    json: JsonOption = False,
) -> None:
    """Rebuild every incident from the event log and compare it with the record. Works while gridwarden runs."""
    from dispatch.store.store import Store
    from dispatch.verify_log import verify_log as verified

    database = data / "gridwarden.sqlite"
    if not database.exists():
        raise SettingsError(f"{data} holds no record (gridwarden.sqlite). Name the data folder with --data.")
    store = Store.open(f"sqlite:///{database}", clock=SystemClock())
    try:
        report = verified(store)
    finally:
        store.close()
    differences = [str(difference) for difference in report.differences]
    if json:
        print_json({"incidents": report.incidents, "events": report.events, "differences": differences})
    else:
        out.print(f"{report.incidents} incidents rebuilt from {report.events} events, {len(differences)} differences")
    if differences:
        raise GridwardenError("The record differs from its log:\n" + "\n".join(differences))
