"""What all tests share: the choice of database, a fresh one for each test, the private servers.

`pytest --db postgres` runs the same tests on PostgreSQL that `--db sqlite`, the default, runs on
SQLite. A test takes `database_url` (migrated) or `empty_database_url` (nothing in it) and does not
ask which it got; one that is about PostgreSQL alone carries `@pytest.mark.postgres` and takes
`postgres_url`.
"""

import functools
import gc
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

import tests.known_statements
import tests.quick_passwords  # noqa: F401 - makes them quick
from tests.servers.postgres import Cluster, end_shared_cluster, locked

pytest_plugins = ["tests.servers.fixtures"]

# How long an example takes says something about the machine, which runs other tests meanwhile.
hypothesis.settings.register_profile(
    "hub", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("hub")

TEMPLATE = "hub_template"
WIRE = Path(__file__).parent / "wire"
MAIL_FIXTURES = {"dovecot", "postfix", "mailbox", "new_mailbox"}
DATABASES = {"database_url", "empty_database_url", "new_database"}
POSTGRES_FIXTURES = {"postgres_cluster", "postgres_url"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="the database that `database_url` gives (default: sqlite)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not is_worker(config):
        # Workers of pytest-xdist inherit both: one folder, one cluster, one owner for a run.
        os.environ["HUB_TEST_PID"] = str(os.getpid())
        os.environ["HUB_TEST_FOLDER"] = tempfile.mkdtemp(prefix="hub-tests-")
        # Templates are compiled once in a run (under `make test` in all), not once in a test.
        os.environ["HUB_CACHE"] = (
            os.environ.get("HUB_TEST_CACHE") or os.environ["HUB_TEST_FOLDER"] + "/cache"
        )


def pytest_collection(session: pytest.Session) -> None:
    """Whatever is imported stays: to look through all of it for rubbish again and again, here and
    then in the tests, costs every process seconds."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()
    # Seldom: a test's house is made of many small things that live as long as the test does.
    gc.set_threshold(20_000)
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not is_worker(config):
        folder = Path(os.environ["HUB_TEST_FOLDER"])
        end_shared_cluster(folder)
        shutil.rmtree(folder, ignore_errors=True)


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test that takes a server's fixture carries the server's marker without being told, and all
    are spread: see `spread`."""
    if config.getoption("--db") == "postgres":
        # What takes none, or PostgreSQL whatever --db says, would only do again what it does
        # without the option.
        idle = [one for one in items if not DATABASES & set(getattr(one, "fixturenames", ()))]
        items[:] = [one for one in items if DATABASES & set(getattr(one, "fixturenames", ()))]
        config.hook.pytest_deselected(items=idle)
        for one in items:
            if one.get_closest_marker("long"):
                one.add_marker(pytest.mark.soak)
    items[:] = spread(items)
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & MAIL_FIXTURES:
            item.add_marker(pytest.mark.mail)
        if names & POSTGRES_FIXTURES:
            item.add_marker(pytest.mark.postgres)


def spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Lay what mostly waits evenly among what reckons: the slow tests, for leases and lives of
    processes, and those of the wire, for a server's answer or its silence. One beside the other
    they would leave no work to the processors. The slow ones are done at three fifths of the way,
    so that at the end nobody waits for a single one."""
    slow: list[pytest.Item] = []
    wire: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for one in items:
        if one.get_closest_marker("slow"):
            slow.append(one)
        else:
            (wire if WIRE in one.path.parents else others).append(one)
    placed = [
        (share * n / len(some), one)
        for some, share in ((slow, 0.6), (wire, 1), (others, 1))
        for n, one in enumerate(some)
    ]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgres`."""
    return str(request.config.getoption("--db"))


@pytest.fixture
def new_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """`new_database(migrated=True) -> url`: as many databases as a test needs."""
    if database_kind == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        yield from new_postgres_databases(cluster)
    else:
        yield from new_sqlite_databases(tmp_path)


@pytest.fixture
def database_url(new_database: Callable[..., str]) -> str:
    """A fresh migrated database of the kind that --db chose."""
    return new_database()


@pytest.fixture
def empty_database_url(new_database: Callable[..., str]) -> str:
    """A fresh database with nothing in it, of the kind that --db chose."""
    return new_database(migrated=False)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """A fresh migrated PostgreSQL database, whatever --db says."""
    databases = new_postgres_databases(postgres_cluster)
    yield next(databases)()
    databases.close()


def new_postgres_databases(cluster: Cluster) -> Generator[Callable[..., str], None, None]:
    urls = []

    def new(*, migrated: bool = True) -> str:
        while _left_behind:
            cluster.drop_database(_left_behind.pop())
        template = migrated_template(cluster) if migrated else "template1"
        urls.append(cluster.create_database(template=template))
        return urls[-1]

    try:
        yield new
    finally:
        _left_behind.extend(url.rpartition("/")[2] for url in urls)


_left_behind: list[str] = []
"""Databases of tests that are over. Each goes when the next test makes its own: connections that
were closed just now take a moment to end, and PostgreSQL would wait a tenth of a second for them.
The last ones go with the cluster."""


@functools.cache
def migrated_template(cluster: Cluster) -> str:
    """Migrations run once in a test run; every database is a copy of the outcome."""
    with locked(Path(os.environ["HUB_TEST_FOLDER"]) / "template.lock"):
        if not cluster.has_database(TEMPLATE):
            unfinished = f"{TEMPLATE}_unfinished"
            cluster.drop_database(unfinished)
            migrate(cluster.create_database(unfinished))
            cluster.rename_database(unfinished, TEMPLATE)
    return TEMPLATE


def new_sqlite_databases(folder: Path) -> Iterator[Callable[..., str]]:
    count = 0

    def new(*, migrated: bool = True) -> str:
        nonlocal count
        count += 1
        path = folder / ("hub.db" if count == 1 else f"hub{count}.db")
        if migrated:
            shutil.copyfile(migrated_file(), path)
        return f"sqlite:///{path}"

    yield new


@functools.cache
def migrated_file() -> Path:
    folder = Path(os.environ["HUB_TEST_FOLDER"])
    finished = folder / "template.db"
    with locked(folder / "template.lock"):
        if not finished.exists():
            unfinished = folder / "unfinished.db"
            for left_over in folder.glob("unfinished.db*"):
                left_over.unlink()
            migrate(f"sqlite:///{unfinished}")
            # One file must hold everything before it is copied.
            with sqlite3.connect(unfinished) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            unfinished.rename(finished)
    return finished


def migrate(url: str) -> None:
    # Imported here, so that tests of the ground floor do not load the store.
    from crm_store.migrate import migrate as bring_up_to_date

    bring_up_to_date(url)
