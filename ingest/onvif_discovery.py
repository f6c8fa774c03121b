"""Finding ONVIF devices on the own network by WS-Discovery: one question to all, answers for a few seconds."""

from __future__ import annotations

import asyncio
import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import unquote

from ingest.addresses import NetworkAddress, checked_ip, parse
from models.errors import SourceError

GROUP = ("239.255.255.250", 3702)
"""Where devices listen (WS-Discovery 1.1 §2.4)."""

MOST_DEVICES = 4096
MOST_BYTES = 65_536
"""A sub-district's network has two thousand; an answer is one UDP datagram."""

_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """service: its ONVIF service address without user; name, model: as it calls itself, may be empty."""

    service: str
    name: str
    model: str


async def discover(*, seconds: float, allow_private: bool, group: tuple[str, int] = GROUP) -> list[FoundDevice]:
    """By service address. A device counts at the address its answer came from, whatever it claims to be."""
    loop = asyncio.get_running_loop()
    answers = _Answers(allow_private=allow_private)
    transport, _ = await loop.create_datagram_endpoint(lambda: answers, local_addr=("0.0.0.0", 0))  # noqa: S104
    try:
        transport.sendto(_probe().encode(), group)
        await asyncio.sleep(seconds)
    finally:
        transport.close()
    return sorted(answers.found.values(), key=lambda device: device.service)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.found: dict[str, FoundDevice] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self.found) < MOST_DEVICES and len(data) < MOST_BYTES:
            device = read_answer(data, sender=addr[0], allow_private=self._allow_private)
            if device is not None:
                self.found[device.service] = device


def read_answer(data: bytes, *, sender: str, allow_private: bool) -> FoundDevice | None:
    """None for whatever is no answer of a device, or of one that may not be connected to."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return None
    try:
        checked_ip(sender, allow_private=allow_private)
        answer = ET.fromstring(data)  # noqa: S314 - document types, which could hold bombs, were refused above
    except (ET.ParseError, SourceError, ValueError):
        return None
    service = _service(_text(answer, "XAddrs").split(), sender)
    if service is None:
        return None
    scopes = _text(answer, "Scopes")
    return FoundDevice(service, _scope(scopes, "name"), _scope(scopes, "hardware"))


def _service(addresses: list[str], sender: str) -> str | None:
    for text in addresses:
        try:
            address = parse(text)
        except SourceError:
            continue
        if isinstance(address, NetworkAddress) and address.scheme in ("http", "https"):
            return NetworkAddress(address.scheme, sender, address.port, address.target).url
    return None


def _text(answer: ET.Element, name: str) -> str:
    found = answer.find(f".//{{{_DISCOVERY}}}{name}")
    return "" if found is None else found.text or ""


def _scope(scopes: str, kind: str) -> str:
    found = re.search(rf"onvif://www\.onvif\.org/{kind}/(\S+)", scopes)
    return unquote(found[1])[:120] if found else ""


def _probe() -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        f'xmlns:d="{_DISCOVERY}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{uuid.uuid4()}</w:MessageID>"
        "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        f"<w:Action>{_DISCOVERY}/Probe</w:Action></e:Header>"
        "<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    )
