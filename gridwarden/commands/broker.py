"""`gridwarden broker`: a Mosquitto for the district, and who may connect to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dispatch.broker_access import BrokerAccess, worker_identity
from dispatch.credentials import Credential, list_credentials, renew, revoke
from dispatch.store.store import Store
from gridwarden.box_broker import NODES
from gridwarden.commands.camera_data import DATA, DataOption
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.data_folder import DataFolder
from gridwarden.mosquitto_setup import EVERYWHERE, Certificates, Listeners, find_plugin, own_certificates, write_setup
from models.clock import SystemClock
from models.errors import SettingsError

app = typer.Typer(help="The MQTT broker: setting up Mosquitto, ending a lost phone's access.", no_args_is_help=True)

IdentityArgument = Annotated[
    str, typer.Argument(metavar="IDENTITY", help="A person's id, or worker:ID or node:ID as `broker list` shows them.")
]


@app.command("setup")
def setup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where Mosquitto's files are written.")],
    host: Annotated[str, typer.Option(help="The broker's name or address, as the box and watch nodes reach it.")],
    bind: Annotated[str, typer.Option(help="The address Mosquitto listens on with TLS.")] = EVERYWHERE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="With TLS.")] = 8883,
    ws_port: Annotated[int, typer.Option(min=1, max=65535, help="WebSocket on loopback, for the web server.")] = 8884,
    cert: Annotated[Path | None, typer.Option(help="Your certificate (PEM), with --key and --ca.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    ca: Annotated[Path | None, typer.Option(help="The authority that signed it.")] = None,
    plugin: Annotated[Path | None, typer.Option(help="mosquitto_dynamic_security.so on the broker's machine.")] = None,
    data: DataOption = DATA,
) -> None:
    """Write Mosquitto's settings: TLS, every client known, own topics only. Without --cert a certificate is made.

    The one identity in it is the dispatcher's; `gridwarden up --broker` adds the others and keeps them in step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    certificates = _certificates(folder, host, cert, key, ca)
    access = BrokerAccess(DataFolder(data).secret(), lasting=True)
    place = plugin or find_plugin()
    settings, state = write_setup(folder, access, Listeners(bind, port, ws_port), certificates, place)
    folder_of = folder.resolve()
    out.print(
        f"Written: {settings}, {state}\n\n"
        f"  chown -R mosquitto: {folder_of}          # it rewrites its list of identities\n"
        f"  mosquitto -c {folder_of}/mosquitto.conf  # or include the file in /etc/mosquitto/conf.d\n"
        f"  gridwarden up --district FILE --broker mqtts://{host}:{port} --broker-ca {certificates.ca.resolve()} "
        "--mqtt-ws-url wss://YOUR-SITE/mqtt\n\n"
        f"Your web server passes wss://YOUR-SITE/mqtt on to 127.0.0.1:{ws_port}.",
        markup=False, soft_wrap=True,
    )  # fmt: skip


@app.command("list")
def list_all(data: DataOption = DATA, json: JsonOption = False) -> None:
    """Who may connect, and whose access was renewed or revoked when."""
    with _record(data) as store, store.reading() as session:
        credentials = list_credentials(session, nodes=NODES)
    if json:
        for one in credentials:
            print_json(_json(one))
        return
    table = Table("identity", "access", "renewed or revoked", box=None, pad_edge=False)
    for one in credentials:
        table.add_row(one.identity, "revoked 已停用" if one.revoked else "yes 可用", _when(one.changed_at))
    out.print(table)


@app.command("renew")
def renew_one(identity: IdentityArgument, data: DataOption = DATA, json: JsonOption = False) -> None:
    """End the passwords issued so far, as for a lost phone; its person signs in again. Gives revoked access back."""
    one = _change(data, identity, renew)
    say(f"{one.identity}: earlier passwords are worthless, a running box ends its connections within seconds")
    if json:
        print_json(_json(one))


@app.command("revoke")
def revoke_one(identity: IdentityArgument, data: DataOption = DATA, json: JsonOption = False) -> None:
    """End the access altogether, until `renew`. A person is signed out; their tasks escalate as for a phone off."""
    one = _change(data, identity, revoke)
    say(f"{one.identity}: no access; a running box ends its connections within seconds")
    if json:
        print_json(_json(one))


def _change(data: Path, named: str, change: Callable[..., Credential]) -> Credential:
    with _record(data) as store, store.transaction() as session:
        known = {one.identity for one in list_credentials(session, nodes=NODES)}
        identity = named if ":" in named else worker_identity(named)
        if identity not in known:
            raise SettingsError(f"Nobody called {named} connects to the broker; `gridwarden broker list` shows all.")
        return change(session, identity, now=SystemClock().now())


@contextmanager
def _record(data: Path) -> Iterator[Store]:
    folder = DataFolder(data)
    if not (data / "gridwarden.sqlite").exists():
        raise SettingsError(f"{data} holds no record (gridwarden.sqlite). Name the data folder with --data.")
    store = Store.open(folder.database_url, clock=SystemClock())
    try:
        yield store
    finally:
        store.close()


def _certificates(folder: Path, host: str, cert: Path | None, key: Path | None, ca: Path | None) -> Certificates:
    if cert is None and key is None and ca is None:
        return own_certificates(folder, host)
    if cert is None or key is None or ca is None:
        raise SettingsError("--cert, --key and --ca belong together: name all three, or none to have them made.")
    for path in (cert, key, ca):
        if not path.is_file():
            raise SettingsError(f"There is no file {path}: name a PEM file.")
    return Certificates(ca, cert, key)


def _json(one: Credential) -> dict[str, object]:
    return {
        "identity": one.identity,
        "access": not one.revoked,
        "generation": one.generation,
        "changed_at": one.changed_at and one.changed_at.isoformat(),
    }


def _when(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")
