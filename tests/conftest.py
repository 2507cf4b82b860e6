"""Real things for tests: a private PostGIS, clones of migrated databases, a running server and a browser."""

import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine

from gis_server.postgis import ROLE, SUPERUSER, PrivateServer
from gis_server.settings import Settings
from gis_server.store.engine import make_engine
from gis_server.store.migrate import upgrade


class Databases:
    """Databases of one throw-away server, made by cloning."""

    def __init__(self, server: PrivateServer) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    def clone(self, template: str = "gis_server", name: str | None = None) -> str:
        """A new database like ``template``; its name."""
        name = name or f"test_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {} OWNER {}", name, template, ROLE)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, cutting off whoever is still connected."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    @contextmanager
    def cloned(self, template: str) -> Iterator[str]:
        """The URL of a clone that lives as long as the block."""
        name = self.clone(template)
        try:
            yield self.server.url(name)
        finally:
            self.drop(name)

    def _run(self, statement: str, *names: str) -> None:
        host = str(self.server.socket_folder)
        with psycopg.connect(host=host, user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _remove_abandoned_servers() -> None:
    """Stop the servers of test runs that were killed; a run still under way holds its lock."""
    for folder in Path(tempfile.gettempdir()).glob("gis-test-*"):
        with suppress(OSError), (folder / "postgres/users").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            PrivateServer(folder / "postgres").stop()
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostGIS server of this test run, fast and forgetful."""
    _remove_abandoned_servers()
    # a short name: the path of a Unix socket has 107 bytes at most
    folder = Path(tempfile.mkdtemp(prefix="gis-test-"))
    server = PrivateServer(folder / "postgres", durable=False)
    with server.in_use():
        yield Databases(server)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """The name of a database with PostGIS and the schema, to clone."""
    name = databases.clone(name="template_migrated")
    upgrade(databases.server.url(name))
    return name


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database with PostGIS and nothing else."""
    with databases.cloned("gis_server") as url:
        yield url


@pytest.fixture
def database_url(databases: Databases, template: str) -> Iterator[str]:
    """A migrated, empty database of this test alone."""
    with databases.cloned(template) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A pool on the test's own database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _shared_engine(databases: Databases, template: str) -> Iterator[Engine]:
    with databases.cloned(template) as url:
        engine = make_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def connection(_shared_engine: Engine) -> Iterator[Connection]:
    """A connection to a migrated, empty database whose transaction is rolled back (2 ms instead of a clone)."""
    with _shared_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A deployment of its own: the test's database, and ``var`` in a temporary folder."""
    return Settings.from_environment({"GIS_DATABASE_URL": database_url, "GIS_VAR": str(tmp_path / "var")})
