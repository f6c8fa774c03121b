"""Throw-away servers for benchmarks: Mosquitto with the generated access files, PostgreSQL from Debian's packages."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from models.errors import SettingsError

TRIES = 100
"""Of a twentieth of a second each: both servers are up within one second."""


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[str]:
    """Its address. Raises SettingsError where it is not installed."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise SettingsError("Mosquitto is not installed: apt-get install mosquitto, or choose --broker embedded.")
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
        "max_inflight_messages 0\n"
    )
    process = await asyncio.create_subprocess_exec(program, "-c", str(settings), stderr=DEVNULL)
    try:
        await _listening(port)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a database in a cluster of its own. Raises SettingsError where the server is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise SettingsError("PostgreSQL is not installed: apt-get install postgresql, or choose --database sqlite.")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # not below the caller's folder: that may be for one user alone, and the server refuses to run as root
    with tempfile.TemporaryDirectory(prefix="gridwarden-postgresql-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        if as_user:
            shutil.chown(folder, "postgres")

        def run(program: str, *arguments: str) -> None:
            command = [*as_user, str(programs[-1] / program), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")  # noqa: S603

        data = str(folder / "data")
        run("initdb", "-D", data, "-U", "gridwarden", "-A", "trust", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        run("pg_ctl", "-D", data, "-w", "-l", f"{data}/log", "-o", options, "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "gridwarden", "gridwarden")
            yield f"postgresql+psycopg://gridwarden@127.0.0.1:{port}/gridwarden"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _listening(port: int) -> None:
    for _ in range(TRIES):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SettingsError(f"Mosquitto does not listen on port {port}")
