"""User and password given as a camera asks for them, over HTTP and RTSP: digest when offered, else basic.

Nothing is sent until asked; after that every request carries the answer, so that a look costs one round trip. Digest
as in RFC 7616 (MD5 and SHA-256, with or without qop) and, without qop, RFC 2069, which is what most cameras speak.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}
"""The algorithms cameras ask for; MD5 is what they ask for when they name none."""

_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(slots=True)
class _Challenge:
    realm: str
    nonce: str
    algorithm: str
    opaque: str
    qop: bool
    used: int = 0


class Credentials:
    """One camera's user and password, and how it wants them."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._challenge: _Challenge | None = None
        self._basic = False

    def asked(self, offered: Iterable[str]) -> bool:
        """Takes the WWW-Authenticate headers of a 401; False when none can be answered, or the answer was refused."""
        if self._basic:
            return False
        former = self._challenge
        for header in offered:
            found = _digest(header)
            if found is not None and found.algorithm in _HASHES:
                self._challenge = found
                # The same password answers a new nonce; refused again with the nonce it was just given, it is wrong.
                return former is None or "stale=true" in header.replace('"', "").lower() or former.nonce != found.nonce
        self._basic = any("basic" in header.lower() for header in offered)
        return self._basic

    def header(self, method: str, uri: str) -> str | None:
        """The Authorization header for a request, None while nobody asked."""
        if self._challenge is not None:
            return self._answer(self._challenge, method, uri)
        if self._basic:
            return "Basic " + b64encode(f"{self._user}:{self._password}".encode()).decode()
        return None

    def _answer(self, challenge: _Challenge, method: str, uri: str) -> str:
        hashed = _HASHES[challenge.algorithm]
        secret = hashed(f"{self._user}:{challenge.realm}:{self._password}".encode())
        asked = hashed(f"{method}:{uri}".encode())
        parts = {"username": self._user, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
        plain = f"algorithm={challenge.algorithm}"
        middle = challenge.nonce
        if challenge.qop:
            challenge.used += 1
            count, own = f"{challenge.used:08x}", secrets.token_hex(8)
            middle = f"{challenge.nonce}:{count}:{own}:auth"
            parts["cnonce"] = own
            plain += f", qop=auth, nc={count}"
        parts["response"] = hashed(f"{secret}:{middle}:{asked}".encode())
        if challenge.opaque:
            parts["opaque"] = challenge.opaque
        quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in parts.items())
        return f"Digest {quoted}, {plain}"


def _digest(header: str) -> _Challenge | None:
    kind, _, rest = header.strip().partition(" ")
    if kind.lower() != "digest":
        return None
    given = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
    if "nonce" not in given:
        return None
    offers = [part.strip() for part in given.get("qop", "").split(",")]
    return _Challenge(
        realm=given.get("realm", ""),
        nonce=given["nonce"],
        algorithm=given.get("algorithm", "MD5").upper(),
        opaque=given.get("opaque", ""),
        qop="auth" in offers,
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
