"""Keeps the broker's identities in step with the record: who was renewed or revoked is off the line within seconds."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import DISPATCH, BrokerAccess
from dispatch.credentials import CredentialBook
from dispatch.dynamic_security import ANSWERS, COMMANDS, Command, changes, list_clients
from dispatch.mqtt import BrokerGoneError, MqttClient

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
"""One row is read; a lost phone is cut off this soon after somebody says so."""

CHECK_EVERY_S = 300.0
"""A broker whose file was lost or changed by hand is put right within this, or when it is connected to again."""

ANSWER_S = 10.0
"""The plugin answers in milliseconds; without an answer it is not loaded, or we are not its administrator."""

MISSING = "not found"
"""What the plugin says of a role to be deleted that is not there."""


class EmbeddedKeeper:
    """For the broker in this process: it asks for the generation itself and only has to drop connections."""

    def __init__(self, broker: EmbeddedBroker, book: CredentialBook) -> None:
        self._broker, self._book = broker, book

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for identity in await asyncio.to_thread(self._book.refresh):
                await self._broker.drop(identity)


class MosquittoKeeper:
    """For a Mosquitto with its dynamic security plugin, set up by `gridwarden broker setup`."""

    def __init__(
        self,
        url: str,
        book: CredentialBook,
        access: BrokerAccess,
        password: Callable[[], str],
        *,
        ca_file: Path | None = None,
    ) -> None:
        self._book, self._access = book, access
        self._client = MqttClient(
            url,
            client_id=f"{DISPATCH}-keeper",
            username=DISPATCH,
            password=password,
            subscriptions=[ANSWERS],
            ca_file=ca_file,
        )
        self.in_step = False
        """Whether the broker knew exactly our identities when it was last asked."""

    async def run(self) -> None:
        """Until cancelled. A broker that is away or does not answer is asked again."""
        async with self._client as client:
            while True:
                await client.wait_ready()
                connects = client.counters.connects
                try:
                    await self._put_right()
                except (BrokerGoneError, TimeoutError) as error:
                    self.in_step = False
                    log.warning("The broker's identities were not put in step, trying again: %s", error or "no answer")
                    await asyncio.sleep(LOOK_EVERY_S)
                else:
                    await self._changed(connects)

    async def _changed(self, connects: int) -> None:
        """Returns when there may be something to put right."""

        async def look() -> None:
            while self._client.connected and self._client.counters.connects == connects:
                await asyncio.sleep(LOOK_EVERY_S)
                if await asyncio.to_thread(self._book.refresh):
                    return

        try:
            await asyncio.wait_for(look(), CHECK_EVERY_S)
        except TimeoutError:
            return

    async def _put_right(self) -> None:
        (answer,) = await self._ask([list_clients()])
        clients = answer.get("data", {}).get("clients", [])
        for batch in changes(clients, self._book.present(), self._access):
            for answer in await self._ask(batch):
                if "error" in answer and MISSING not in str(answer["error"]).lower():
                    log.error("The broker's plugin refused %s: %s", answer.get("command"), answer["error"])
        self.in_step = True

    async def _ask(self, commands: list[Command]) -> list[dict[str, Any]]:
        await self._client.publish(COMMANDS, json.dumps({"commands": commands}).encode())
        async with asyncio.timeout(ANSWER_S):
            (message,) = await self._client.batch(1)
        message.acknowledge()
        answers: list[dict[str, Any]] = json.loads(message.payload)["responses"]
        return answers
