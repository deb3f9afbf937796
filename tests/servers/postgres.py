"""A private PostgreSQL cluster, made from the installed binaries.

    with Postgres() as postgres:
        url = postgres.cluster.create_database()

One cluster serves a whole test run, also when pytest-xdist runs it in several processes: a keeper
process starts it when the first test asks and ends it when pytest ends, however pytest ends
(`shared_cluster`, `end_shared_cluster`). Each test gets a database of its own, copied from a
template, which takes a tenth of a second.

Durability is off, because no test of ours pulls the plug of the database; for a benchmark give
`Postgres(settings={"fsync": "on", ...})`.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from tests.servers.process import (
    PrivateServer,
    ServerFailed,
    find_binary,
    free_ports,
    ids_of,
    wait_until,
)

USER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "500",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Every database lives for a test: there is nothing to clean up.
    "autovacuum": "off",
    # Nothing here runs long enough to be worth compiling.
    "jit": "off",
}


@dataclass(frozen=True)
class Cluster:
    """What a test needs to know to use a running cluster; also from another process."""

    port: int
    password: str
    socket_directory: str

    def url(self, database: str = USER) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str = "", template: str = "template1") -> str:
        """A new database, named by chance unless named, and its URL."""
        name = name or f"test_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        self._execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Also when somebody is still connected to it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(statement.format(sql.Identifier(name)))

    def rename_database(self, name: str, new_name: str) -> None:
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(new_name)))

    def has_database(self, name: str) -> bool:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            question = "SELECT 1 FROM pg_database WHERE datname = %s"
            return connection.execute(question, (name,)).fetchone() is not None

    @contextlib.contextmanager
    def kept_open(self) -> Iterator[Self]:
        """The cluster, with one connection for all that is done to it meanwhile: a connection costs
        the server as much as a small test asks of it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            _kept[self.port] = connection
            try:
                yield self
            finally:
                del _kept[self.port]

    def _execute(self, statement: sql.Composed) -> None:
        if self.port in _kept:
            _kept[self.port].execute(statement)
            return
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


_kept: dict[int, psycopg.Connection[object]] = {}


class Postgres(PrivateServer):
    name = "postgres"
    # PostgreSQL's "fast" shutdown; the ordinary signal would wait for every client to leave.
    stop_signal = signal.SIGINT

    def __init__(self, settings: Mapping[str, str] | None = None, keep: Path | None = None) -> None:
        """Make a cluster; with `keep` its data stay in that folder and are used again."""
        folders = Path("/usr/lib/postgresql").glob("*/bin")
        newest_first = sorted(folders, key=lambda path: float(path.parent.name), reverse=True)
        places = [str(path) for path in newest_first]
        self._initdb = find_binary("initdb", *places, package="postgresql")
        self._postgres = find_binary("postgres", *places, package="postgresql")
        super().__init__()
        self.user = USER if os.geteuid() == 0 else None
        self._settings = SETTINGS | dict(settings or {})
        self._data = (keep or self.directory) / "data"
        [port] = self.ports = free_ports(1)
        self.cluster = Cluster(port, self._password(keep), str(self.directory))

    def _password(self, keep: Path | None) -> str:
        if keep is None:
            return secrets.token_hex(16)
        keep.mkdir(parents=True, exist_ok=True)
        if self.user:
            os.chown(keep, *ids_of(self.user))
        path = keep / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16))
        return path.read_text()

    def configure(self) -> None:
        if (self._data / "PG_VERSION").exists():
            if self.user:
                os.chown(self.directory, *ids_of(self.user))
            # A run that was killed leaves it behind.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            return
        password_file = self.directory / "password"
        password_file.write_text(self.cluster.password)
        if self.user:
            for path in (self.directory, password_file):
                os.chown(path, *ids_of(self.user))
        password_file.chmod(0o600)
        # The C locale on purpose: what we sort and fold must not hang on the server's language.
        command = [self._initdb, "-D", str(self._data), "-U", USER, "--no-sync", "-E", "UTF8"]
        command += ["--locale=C", f"--pwfile={password_file}"]
        # SCRAM would count thousands of rounds for each of the thousands of connections.
        command += ["--auth-local=peer", "--auth-host=md5"]
        done = subprocess.run(
            command,
            cwd=self.directory,
            user=self.user,
            group=ids_of(self.user)[1] if self.user else None,
            extra_groups=[] if self.user else None,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    def command(self) -> list[str]:
        settings = self._settings | {
            "port": str(self.cluster.port),
            "unix_socket_directories": str(self.directory),
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [self._postgres, "-D", str(self._data), *options]

    def is_ready(self) -> bool:
        if not super().is_ready():
            return False
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.cluster.url(), connect_timeout=5).close()
            return True
        return False


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time, also among pytest-xdist's workers."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shared_cluster(folder: Path) -> Cluster:
    """The cluster of this test run; the first to ask in `folder` starts it."""
    info = folder / "postgres.json"
    with locked(folder / "postgres.lock"):
        if not info.exists():
            Postgres().close()  # says here, and not in the keeper's log, if nothing is installed
            _start_keeper(info)
        written = json.loads(info.read_text())
    return Cluster(**written["cluster"])


def _start_keeper(info: Path) -> None:
    log_path = info.with_suffix(".log")
    with log_path.open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "tests.servers.postgres", str(info), os.environ["HUB_TEST_PID"]],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if done.returncode != 0:
        raise ServerFailed(f"PostgreSQL did not start:\n{log_path.read_text()}")


def end_shared_cluster(folder: Path) -> None:
    """Ends the run's cluster, if any test asked for it, and waits until it is gone."""
    info = folder / "postgres.json"
    if not info.exists():
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(json.loads(info.read_text())["keeper"], signal.SIGTERM)
        wait_until(lambda: not info.exists(), "PostgreSQL has ended", 30)


def keep(info: Path, owner: int) -> None:
    """The keeper process: the cluster runs until it is told to stop or the test run is gone."""
    must_stop = False

    def stop(*_: object) -> None:
        nonlocal must_stop
        must_stop = True

    signal.signal(signal.SIGTERM, stop)
    with Postgres() as postgres:
        fresh = info.with_suffix(".new")
        fresh.write_text(json.dumps({"keeper": os.getpid(), "cluster": asdict(postgres.cluster)}))
        fresh.rename(info)
        while not must_stop and Path(f"/proc/{owner}").exists() and postgres.is_running:
            time.sleep(0.1)
    info.unlink(missing_ok=True)


def main(info: Path, owner: int) -> int:
    """Returns when the cluster is up and leaves the keeper behind."""
    keeper = os.fork()
    if keeper == 0:
        keep(info, owner)
        return 0
    while not info.exists():
        if os.waitpid(keeper, os.WNOHANG) != (0, 0):
            return 1
        time.sleep(0.02)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
