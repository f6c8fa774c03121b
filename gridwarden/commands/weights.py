"""`gridwarden weights …`: which weights there are, what they can serve, and others brought in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from detect.backends.opening import described, open_detector
from detect.weights import Manifest
from detect.weights_check import Fitness, fitness
from gridwarden.console import JsonOption, err, out, print_json, say
from gridwarden.weights_pull import TIMEOUT, Puller
from gridwarden.weights_store import SHIPPED_NAME, Kept, WeightsStore
from models.taxonomy import load_taxonomy

app = typer.Typer(help="What the detector sees with: list, add, check, pull, use.", no_args_is_help=True)

DataOption = Annotated[Path, typer.Option(help="The data folder that keeps them.")]
NameOption = Annotated[str | None, typer.Option(help="What to call them here.")]
ClassesOption = Annotated[
    Path | None, typer.Option(help='classes.toml: lines of "their name" = "our class"; else the one beside the model.')
]
LicenceOption = Annotated[str, typer.Option(help="Under which licence you have them, where the file does not say.")]
DATA = Path("var/gridwarden")


@app.command("list")
def list_weights(data: DataOption = DATA, json: JsonOption = False) -> None:
    """The shipped weights and those of the data folder; every file is held against its sha256."""
    kept = WeightsStore.of(data).kept()
    if json:
        for one in kept:
            print_json(_row(one))
        return
    table = Table("name", "in use", "classes", "MB", "licence", "sha256")
    for one in kept:
        classes = str(len(one.manifest.names)) if one.manifest else "–"
        licence = one.manifest.licence if one.manifest else "–"
        used = "yes" if one.in_use else ""
        table.add_row(one.name, used, classes, f"{one.size / 1e6:.1f}", licence, one.trouble or "ok")
    out.print(table)


@app.command("add")
def add(
    source: Annotated[Path, typer.Argument(help="An .onnx, .xml, .pt or .engine file, an export folder, our folder.")],
    name: NameOption = None,
    classes: ClassesOption = None,
    licence: LicenceOption = "",
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Copy weights into the data folder, with a manifest. A .pt file can run code: add only what you trust."""
    manifest = WeightsStore.of(data).add(source, name=name, class_map=classes, licence=licence)
    _tell(manifest, fitness(manifest.names, load_taxonomy()), json=json)


@app.command("check")
def check(
    weights: Annotated[str, typer.Argument(help="A name from the list, or a path.")] = SHIPPED_NAME,
    classes: ClassesOption = None,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Hold weights against their sha256, open them, and say which of the subcategories their classes can serve."""
    path = named_weights(weights, data=data)
    manifest = described(path, class_map=classes)
    open_detector(path, class_map=classes).close()
    _tell(manifest, fitness(manifest.names, load_taxonomy()), json=json)


@app.command("pull")
def pull(
    address: Annotated[str, typer.Argument(help="https://… of a model file, or of the manifest.json of ours.")],
    sha256: Annotated[str, typer.Option("--sha256", help="What that file must be; 64 hexadecimal digits.")],
    name: NameOption = None,
    classes: ClassesOption = None,
    licence: LicenceOption = "",
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Fetch weights over https and add them. What was cut off goes on where it ended."""
    store = WeightsStore.of(data)
    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with httpx.Client(timeout=TIMEOUT) as client, Progress(*columns, console=err) as bar:
        task = bar.add_task("fetching", total=None)
        fetched = Puller(store.root / ".pulled", client).pull(
            address, sha256, step=lambda done, total: bar.update(task, completed=done, total=total)
        )
    manifest = store.add(fetched, name=name, class_map=classes, licence=licence)
    _tell(manifest, fitness(manifest.names, load_taxonomy()), json=json)


@app.command("use")
def use(
    name: Annotated[str, typer.Argument(help=f"A name from the list; {SHIPPED_NAME!r} goes back to ours.")],
    data: DataOption = DATA,
) -> None:
    """From the next `gridwarden up` on this data folder, see with these weights."""
    say(f"{WeightsStore.of(data).use(name)} from the next start on")


def named_weights(weights: str, *, data: Path) -> Path:
    """A path that exists, else a name of the data folder's weights. Raises WeightsError for neither."""
    return Path(weights) if Path(weights).exists() else WeightsStore.of(data).folder(weights)


def _row(one: Kept) -> dict[str, Any]:
    manifest = one.manifest
    return {
        "name": one.name,
        "in_use": one.in_use,
        "classes": list(manifest.names) if manifest else None,
        "backend": manifest.backend if manifest else None,
        "bytes": one.size,
        "licence": manifest.licence if manifest else None,
        "hash_ok": not one.trouble,
        "trouble": one.trouble,
        "folder": str(one.folder),
    }


def _tell(manifest: Manifest, fit: Fitness, *, json: bool) -> None:
    if json:
        facts = {"name": manifest.name, "backend": manifest.backend, "licence": manifest.licence}
        print_json({**facts, "classes": list(manifest.names), "folder": str(manifest.folder), **asdict(fit)})
        return
    taxonomy = load_taxonomy()
    vouched = "sha256 as in the manifest" if all(manifest.files.values()) else "no manifest, so no sha256 to hold it to"
    out.print(f"{manifest.name} ({manifest.backend}, {manifest.licence}) opens; {vouched}", markup=False)
    out.print(f"{len(manifest.names)} classes: {', '.join(manifest.names)}", markup=False)
    alone = f"{len(fit.by_change)} of them by a change of the picture alone"
    out.print(f"serves the recipes of {len(fit.served)} of {fit.subcategories} subcategories, {alone}", markup=False)
    for code, missing in fit.missing.items():
        item = taxonomy.subcategories[code]
        out.print(f"  not {code} {item.zh} {item.en}: knows none of {', '.join(missing)}", markup=False)
    if fit.unused:
        out.print(f"asked for by no recipe: {', '.join(fit.unused)}; map them in classes.toml", markup=False)
