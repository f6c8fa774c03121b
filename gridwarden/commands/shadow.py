"""`gridwarden shadow …`: new weights beside the ones in use, and their promotion by a person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from detect.promotion import Promotion, WeightsShelf, check_fit
from detect.shadow_journal import by_hour, totals
from detect.shadow_plan import clear_plan, read_plan, write_plan
from detect.weights import read_manifest, verified_manifest
from gridwarden.box_detector import shadow_folder
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.kept_record import DATA, ByOption, DatabaseOption, DataOption, Decision, kept_record
from models.errors import SettingsError

app = typer.Typer(no_args_is_help=True, help="Try new weights beside the ones in use, then promote them.")

SHOWN_HOURS = 24


@app.command()
def start(
    folder: Annotated[Path, typer.Argument(help="A weights folder, as `gridwarden train` writes it.")],
    data: DataOption = DATA,
    database: DatabaseOption = None,
    by: ByOption = None,
) -> None:
    """Let these weights see some of the pictures, without anything following from it. A running box follows within
    seconds; at most a tenth of its inference time is spent on them."""
    shelf = WeightsShelf(data)
    with kept_record(data, database) as store:
        decision = Decision(store, by)
        check_fit(verified_manifest(folder), read_manifest(shelf.in_use()))
        kept = shelf.keep(folder)
        write_plan(shadow_folder(data), kept, by=decision.who, at=store.clock.now())
        decision.audit("shadow_started", kept.name)
    out.print(f"{kept.name} runs in the shadow. See how it does with: gridwarden shadow status", markup=False)


@app.command()
def status(data: DataOption = DATA, json: JsonOption = False) -> None:
    """How often both see the same, class by class, and where the pictures of disagreements are."""
    shelf, plan = WeightsShelf(data), read_plan(shadow_folder(data))
    promotion = shelf.promotion()
    in_use = read_manifest(shelf.in_use()).name
    if plan is None:
        if json:
            print_json({"in_use": in_use, "shadow": None})
        else:
            out.print(f"In use: {in_use}{_since(promotion)}. Nothing runs in the shadow.", markup=False)
        return
    journal = plan.journal(shadow_folder(data))
    counted = totals(journal)
    looks = counted.pop("", Counter())["looks"]
    if json:
        classes = {name: _figures(counts) for name, counts in sorted(counted.items())}
        hours = {hour: {name or "looks": dict(one) for name, one in rows.items()} for hour, rows in _last(journal)}
        print_json(
            {"in_use": in_use, "shadow": plan.weights.name, "since": plan.since, "by": plan.by, "looks": looks,
             "classes": classes, "hours": hours, "pictures": str(journal / "pictures")}
        )  # fmt: skip
        return
    out.print(
        f"In use: {in_use}{_since(promotion)}. In the shadow: {plan.weights.name} since {plan.since}", markup=False
    )
    out.print(_table(counted, looks))
    out.print(f"Pictures of disagreements, blue in use, red shadow: {journal / 'pictures'}", markup=False)


@app.command()
def stop(data: DataOption = DATA, database: DatabaseOption = None, by: ByOption = None) -> None:
    """End it; what was counted is kept."""
    with kept_record(data, database) as store:
        decision = Decision(store, by)
        plan = read_plan(shadow_folder(data))
        clear_plan(shadow_folder(data))
        decision.audit("shadow_stopped", plan.weights.name if plan else "none was running")
    out.print("Nothing runs in the shadow." if plan is None else f"{plan.weights.name} is out of the shadow.")


@app.command()
def promote(
    back: Annotated[bool, typer.Option("--back", help="Use the weights before these again.")] = False,
    data: DataOption = DATA,
    database: DatabaseOption = None,
    by: ByOption = None,
) -> None:
    """Use the weights in the shadow from the next start on; the ones before are kept for --back."""
    shelf = WeightsShelf(data)
    with kept_record(data, database) as store:
        decision = Decision(store, by)
        now = store.clock.now()
        if back:
            promoted = shelf.back(by=decision.who, at=now)
        else:
            plan = read_plan(shadow_folder(data))
            if plan is None:
                raise SettingsError("Nothing runs in the shadow: begin with `gridwarden shadow start FOLDER`.")
            promoted = shelf.promote(plan.weights, by=decision.who, at=now)
            clear_plan(shadow_folder(data))
        decision.audit("weights_promoted", f"{promoted.name} instead of {promoted.previous}")
    out.print(f"From the next start on: {promoted.name}. Go back with: gridwarden shadow promote --back", markup=False)
    say("A box that is running goes on with the weights it was started with.")


def _since(promotion: Promotion | None) -> str:
    return f" (since {promotion.at}, by {promotion.by})" if promotion else ""


def _last(journal: Path) -> list[tuple[str, dict[str, Counter[str]]]]:
    return list(by_hour(journal).items())[-SHOWN_HOURS:]


def _figures(counts: Counter[str]) -> dict[str, int]:
    return {side: counts[side] for side in ("agreed", "only_in_use", "only_shadow")}


def _table(counted: dict[str, Counter[str]], looks: int) -> Table:
    table = Table("class", "both", "only in use", "only shadow", title=f"{looks} looks that both have seen")
    for name, counts in sorted(counted.items(), key=lambda item: -sum(item[1].values())):
        table.add_row(name, *(str(value) for value in _figures(counts).values()))
    return table
