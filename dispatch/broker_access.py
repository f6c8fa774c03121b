"""Who may connect to the broker and what each may say and hear there: one identity each, own topics only.

Passwords are made, not stored: an HMAC of identity, generation and expiry under the installation's secret. A new
generation (`dispatch.credentials`) ends one identity's passwords, changing the secret ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from models import wire
from models.errors import GridwardenError

Action = Literal["publish", "subscribe"]

DISPATCH = "dispatch"
"""The dispatcher's own identity: it reads and writes everything under the root."""


class AccessRevokedError(GridwardenError):
    """This identity may not connect until somebody gives it access again."""


class BrokerAccess:
    """Issues and checks the broker's passwords and topics; every process with the secret and the record can.

    generation: which generation of an identity's passwords counts, None when its access is revoked.
    lasting: for a broker that keeps the passwords' hashes (Mosquitto): they are good until renewed or revoked.
    """

    def __init__(
        self, secret: bytes, generation: Callable[[str], int | None] = lambda _: 0, *, lasting: bool = False
    ) -> None:
        if len(secret) < 16:
            raise ValueError("the broker secret needs at least 16 bytes")
        self._secret, self._generation, self._lasting = secret, generation, lasting

    def issue(self, identity: str, *, expires_at: datetime) -> str:
        """A password for this identity, good until `expires_at` (whole seconds) unless passwords are lasting.

        Raises AccessRevokedError.
        """
        if self._lasting:
            return self.lasting_password(identity)
        expiry = str(int(expires_at.timestamp()))
        return f"{expiry}.{self._mac(identity, expiry)}"

    def lasting_password(self, identity: str) -> str:
        """The same for this identity until it is renewed. Raises AccessRevokedError."""
        return self._mac(identity, "lasting")

    def verify(self, identity: str, password: str, now: datetime) -> bool:
        expiry, _, mac = password.partition(".")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 11) or self._generation(identity) is None:
            return False
        genuine = hmac.compare_digest(mac.encode(), self._mac(identity, expiry).encode())
        return genuine and now < datetime.fromtimestamp(int(expiry), UTC)

    def may(self, identity: str, action: Action, topic: str) -> bool:
        """Whether the identity may publish to the topic, or subscribe to the filter."""
        return self._generation(identity) is not None and any(
            _covers(allowed, topic) for allowed in allowed_topics(identity, action)
        )

    def _mac(self, identity: str, expiry: str) -> str:
        generation = self._generation(identity)
        if generation is None:
            raise AccessRevokedError(
                f"{identity} has no access to the broker: it was revoked. `gridwarden broker renew` gives it back."
            )
        signed = f"{identity}\n{generation}\n{expiry}"
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()


def node_identity(node_id: str) -> str:
    return f"node:{node_id}"


def worker_identity(person_id: str) -> str:
    return f"worker:{person_id}"


def allowed_topics(identity: str, action: Action) -> list[str]:
    """The topics of an identity; nothing for an unknown one or for a name that would reach into other topics."""
    kind, _, name = identity.partition(":")
    if identity == DISPATCH:
        return [f"{wire.ROOT}/#"]
    if not name or set(name) & set("/+#\0"):
        return []
    if kind == "node":
        said = [wire.observations_topic(name), wire.status_topic(name)]
        return said if action == "publish" else [wire.committed_topic(name), wire.requests_topic(name)]
    if kind == "worker":
        said = [wire.replies_topic(name)]
        return said if action == "publish" else [wire.tasks_topic(name), wire.answers_topic(name)]
    return []


def _covers(allowed: str, topic: str) -> bool:
    """Only the dispatcher's rule has a wildcard; everybody else must name their topics exactly."""
    if allowed.endswith("/#"):
        return topic.startswith(allowed[:-1])
    return topic == allowed
