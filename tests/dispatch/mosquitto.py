"""A real Mosquitto, set up by the product's own command, on loopback with TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatch.broker_access import BrokerAccess
from gridwarden.mosquitto_setup import Listeners, find_plugin, own_certificates, write_setup
from models.errors import SettingsError

PROGRAM = "/usr/sbin/mosquitto"


@dataclass(frozen=True)
class Mosquitto:
    """Set up, not yet running: `running` starts it, any number of times."""

    folder: Path
    port: int
    ws_port: int

    @property
    def url(self) -> str:
        return f"mqtts://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.ws_port}/mqtt"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "-c", self.folder / "mosquitto.conf",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await _answers(self.port)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def set_up(folder: Path, access: BrokerAccess) -> Mosquitto:
    """Skips where Mosquitto or its plugin is not installed."""
    try:
        plugin = find_plugin()
    except SettingsError as error:
        pytest.skip(str(error))
    if not Path(PROGRAM).exists():
        pytest.skip("mosquitto is not installed")
    made = Mosquitto(folder, _free_port(), _free_port())
    folder.mkdir(parents=True)
    certificates = own_certificates(folder, "127.0.0.1")
    write_setup(folder, access, Listeners("127.0.0.1", made.port, made.ws_port), certificates, plugin)
    if os.geteuid() == 0:  # Mosquitto steps down to its own user then, as an operator is told
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "mosquitto")
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
