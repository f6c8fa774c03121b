"""A real store on SQLite and, where its server is installed, on PostgreSQL; a real broker."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch.broker import EmbeddedBroker
from dispatch.broker_access import BrokerAccess
from dispatch.store.store import Store
from dispatch.testing import fill_small_district
from models.clock import Clock, SystemClock
from models.testing import FakeClock

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Gives addresses of fresh databases in a cluster of its own; skips where there is no server."""
    with throw_away_cluster() as cluster:
        yield cluster.new_database


@contextmanager
def throw_away_cluster() -> Iterator[Cluster]:
    """Started, and stopped at the end; skips where there is no server."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server is installed")
    # not pytest's folder: that is for its user alone, and the server runs as another one when root tests
    with tempfile.TemporaryDirectory(prefix="gridwarden-postgresql-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(programs[-1], Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


class Cluster:
    """A throw-away PostgreSQL cluster on a loopback port; the server refuses to run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.data = programs, folder / "data"
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        self._run("initdb", "-D", str(self.data), "-U", "gridwarden", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.begin(sync=False)

    def begin(self, *, sync: bool = True) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        options += "" if sync else " -c fsync=off"
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.data / "log"), "-o", options, "start")

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def kill(self) -> None:
        """kill -9 of the server and all its processes at once, as a power cut looks to it."""
        server = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for number in (server, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        while any(_alive(number) for number in (server, *map(int, children))):
            time.sleep(0.01)
        # after a power cut its number would be nobody's; here a container's init may keep it as a zombie
        (self.data / "postmaster.pid").unlink()

    def new_database(self) -> str:
        import psycopg

        name = f"gw_{uuid.uuid4().hex}"
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="gridwarden", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://gridwarden@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.as_user, str(self.programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """One that a test may kill."""
    with throw_away_cluster() as cluster:
        yield cluster


@pytest.fixture(params=DATABASES)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives addresses of empty databases of one kind."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
    return request.getfixturevalue("postgresql")


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def empty_store(database_url: str, clock: FakeClock) -> Iterator[Store]:
    store = Store.open(database_url, clock=clock)
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    fill_small_district(empty_store)
    return empty_store


@pytest.fixture
def live_store(tmp_path: Path) -> Iterator[Store]:
    """On SQLite, in real time: what runs with a broker needs a clock that goes."""
    store = Store.open(f"sqlite:///{tmp_path / 'record.db'}", clock=SystemClock())
    fill_small_district(store)
    yield store
    store.close()


@pytest.fixture
def access() -> BrokerAccess:
    return BrokerAccess(b"a secret of at least sixteen bytes")


@pytest.fixture
def password(access: BrokerAccess) -> Callable[[str], Callable[[], str]]:
    def of(identity: str, clock: Clock | None = None) -> Callable[[], str]:
        return lambda: access.issue(identity, expires_at=(clock or SystemClock()).now() + timedelta(hours=1))

    return of


@pytest.fixture
async def broker(access: BrokerAccess) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker("127.0.0.1", 0, 0, access, clock=SystemClock()) as running:
        yield running
