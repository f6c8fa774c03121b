"""`gridwarden cells import`: the district's grid from a GeoJSON file, checked as a map before anything is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.cell_checks import Findings, check_cells
from dispatch.cell_file import CellFile, Fault, read_cell_file
from dispatch.places import list_cells, put_cell
from dispatch.store.store import Store
from gridwarden.commands.camera_data import DATA, DataOption
from gridwarden.console import JsonOption, out, print_json
from gridwarden.data_folder import DataFolder
from models.clock import SystemClock
from models.errors import GridwardenError
from models.places import GridCell

SHOWN = 50
"""Remarks told on the screen; --json tells them all."""

app = typer.Typer(help="The grid cells of the district.", no_args_is_help=True)


@app.command("import")
def import_cells(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A GeoJSON FeatureCollection of polygons, WGS 84.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Add and change grid cells. All or nothing: with one fault nothing is changed and the exit status is 1.

    Properties: cell_id 网格编号, code 代码, name 名称, parent_id 上级. Overlaps, gaps and parts outside their parent
    are told and do not stop the import.
    """
    file = read_cell_file(path)
    store = _store(data, dry_run=dry_run)
    try:
        known = _known(store)
        new = {cell.cell_id: cell for cell in file.cells}
        found = Findings(file.faults, ()) if file.faults else check_cells(list((known | new).values()))
        changed = [cell for cell in new.values() if known.get(cell.cell_id) not in (None, cell)]
        added = [cell for cell in new.values() if cell.cell_id not in known]
        if not found.faults and not dry_run and store is not None:
            _put(store, added + changed)
    finally:
        if store is not None:
            store.close()
    (print_json if json else _tell)(_report(file, found, added=added, changed=changed, dry_run=dry_run))
    if found.faults:
        raise GridwardenError(f"{len(found.faults)} faults in {path}: nothing was changed. {_first(found.faults)}")


def _store(data: Path, *, dry_run: bool) -> Store | None:
    """A dry run makes no data folder."""
    if dry_run and not (data / "gridwarden.sqlite").exists():
        return None
    return Store.open(DataFolder(data).database_url, clock=SystemClock())


def _known(store: Store | None) -> dict[Any, GridCell]:
    if store is None:
        return {}
    with store.reading() as session:
        return {cell.cell_id: cell for cell in list_cells(session)}


def _put(store: Store, cells: list[GridCell]) -> None:
    with store.transaction() as session:
        for cell in cells:
            put_cell(session, cell)


def _report(
    file: CellFile, found: Findings, *, added: list[GridCell], changed: list[GridCell], dry_run: bool
) -> dict[str, Any]:
    good = not found.faults
    return {
        "features": file.features,
        "added": [cell.cell_id for cell in added] if good else [],
        "changed": [cell.cell_id for cell in changed] if good else [],
        "unchanged": len(file.cells) - len(added) - len(changed) if good else 0,
        "faults": [{"cell": fault.where, "wrong": fault.wrong, "fix": fault.fix} for fault in found.faults],
        "remarks": [
            {"kind": one.kind.value, "cells": list(one.cells), "area_m2": round(one.area_m2, 1), "at": list(one.at),
             "says": str(one)}
            for one in found.remarks
        ],
        "dry_run": dry_run,
    }  # fmt: skip


def _tell(report: dict[str, Any]) -> None:
    for fault in report["faults"][:SHOWN]:
        out.print(f"{fault['cell']}: {fault['wrong']}; {fault['fix']}", markup=False)
    for remark in report["remarks"][:SHOWN]:
        out.print(remark["says"], markup=False)
    if (more := max(len(report["remarks"]), len(report["faults"])) - SHOWN) > 0:
        out.print(f"… and {more} more; --json tells them all")
    would = "would be " if report["dry_run"] else ""
    out.print(
        f"{report['features']} features: {len(report['added'])} {would}added, {len(report['changed'])} {would}changed, "
        f"{report['unchanged']} unchanged, {len(report['faults'])} faults, {len(report['remarks'])} remarks"
    )


def _first(faults: tuple[Fault, ...]) -> str:
    return f"The first: {faults[0].where}: {faults[0].wrong}; {faults[0].fix}."
