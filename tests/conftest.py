"""Real things for tests: a private PostGIS, clones of migrated databases, a running server and a browser."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# before the product, which loads pyogrio without GeoPandas: tests read back with both
import pyogrio  # noqa: F401

# isort: split
import city
import psycopg
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from psycopg import sql
from servers import RunningServer, running
from sqlalchemy import Connection, Engine

from gis_server.core.access import CONSOLE, Role
from gis_server.files.catalogue import load
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.journeys.sample import load_sample
from gis_server.postgis import ROLE, SUPERUSER, PrivateServer
from gis_server.settings import Settings
from gis_server.store.engine import make_engine
from gis_server.store.migrate import upgrade
from gis_server.views import create_app

pytest_plugins = ("county", "phone")

RUN_PREFIX = "gis-suite-"


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
    """Stop the servers of test runs that were killed; a run that begins or is under way holds its locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{RUN_PREFIX}*"):
        server = PrivateServer(folder / "postgres")
        with (
            suppress(OSError),
            (server.folder / "lock").open("r+") as lock,
            (server.folder / "users").open("r+") as users,
        ):
            # in the order of PrivateServer.in_use, and never waiting
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server._stop()
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostGIS server of this test run, fast and forgetful."""
    _remove_abandoned_servers()
    # a short name: the path of a Unix socket has 107 bytes at most
    folder = Path(tempfile.mkdtemp(prefix=RUN_PREFIX))
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


@pytest.fixture(scope="session")
def city_template(databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the made city of ``tests/city.py`` published and its accounts, to clone."""
    name = databases.clone(template, name="template_city")
    url = databases.server.url(name)
    folder = tmp_path_factory.mktemp("city")
    ctx = context(Settings.from_environment({"GIS_VAR": str(folder / "var")}), url)
    city.publish_city(ctx, folder)
    city.add_people(ctx)
    ctx.engine.dispose()
    return name


@pytest.fixture
def city_url(databases: Databases, city_template: str) -> Iterator[str]:
    """A database of this test alone with the made city."""
    with databases.cloned(city_template) as url:
        yield url


@pytest.fixture
def city_ctx(city_url: str, tmp_path: Path) -> Iterator[Context]:
    """The context for journeys on the made city."""
    settings = Settings.from_environment({"GIS_DATABASE_URL": city_url, "GIS_VAR": str(tmp_path / "var")})
    ctx = context(settings, city_url)
    yield ctx
    ctx.engine.dispose()


@pytest.fixture
def app(city_ctx: Context) -> Iterator[Flask]:
    """The HTTP application on the made city."""
    app = create_app(city_ctx.settings, city_ctx)
    yield app
    app.extensions["gis_server"].broadcaster.stop()


# -- the sample city, as `make run` loads it -------------------------------------------------------------------


@pytest.fixture(scope="session")
def sample_template(databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the committed sample city imported and published, to clone."""
    name = databases.clone(template, "template_sample")
    url = databases.server.url(name)
    var = tmp_path_factory.mktemp("sample")
    ctx = context(Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(var)}), url)
    load_sample(ctx, CONSOLE, datetime.now(UTC))
    ctx.engine.dispose()
    return name


@pytest.fixture
def city_database_url(databases: Databases, sample_template: str) -> Iterator[str]:
    """A database of this test alone that holds the sample city."""
    with databases.cloned(sample_template) as url:
        yield url


@pytest.fixture
def sample_ctx(city_database_url: str, tmp_path: Path) -> Iterator[Context]:
    """The context for journeys on the sample city."""
    environ = {"GIS_DATABASE_URL": city_database_url, "GIS_VAR": str(tmp_path / "var")}
    ctx = context(Settings.from_environment(environ), city_database_url)
    yield ctx
    ctx.engine.dispose()


# -- a running server and a browser ---------------------------------------------------------------------------


class LiveServer:
    """A real server process over the sample city, with an account for every role."""

    def __init__(self, server: RunningServer, database_url: str, passwords: dict[Role, str]) -> None:
        self.server = server
        self.url = server.url
        self.database_url = database_url
        self.passwords = passwords
        self._cookies: dict[Role, list[Any]] = {}

    def sign_in(self, page: Page, role: Role) -> None:
        """Sign in as ``role`` by the form, as a person does; from then on by its cookie, for sign-ins are rationed."""
        if role in self._cookies:
            page.context.add_cookies(self._cookies[role])
            page.goto(self.url)
            return
        page.goto(f"{self.url}/sign-in")
        page.fill("input[name=login]", role.value.replace("_", "-"))
        page.fill("input[name=password]", self.passwords[role])
        page.click("form button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        self._cookies[role] = list(page.context.cookies())


@pytest.fixture(scope="session")
def live_server(
    databases: Databases, sample_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """One server for all browser tests; each test reports incidents of its own."""
    var = tmp_path_factory.mktemp("live")
    with databases.cloned(sample_template) as url:
        environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(var)}
        ctx = context(Settings.from_environment(environ), url)
        passwords = {
            role: add_account(
                ctx,
                CONSOLE,
                NewAccount(role.value.replace("_", "-"), role.value, role),
                None,
                datetime.now(UTC),
            )
            for role in Role
            if role is not Role.VISITOR
        }
        ctx.engine.dispose()
        with running("serve", **environ) as server:
            yield LiveServer(server, url, passwords)


SOAKING = ["--js-flags=--single-threaded-gc --min-semi-space-size=64 --max-semi-space-size=64"]
"""For a long soak: collectors that help each other wait for each other, on a busy core longer than the page itself takes."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium without a window: where there is one, the build that has no window to begin with.

    The other paints its tool bars for every page all the same, in processes of their own.
    """
    executable = next(
        (
            found
            for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            + (SOAKING if "GIS_SOAK" in os.environ else []),
        )
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """``new_page(**options)``: a page in a context of its own (``viewport``, ``locale``, ``geolocation`` …).

    When the test is over, no page may have asked another origin for anything or met an error in its scripts.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    origins: set[str] = set()

    def make(**options: object) -> Page:
        given = {
            "viewport": {"width": 1920, "height": 1080},
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
        }
        opened = browser.new_context(**(given | options))  # type: ignore[arg-type]
        contexts.append(opened)
        page = opened.new_page()
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on("request", lambda request: origins.add("/".join(request.url.split("/")[:3])))
        return page

    yield make
    for opened in contexts:
        opened.close()
    web = {origin for origin in origins if origin.startswith(("http:", "https:", "ws:", "wss:"))}
    assert len(web) <= 1, f"more than one origin was asked: {sorted(web)}"
    assert not complaints


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page on a 1920 × 1080 screen of a reader of Chinese."""
    return new_page()


@pytest.fixture
def ctx(engine: Engine, settings: Settings) -> Context:
    """What journeys stand on, over the test's own database."""
    return Context(engine, load(settings.layers), settings)
