"""`gridwarden cameras onvif` and `cameras gateway`: cameras as devices and gateways tell them."""

from __future__ import annotations

import asyncio
import json as jsonlib
from dataclasses import replace
from typing import Annotated, Any

import typer

from gridwarden.commands.camera_data import DATA, DataOption
from gridwarden.commands.cameras_import import import_rows
from gridwarden.console import JsonOption, out, print_json, say
from ingest.addresses import NetworkAddress, parse, without_secret
from ingest.gateway import Gateway
from ingest.means import Means
from ingest.onvif import OnvifDevice
from ingest.onvif_discovery import discover
from models.clock import SystemClock
from models.errors import SettingsError, SourceError

PAGE_DEADLINE_S = 20.0
"""A gateway asks its database for a page; a busy one takes seconds."""

DEVICE_DEADLINE_S = 15.0


def onvif(
    device: Annotated[str, typer.Argument(metavar="[DEVICE]", help="host, host:port or its service URL.")] = "",
    user: Annotated[str, typer.Option(help="The device's user; its password is asked for.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="Without DEVICE: wait this long for answers.")] = 4.0,
    json: JsonOption = False,
) -> None:
    """Find ONVIF devices on this network, or read one: its sub-stream, its snapshot, its clock.

    The addresses it prints hold no password; give them to `cameras add --user`.
    """
    if not device:
        for found in asyncio.run(discover(seconds=seconds, allow_private=True)):
            if json:
                print_json({"service": found.service, "name": found.name, "model": found.model})
            else:
                out.print(f"{found.service}  {found.name}  {found.model}", markup=False)
        return
    password = typer.prompt("password 密码", hide_input=True, err=True) if user else ""
    url = device if "://" in device else f"http://{device}/onvif/device_service"
    address = replace(_network(url), user=user or None, password=password)
    reader = OnvifDevice(address, clock=SystemClock(), allow_private=True, means=Means())
    camera = asyncio.run(reader.read(deadline_s=DEVICE_DEADLINE_S))
    line = {
        "snapshot": _bare(camera.snapshot),
        "stream": _bare(camera.stream),
        "profile": camera.profile.name or camera.profile.token,
        "encoding": camera.profile.encoding,
        "width": camera.profile.width,
        "height": camera.profile.height,
        "clock_off_s": round(camera.clock_off.total_seconds()),
    }
    if json:
        print_json(line)
    else:
        for name, value in line.items():
            out.print(f"{name:<12} {value}", markup=False)


def gateway(
    address: Annotated[str, typer.Argument(metavar="HOST:PORT", help="Of the WVP-PRO gateway's API.")],
    user: Annotated[str, typer.Option(help="Who signs in; the password is asked for.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Add or change every GB28181 channel of a gateway. Channels without a position are told, not added."""
    password = typer.prompt("password 密码", hide_input=True, err=True)
    reached = replace(_network(f"gb28181://{address}/"), user=user, password=password)
    rows = asyncio.run(_channels(reached))
    say(f"{len(rows)} channels behind {reached.endpoint}")
    import_rows(jsonlib.dumps(rows).encode(), where=reached.endpoint, data=data, dry_run=dry_run, json=json)


async def _channels(address: NetworkAddress) -> list[dict[str, Any]]:
    client = Gateway(address, allow_private=True, means=Means())
    try:
        return [
            {
                "id": channel.channel_id,
                "name": channel.name,
                "source": replace(address, target=f"/{channel.device_id}/{channel.channel_id}").with_user(
                    address.user, address.password
                ),
                "position": channel.position,
            }
            async for channel in client.channels(deadline_s=PAGE_DEADLINE_S)
        ]
    finally:
        await client.close()


def _network(text: str) -> NetworkAddress:
    try:
        address = parse(text)
    except SourceError as error:
        raise SettingsError(str(error)) from None
    if not isinstance(address, NetworkAddress):
        raise SettingsError(f"{without_secret(text)} is no network address.")
    return address


def _bare(text: str) -> str:
    """Without user and password, but with its query: some devices put the profile there."""
    return _network(text).url if text else ""
