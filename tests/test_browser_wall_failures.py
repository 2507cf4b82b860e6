"""What a wall does when something breaks behind it: it says so, and recovers by itself with no event lost or doubled."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect
from servers import RunningServer, running

from gis_server.core.access import CONSOLE, Role
from gis_server.core.incident import IncidentReport, Source
from gis_server.journeys import incidents
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.store.incidents import open_places

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"

SAYS_SO_S = 20
"""Silence of two heartbeats and a margin; a heartbeat was at most 5 s old when it broke."""

COUNT_NEW = """() => {
  window.neverReloaded = true
  window.arrived = []
  const seen = (row) => row.classList.contains('is-new') && window.arrived.push(row.dataset.number)
  new MutationObserver((changes) => changes.forEach(({target}) => seen(target)))
    .observe(document.getElementById('live'), {attributeFilter: ['class'], subtree: true})
}"""


@pytest.fixture
def home(sample_ctx: Context) -> Iterator[tuple[RunningServer, Context, str]]:
    """A server of this test's own over the sample city, and an operator's password."""
    account = NewAccount("operator", "operator", Role.OPERATOR)
    password = add_account(sample_ctx, CONSOLE, account, None, datetime.now(UTC))
    environ = {
        "GIS_DATABASE_URL": str(sample_ctx.settings.database_url),
        "GIS_VAR": str(sample_ctx.settings.var),
    }
    with running("serve", **environ) as server:
        yield server, sample_ctx, password


def open_wall(server: RunningServer, page: Page, password: str) -> None:
    page.goto(f"{server.url}/sign-in")
    page.fill("input[name=login]", "operator")
    page.fill("input[name=password]", password)
    page.click("form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    with page.expect_response(re.compile("/grid/features")):
        page.goto(f"{server.url}/wall/city?scene=overview")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.evaluate(COUNT_NEW)


def report(ctx: Context, words: str) -> str:
    with ctx.engine.connect() as conn:
        lon, lat = open_places(conn)[0]
    given = IncidentReport(lon=float(lon), lat=float(lat), description=words, source=Source.PATROL)
    return incidents.report(ctx, CONSOLE, given, datetime.now(UTC)).incident.number


def test_a_killed_server(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server, page, password)
    before = int(page.inner_text("#open"))
    server.kill()
    connection = page.locator("#connection")
    expect(connection).to_have_attribute("data-state", "stale", timeout=SAYS_SO_S * 1000)
    expect(page.locator("body")).to_have_class(re.compile("is-stale"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "wall-stale.png")
    number = report(ctx, "断开期间")
    with restarted(server):
        expect(connection).to_have_attribute("data-state", "live", timeout=60_000)
        expect(page.locator(f"#live li[data-number='{number}']")).to_be_visible(timeout=20_000)
        expect(page.locator("#open")).to_have_text(str(before + 1))
        expect(page.locator("body")).not_to_have_class(re.compile("is-stale"))
        assert page.evaluate("window.neverReloaded") is True


def restarted(server: RunningServer) -> Any:
    """The same server again, on its port."""
    return running("serve", port=server.port, **server.environ)


def test_a_database_that_does_not_answer(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server, page, password)
    connection = page.locator("#connection")
    url = ctx.engine.url
    name = str(url.database)
    ctx.engine.dispose()
    with psycopg.connect(
        url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False),
        autocommit=True,
    ) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        broken = time.monotonic()
        # the server lives and its stream beats, yet nothing new can be known: that must not look like news
        expect(connection).to_have_attribute("data-state", "stale", timeout=SAYS_SO_S * 1000)
        print(f"database gone, said after {time.monotonic() - broken:.1f} s")
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    number = report(ctx, "恢复之后")
    expect(connection).to_have_attribute("data-state", "live", timeout=40_000)
    expect(page.locator(f"#live li[data-number='{number}']")).to_be_visible(timeout=20_000)
    assert page.evaluate("window.neverReloaded") is True


def test_a_burst_is_shown_whole_and_once(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server, page, password)
    before = int(page.inner_text("#open"))
    numbers = [report(ctx, f"第 {n} 件") for n in range(120)]
    expect(page.locator("#open")).to_have_text(str(before + len(numbers)), timeout=20_000)
    expect(page.locator("#live li").first).to_have_attribute("data-number", numbers[-1])
    arrived = page.evaluate("window.arrived")
    assert len(arrived) == len(set(arrived))
    # the server's own count says the same
    with page.expect_response(re.compile(r"/api/wall/city$"), timeout=80_000):
        pass
    expect(page.locator("#open")).to_have_text(str(before + len(numbers)))


def test_a_clock_that_jumps(home: tuple[RunningServer, Context, str], new_page: Callable[..., Page]) -> None:
    server, ctx, password = home
    page = new_page()
    page.clock.install()
    open_wall(server, page, password)
    page.clock.set_system_time(datetime.now(UTC).replace(year=datetime.now(UTC).year - 3))
    page.wait_for_timeout(6_500)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    shown = page.inner_text("#clock")
    hours, minutes, _ = (int(part) for part in shown.split(":"))
    now = datetime.now(ctx.settings.timezone)
    assert abs((hours * 60 + minutes) - (now.hour * 60 + now.minute)) % (24 * 60) <= 1
    number = report(ctx, "跳时之后")
    expect(page.locator(f"#live li[data-number='{number}'] time")).to_have_text("刚刚")
