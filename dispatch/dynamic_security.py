"""Identities on Mosquitto, kept over MQTT itself by its dynamic security plugin (mosquitto.org, 2.0 and later).

Pure: what to tell the plugin so that it knows exactly our identities. Clients and roles of other names are the
operator's own and are left alone. A client's description holds a mark of its password and topics, so that whatever
differs is made anew: a restored broker, another secret, a new version with other topics.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from dispatch.broker_access import DISPATCH, BrokerAccess, allowed_topics

COMMANDS = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{COMMANDS}/response"

OURS = ("worker:", "node:")

AT_ONCE = 20
"""Identities changed with one message: some 30 kB, well below what a broker takes."""

HASH_ROUNDS = 101
"""The plugin's own number. Our passwords are 256 random bits: no number of rounds makes them harder to guess."""

Command = dict[str, Any]


def changes(clients: Iterable[Mapping[str, Any]], wanted: Iterable[str], access: BrokerAccess) -> list[list[Command]]:
    """Batches of commands that turn the plugin's clients (as `listClients` tells them) into `wanted`.

    Deleting a client ends its connections: that is how a renewed or revoked password takes effect at once.
    """
    marks = {identity: _mark(identity, access) for identity in wanted}
    present = {str(one.get("username")): one.get("textdescription") for one in clients}
    gone = [name for name in present if name.startswith(OURS) and name not in marks]
    stale = [name for name, mark in marks.items() if present.get(name, mark) != mark]
    new = [name for name, mark in marks.items() if present.get(name) != mark]
    removals = [_removed(name) for name in [*gone, *stale]]
    additions = [_added(name, marks[name], access) for name in new]
    return [*_batched(removals), *_batched(additions)]


def list_clients() -> Command:
    return {"command": "listClients", "verbose": True, "count": -1, "offset": 0}


def first_state(access: BrokerAccess) -> str:
    """The plugin's file for a new broker: only the dispatcher, who then adds everybody else."""
    salt = os.urandom(12)
    password = access.lasting_password(DISPATCH).encode()
    digest = hashlib.pbkdf2_hmac("sha512", password, salt, HASH_ROUNDS)
    dispatcher = {
        "username": DISPATCH,
        "textName": "gridwarden",
        "password": base64.b64encode(digest).decode(),
        "salt": base64.b64encode(salt).decode(),
        "iterations": HASH_ROUNDS,
        "roles": [{"rolename": DISPATCH}],
    }
    nothing = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
    everything = [_rule(kind, topic) for topic in ("$CONTROL/dynamic-security/#", *allowed_topics(DISPATCH, "publish"))
                  for kind in ("publishClientSend", "publishClientReceive", "subscribePattern")]  # fmt: skip
    state = {
        "defaultACLAccess": nothing,
        "clients": [dispatcher],
        "groups": [],
        "roles": [{"rolename": DISPATCH, "acls": everything}],
    }
    return json.dumps(state, indent=1)


def _added(identity: str, mark: str, access: BrokerAccess) -> list[Command]:
    said, heard = allowed_topics(identity, "publish"), allowed_topics(identity, "subscribe")
    rules = [_rule("publishClientSend", topic) for topic in said]
    rules += [_rule(kind, topic) for topic in heard for kind in ("subscribeLiteral", "publishClientReceive")]
    return [
        {"command": "deleteRole", "rolename": identity},  # may be left over; that there is none is no trouble
        {"command": "createRole", "rolename": identity, "acls": rules},
        {
            "command": "createClient",
            "username": identity,
            "password": access.lasting_password(identity),
            "textdescription": mark,
            "roles": [{"rolename": identity}],
        },
    ]


def _removed(identity: str) -> list[Command]:
    return [{"command": "deleteClient", "username": identity}, {"command": "deleteRole", "rolename": identity}]


def _mark(identity: str, access: BrokerAccess) -> str:
    whole = [access.lasting_password(identity), allowed_topics(identity, "publish"),
             allowed_topics(identity, "subscribe")]  # fmt: skip
    return "gridwarden " + hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]


def _rule(kind: str, topic: str) -> Command:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def _batched(parts: list[list[Command]]) -> list[list[Command]]:
    groups = (parts[start : start + AT_ONCE] for start in range(0, len(parts), AT_ONCE))
    return [[command for part in group for command in part] for group in groups]
