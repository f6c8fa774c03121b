"""What Mosquitto needs to serve gridwarden: settings, the first identity, and certificates where there are none."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dispatch.broker_access import BrokerAccess
from dispatch.dynamic_security import first_state
from gridwarden.data_folder import write_private
from models.errors import SettingsError

PLUGIN = "mosquitto_dynamic_security.so"
PLUGIN_FOLDERS = ("/usr/lib/*-linux-gnu*", "/usr/lib", "/usr/lib64", "/usr/local/lib")

CERTIFICATE_LASTS = timedelta(days=825)
"""The longest that phones and browsers accept of a private authority (Apple, since 2019)."""

LARGEST_MESSAGE = 256 * 1024
"""Bytes; what watch nodes read at most. Pictures never travel over MQTT."""

EVERYWHERE = "0.0.0.0"  # noqa: S104 - wanted, see below
"""Of the TLS listener: with a password for each client, it is there for other machines."""

SETTINGS = """# Made by `gridwarden broker setup`. Identities are kept by gridwarden itself, over MQTT.
per_listener_settings false
allow_anonymous false
plugin {plugin}
plugin_opt_config_file {folder}/dynamic-security.json
persistence false
message_size_limit {largest}
max_inflight_messages 200
max_queued_messages 5000

# Watch nodes and the dispatcher, over TLS.
listener {port} {bind}
cafile {ca}
certfile {cert}
keyfile {key}
tls_version tlsv1.2

# Phones, through the web server with TLS in front (wss://).
listener {ws_port} 127.0.0.1
protocol websockets
"""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files. ca: what clients trust."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Listeners:
    """bind: the address TLS clients reach; the WebSocket stays on loopback."""

    bind: str = EVERYWHERE
    port: int = 8883
    ws_port: int = 8884


def write_setup(
    folder: Path, access: BrokerAccess, listeners: Listeners, certificates: Certificates, plugin: Path
) -> list[Path]:
    """Writes mosquitto.conf and dynamic-security.json. Raises SettingsError rather than overwrite an identity file."""
    state = folder / "dynamic-security.json"
    if state.exists():
        raise SettingsError(
            f"{state} is there already: it is Mosquitto's list of identities. Name another folder, or remove the file "
            "when this broker shall begin anew (gridwarden adds everybody again)."
        )
    settings = folder / "mosquitto.conf"
    settings.write_text(
        SETTINGS.format(
            plugin=plugin, folder=folder.resolve(), largest=LARGEST_MESSAGE, bind=listeners.bind,
            port=listeners.port, ws_port=listeners.ws_port, ca=certificates.ca.resolve(),
            cert=certificates.cert.resolve(), key=certificates.key.resolve(),
        )
    )  # fmt: skip
    write_private(state, first_state(access).encode())
    return [settings, state]


def find_plugin() -> Path:
    """Raises SettingsError, with the way to get it."""
    for pattern in PLUGIN_FOLDERS:
        if found := sorted(Path("/").glob(f"{pattern.lstrip('/')}/{PLUGIN}")):
            return found[0]
    raise SettingsError(
        f"{PLUGIN} is not on this machine: `apt-get install mosquitto`, or, where the broker runs elsewhere, "
        "name its place there with --plugin."
    )


def own_certificates(folder: Path, host: str, *, now: datetime | None = None) -> Certificates:
    """An authority of this installation and a certificate for `host` (name or address); kept when they are there."""
    made = Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    if all(path.exists() for path in (made.ca, made.cert, made.key)):
        return made
    begins = (now or datetime.now(UTC)) - timedelta(hours=1)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("gridwarden broker authority"), _name(host)
    ca = (
        _certificate(ca_name, ca_name, ca_key.public_key(), begins)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    server = (
        _certificate(name, ca_name, key.public_key(), begins)
        .add_extension(x509.SubjectAlternativeName([_subject(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.cert.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(made.key, private)  # the authority's own key is forgotten: nobody can sign another certificate
    return made


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + CERTIFICATE_LASTS)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _subject(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
