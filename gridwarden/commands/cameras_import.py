"""`gridwarden cameras import`: a district's camera list, good rows in, each bad one told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gridwarden.camera_book import KeptCamera
from gridwarden.commands.camera_data import DATA, DataOption, camera_book
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.district import NODE
from ingest.camera_list import CameraList, Entry, parse_camera_list, read_camera_list
from ingest.camera_row import merged
from models.errors import GridwardenError
from models.places import Camera

SHOWN_FAULTS = 50
"""Rows told in the table; --json tells them all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    added: list[Camera]
    changed: list[Camera]
    unchanged: int


def import_list(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV (UTF-8 or GB18030) or JSON.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Add and change cameras by a list. Known ids are changed in what the list speaks of; zones stay.

    Columns: id 编号, name 名称, source 地址, user 用户名, password 密码, longitude 经度, latitude 纬度,
    bearing 朝向, interval 间隔, continuous 常开. Exit status 1 when a row was bad; the good ones are in all the same.
    """
    _import(read_camera_list(path, node_id=NODE), where=str(path), data=data, dry_run=dry_run, json=json)


def import_rows(rows: bytes, *, where: str, data: Path, dry_run: bool, json: bool) -> None:
    """As `import_list`, for rows that came from elsewhere than a file."""
    _import(parse_camera_list(rows, where=where, node_id=NODE), where=where, data=data, dry_run=dry_run, json=json)


def _import(found: CameraList, *, where: str, data: Path, dry_run: bool, json: bool) -> None:
    outcome = put_entries(found.entries, data=data, dry_run=dry_run)
    if json:
        print_json(_report(found, outcome, dry_run=dry_run))
    else:
        _tell(found, outcome, dry_run=dry_run)
    if found.faults:
        bad = found.rows - len(found.entries)
        raise GridwardenError(f"{bad} of {found.rows} rows of {where} are wrong; correct them and import it again.")


def put_entries(entries: Sequence[Entry], *, data: Path, dry_run: bool) -> Outcome:
    """What the entries change, and unless it is a dry run, the change."""
    if dry_run and not (data / "gridwarden.sqlite").exists():
        return _sorted_out(entries, {})
    with camera_book(data, make=True) as book:
        outcome = _sorted_out(entries, {kept.camera.camera_id: kept for kept in book.all()})
        if not dry_run and (outcome.added or outcome.changed):
            book.put([*outcome.added, *outcome.changed])
    return outcome


def _sorted_out(entries: Sequence[Entry], known: dict[Any, KeptCamera]) -> Outcome:
    added: list[Camera] = []
    changed: list[Camera] = []
    for entry in entries:
        present = known.get(entry.camera.camera_id)
        if present is None:
            added.append(entry.camera)
        elif (wanted := merged(present.camera, entry.camera, entry.given)) != present.camera:
            changed.append(wanted)
    return Outcome(added, changed, len(entries) - len(added) - len(changed))


def _report(found: CameraList, outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "added": [camera.camera_id for camera in outcome.added],
        "changed": [camera.camera_id for camera in outcome.changed],
        "unchanged": outcome.unchanged,
        "bad": [{"row": f.row, "field": f.field, "wrong": f.wrong, "fix": f.fix} for f in found.faults],
        "ignored_columns": list(found.ignored),
        "dry_run": dry_run,
    }


def _tell(found: CameraList, outcome: Outcome, *, dry_run: bool) -> None:
    if found.faults:
        table = Table("row 行", "field 字段", "wrong 问题", "fix 改法", box=None, pad_edge=False)
        for fault in found.faults[:SHOWN_FAULTS]:
            table.add_row(str(fault.row), fault.field, fault.wrong, fault.fix)
        out.print(table, markup=False)
        if len(found.faults) > SHOWN_FAULTS:
            out.print(f"… and {len(found.faults) - SHOWN_FAULTS} more; --json tells them all")
    if found.ignored:
        say(f"columns not used: {', '.join(found.ignored[:10])}")
    would = "would be " if dry_run else ""
    out.print(
        f"{found.rows} rows: {len(outcome.added)} {would}added, {len(outcome.changed)} {would}changed, "
        f"{outcome.unchanged} unchanged, {found.rows - len(found.entries)} bad"
    )
