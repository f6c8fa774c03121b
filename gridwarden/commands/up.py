"""`gridwarden up`: everything on one box."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dispatch.practice import Patience
from gridwarden.box import Box, BoxSettings, running, until_stopped
from gridwarden.box_broker import BrokerSettings
from gridwarden.box_detector import box_detector
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.data_folder import DataFolder, opened
from gridwarden.demo.district import PATIENCE, SHOWN_ROLES, demo_district
from gridwarden.detectors import WeightsOption
from gridwarden.district import NODE, District, read_district
from gridwarden.evidence_upkeep import Retention
from gridwarden.sign_ins import SignIn, ready_made
from models.errors import SettingsError
from models.people import Person
from models.taxonomy import Taxonomy, load_taxonomy


def up(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VIDEO_OR_URL…]", help="With --demo: your own videos, folders, snapshot or RTSP URLs."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open the demonstration district.")] = False,
    district: Annotated[Path | None, typer.Option(help="Your district file (docs/district-file.md).")] = None,
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("var/gridwarden"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages.")] = 8470,
    mqtt_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the broker.")] = 8471,
    mqtt_ws_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the broker's WebSocket.")] = 8472,
    mqtt_ws_url: Annotated[str | None, typer.Option(help="The WebSocket's public address behind a proxy.")] = None,
    broker: Annotated[
        str | None, typer.Option(help="A Mosquitto (`gridwarden broker setup`) instead of the broker in the box.")
    ] = None,
    broker_ca: Annotated[Path | None, typer.Option(help="Certificates that mqtts:// trusts (PEM).")] = None,
    secure_cookies: Annotated[bool, typer.Option(help="Set where HTTPS is in front.")] = False,
    evidence_days: Annotated[float, typer.Option(min=2, help="Keep pictures of finished incidents this long.")] = 180,
    evidence_gb: Annotated[float, typer.Option(min=0.1, help="And take at most this much room, GiB.")] = 20,
    keep_originals: Annotated[
        bool, typer.Option("--keep-originals", help="Keep unmasked evidence too, encrypted; administrators only.")
    ] = False,
    originals_days: Annotated[float, typer.Option(min=1, help="Keep originals of finished incidents this long.")] = 30,
    weights: WeightsOption = None,
    json: JsonOption = False,
) -> None:
    """Watch, dispatch and show a district on this machine. The first Ctrl-C stops everything; data is kept."""
    if demo == (district is not None):
        raise SettingsError("Say which district: --demo for the demonstration, or --district FILE for yours.")
    if sources and not demo:
        raise SettingsError("Videos and addresses can be given with --demo only; a district file names its cameras.")
    settings = BoxSettings(
        port=port,
        broker=BrokerSettings(broker, broker_ca, mqtt_port, mqtt_ws_port, mqtt_ws_url),
        secure_cookies=secure_cookies,
        patience=PATIENCE if demo else Patience(),
        retention=Retention(days=evidence_days, most_bytes=int(evidence_gb * 2**30), originals_days=originals_days),
        keep_originals=keep_originals,
    )
    taxonomy = load_taxonomy()
    with opened(data) as folder:
        people_and_places = (
            demo_district(folder.root / "footage", sources or [], taxonomy=taxonomy, say=say)
            if demo
            else read_district(district or Path(), taxonomy=taxonomy, node_id=NODE)
        )
        asyncio.run(_up(folder, people_and_places, taxonomy, settings, weights=weights, json=json))


async def _up(
    folder: DataFolder,
    district: District,
    taxonomy: Taxonomy,
    settings: BoxSettings,
    *,
    weights: Path | None,
    json: bool,
) -> None:
    say("loading the detector (some seconds; longer at the first start)")
    detector = await asyncio.to_thread(box_detector, weights, folder)
    stopped = asyncio.create_task(until_stopped())
    with closing(detector):
        async with running(folder, district, taxonomy, detector, replace(settings, weights=weights)) as box:
            sign_ins = ready_made(box.store, district.usernames, folder.sign_ins)
            named = {district.usernames[person]: one for person, one in sign_ins.items()}
            _tell(box, district, named, folder, json=json)
            await stopped
            say("stopping; everything is kept")


def _tell(box: Box, district: District, sign_ins: dict[str, SignIn], folder: DataFolder, *, json: bool) -> None:
    shown = _one_per_role(district.people)
    if json:
        accounts = [
            {"role": person.role.value, "name": person.name, "username": one.username, "password": one.password}
            for person in shown
            for one in [sign_ins[district.usernames[person.person_id]]]
        ]
        print_json({"url": box.url, "mqtt": box.mqtt_url, "cameras": len(district.cameras), "sign_ins": accounts})
        return
    out.print(f"\n{district.name.zh} · {district.name.en}: {len(district.cameras)} cameras\n", markup=False)
    for person in shown:
        one = sign_ins[district.usernames[person.person_id]]
        page = SHOWN_ROLES[person.role]
        where = f"{box.url}{page.path:<10}"
        out.print(f"  {page.zh} {page.en:<15} {where} 用户 {one.username:<10} 密码 {one.password}", markup=False)
    out.print(f"\n  All sign-ins are in {folder.sign_ins}. Ctrl-C stops; everything is kept.\n", markup=False)


def _one_per_role(people: tuple[Person, ...]) -> list[Person]:
    """The first person of each role that has a page of its own."""
    first: dict[str, Person] = {}
    for person in people:
        if person.role in SHOWN_ROLES:
            first.setdefault(person.role, person)
    return [first[role] for role in SHOWN_ROLES if role in first]
