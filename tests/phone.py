"""A phone with its report page, and a server of its own to be killed."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import Databases
from playwright.sync_api import Page, expect
from servers import CLEAN, PROGRAM, RunningServer, free_port, worker_pids
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.opening import context
from gis_server.settings import Settings
from gis_server.store.engine import make_engine

PHONE = {"width": 390, "height": 844}
SMALL = {"width": 360, "height": 740}
PASSWORD = "correct horse battery"
CONTROLLED = """() => new Promise((resolve) => {
  const { serviceWorker } = navigator;
  if (serviceWorker.controller) resolve(true);
  else serviceWorker.addEventListener("controllerchange", () => resolve(true), { once: true });
})"""


class Phone:
    """A report page and what a person does with it."""

    sessions: ClassVar[dict[tuple[str, str], list[Any]]] = {}

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def sign_in(self, login: str = "worker") -> None:
        """By the form, as a person does; after the first time by its cookie, for sign-ins are rationed."""
        if (self.url, login) in self.sessions:
            self.page.context.add_cookies(self.sessions[self.url, login])
            self.page.goto(f"{self.url}/report")
        else:
            self.page.goto(f"{self.url}/sign-in?next=/report")
            self.page.fill("[name=login]", login)
            self.page.fill("[name=password]", PASSWORD)
            self.page.click("form button[type=submit]")
            self.page.wait_for_url("**/report")
            self.sessions[self.url, login] = list(self.page.context.cookies())
        # once visited, the page is on the phone
        self.page.evaluate(CONTROLLED)

    def open(self) -> None:
        self.page.goto(f"{self.url}/report")
        expect(self.page.locator("#sources label").first).to_be_visible()
        expect(self.page.locator("#map canvas").first).to_be_attached()
        self.page.wait_for_timeout(600)

    def choose(self) -> None:
        """Tap the middle of the map, which shows the worker's own community."""
        self.page.locator("#map").scroll_into_view_if_needed()
        box = self.page.locator("#map").bounding_box()
        assert box is not None
        self.page.tap("#map", position={"x": box["width"] / 2, "y": box["height"] / 2})
        expect(self.page.locator(".place-words")).to_be_visible()

    def report(self, description: str, *photos: bytes) -> None:
        self.choose()
        self.page.fill("#description", description)
        if photos:
            files = [
                {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": p} for n, p in enumerate(photos)
            ]
            self.page.set_input_files("#photo", files)  # type: ignore[arg-type]
            expect(self.page.locator(".photo")).to_have_count(len(photos))
        self.page.tap("#submit")
        expect(self.page.locator("#answer")).to_be_visible()

    def row(self, standing: str) -> Any:
        return self.page.locator(f".outbox-row[data-standing={standing}]")

    def picture(self, name: str) -> None:
        folder = os.environ.get("PICTURES")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


class Deployment:
    """A server of its own on a fixed port, to be killed and started again."""

    def __init__(self, url: str, var: Path) -> None:
        self.database_url = url
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: RunningServer | None = None

    def start(self) -> None:
        environ = CLEAN | {"GIS_DATABASE_URL": self.database_url, "GIS_VAR": str(self.var)}
        log = (self.var / "server.log").open("ab")
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", str(self.port)],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.server = RunningServer(process, self.port, log, environ)
        self.server.wait_until_ready()

    def kill(self) -> None:
        """kill -9 of the program and its workers, by their ids."""
        assert self.server is not None
        workers = worker_pids(self.server)
        self.server.kill()
        self.server.log.close()
        for pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        end = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < end:
            time.sleep(0.05)
        self.server = None

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        engine = make_engine(self.database_url, pool_size=1)
        try:
            with engine.connect() as conn:
                return [tuple(row) for row in conn.execute(text(query), values)]
        finally:
            engine.dispose()

    def recorded(self, description: str) -> list[tuple[object, ...]]:
        """Number, key and how many photos of the incidents with this text."""
        return self.rows(
            "SELECT number, idempotency_key, (SELECT count(*) FROM photo WHERE incident_id = i.id)"
            " FROM incident i WHERE description = :description",
            description=description,
        )


@pytest.fixture(scope="module")
def deployment(
    databases: Databases, sample_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    var = tmp_path_factory.mktemp("phone")
    with databases.cloned(sample_template) as url:
        ctx = context(Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(var)}), url)
        with ctx.engine.connect() as conn:
            community = conn.execute(
                text("SELECT min(area_code) FROM area WHERE admin_level = 'community'")
            ).scalar_one()
        for login in ("worker", "second", "third", "fourth"):
            new = NewAccount(login, f"网格员{login}", Role.GRID_WORKER, community)
            add_account(ctx, CONSOLE, new, PASSWORD, datetime.now(UTC))
        ctx.engine.dispose()
        deployment = Deployment(url, var)
        deployment.start()
        yield deployment
        if deployment.server is not None:
            deployment.server.stop()
            deployment.server.log.close()


@pytest.fixture
def phone(deployment: Deployment, new_page: Callable[..., Page]) -> Phone:
    if deployment.server is None:
        deployment.start()
    return Phone(new_page(viewport=PHONE, has_touch=True), deployment.url)


def wait_for(check: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
