"""Camera addresses: what they may look like, which places on the network they may lead to, how they are shown.

`parse` reads what an operator typed; `checked_ip` decides whether a resolved address may be connected to;
`without_secret` is the only form that goes into logs, errors and the API.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from models.errors import SourceError
from models.places import Trouble

DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "gb28181": 18080}
"""The network schemes a camera may have, with their usual ports; every other scheme is refused. gb28181 is ours: a
channel behind a gateway, gb28181://user:password@gateway/device/channel."""

MAX_ADDRESS_LENGTH = 2048
"""Longer than any camera's address; what browsers and proxies agree to pass."""

METADATA_ADDRESSES = frozenset({"169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16"})
"""Where clouds serve machine credentials (AWS/GCP/Azure, Alibaba, AWS IPv6, Azure): never a camera, in no network."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 clothes for any IPv4 address (RFC 6052), private ones included."""

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(//)?")
_OPTIONS = re.compile(r"^(t|every)=(\d{1,6}(?:\.\d{1,3})?)$")
_SECRET_VALUE = re.compile(r"([?&;][^=&;#]*(?:pass|pas|pwd|token|key|secret|auth|sign)[^=&;#]*=)[^&;#]*", re.IGNORECASE)


@dataclass(frozen=True)
class NetworkAddress:
    """A camera on the network. `target`: path and query; user and password are kept out of `repr`.

    Each look asks for these words; they are put together once.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @cached_property
    def endpoint(self) -> str:
        """host:port, what one recorder or camera is known by."""
        return f"{_bracketed(self.host)}:{self.port}"

    @cached_property
    def url(self) -> str:
        """Without user and password."""
        return f"{self.scheme}://{self.endpoint}{self.target}"

    def with_user(self, user: str | None, password: str | None) -> str:
        """The URL with user and password, as an operator would write it; holds the secret."""
        if user is None:
            return self.url
        secret = f"{quote(user, safe='')}:{quote(password or '', safe='')}@"
        return self.url.replace("://", f"://{secret}", 1)

    @cached_property
    def shown(self) -> str:
        """For people: no user, no password, no secret-looking query value."""
        return without_secret(self.url)


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A video file, a picture file or a folder of pictures.

    start_s: where a video starts playing ("clip.mp4#t=12"); every_s: how long a folder shows each picture
    ("pictures#every=5"), None for the folder source's own pace.
    """

    path: Path
    start_s: float = 0.0
    every_s: float | None = None


def parse(source: str) -> NetworkAddress | FileAddress:
    """Raises SourceError (refused) with one sentence saying what is wrong with the address."""
    text = source.strip()
    if not text:
        raise _refused("The camera has no address; give a URL, a video file or a folder of pictures.")
    if len(text) > MAX_ADDRESS_LENGTH or any(ord(letter) < 32 for letter in text):
        raise _refused(f"The camera's address is longer than {MAX_ADDRESS_LENGTH} letters or holds control characters.")
    scheme = _SCHEME.match(text)
    if scheme is None or Path(text).exists():
        return _file(text)
    name = scheme[1].lower()
    if name == "file":
        return _file(unquote(text[len("file:") :].removeprefix("//")))
    if name not in DEFAULT_PORTS or scheme[2] is None:
        known = ", ".join(f"{scheme}://" for scheme in DEFAULT_PORTS)
        raise _refused(f"Cameras are not read over {name}:; use {known} a file or a folder.")
    return _network(text)


def checked_ip(text: str, *, allow_private: bool) -> str:
    """The same IP address when it may be connected to; raises SourceError (refused) when it may not."""
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    if str(address) in METADATA_ADDRESSES or address.is_multicast or address.is_unspecified:
        raise _refused(f"{text} is never a camera's address (machine metadata, multicast or unspecified).")
    if not allow_private and (not address.is_global or address in NAT64):
        raise _refused(
            f"{text} is a loopback, link-local or private address; "
            "to watch cameras on the own network allow private addresses in the settings."
        )
    return text


def without_secret(address: str) -> str:
    """The address as it may be shown: everything up to the last @ and secret-looking query values become ***.

    Never raises, and hides too much rather than too little: a password typed with an unescaped / or # in it
    must not show either.

    >>> without_secret("rtsp://admin:p/w@10.0.0.7/ch1?token=abc&channel=2")
    'rtsp://***@10.0.0.7/ch1?token=***&channel=2'
    """
    start = address.find("://")
    end = address.rfind("@")
    if start >= 0 and end > start:
        address = f"{address[: start + 3]}***{address[end:]}"
    return _SECRET_VALUE.sub(r"\1***", address)


def _file(text: str) -> FileAddress:
    path, mark, fragment = text.rpartition("#")
    options = _OPTIONS.match(fragment) if mark and not Path(text).exists() else None
    if options is None:
        return FileAddress(Path(text).expanduser())
    value = float(options[2])
    if options[1] == "t":
        return FileAddress(Path(path).expanduser(), start_s=value)
    if value <= 0:
        raise _refused("A folder's #every= must be more than 0 seconds.")
    return FileAddress(Path(path).expanduser(), every_s=value)


def _network(text: str) -> NetworkAddress:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refused(f"{without_secret(text)} is not an address that can be read: {_ESCAPE_HINT}") from None
    if not parts.hostname or "@" in parts.path:
        raise _refused(f"{without_secret(text)} names no host: {_ESCAPE_HINT}")
    scheme = parts.scheme.lower()
    return NetworkAddress(
        scheme=scheme,
        host=parts.hostname,
        port=DEFAULT_PORTS[scheme] if port is None else port,
        target=_target(parts),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


_ESCAPE_HINT = "check host and port, and write special letters of the password as %40 (@), %2F (/), %23 (#), %3A (:)."


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """IPv4 addresses written as IPv6 (::ffff:10.0.0.1, 2002:…) judged as the IPv4 address they lead to."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(message: str) -> SourceError:
    return SourceError(message, reason=Trouble.REFUSED)
