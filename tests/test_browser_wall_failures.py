"""What a wall does when something breaks behind it: it says so within 15 s, and recovers by itself with no event lost or doubled."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cable import Cable
from playwright.sync_api import Page, expect
from servers import RunningServer, running

from gis_server.core.access import CONSOLE, Role
from gis_server.core.incident import IncidentReport, Source
from gis_server.journeys import incidents
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.store.incidents import open_places

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"

SAYS_SO_S = 15
BURST = 500

COUNT_NEW = """() => {
  window.neverReloaded = true
  window.arrived = []
  const seen = (row) => row.classList.contains('is-new') && window.arrived.push(row.dataset.number)
  new MutationObserver((changes) => changes.forEach(({target}) => seen(target)))
    .observe(document.getElementById('live'), {attributeFilter: ['class'], subtree: true})
}"""

SERVER_SAYS = """async () => {
  const {figures, incidents} = await (await fetch('/api/wall/city')).json()
  return {open: figures.open, numbers: incidents.features.map(({properties}) => properties.number)}
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


@pytest.fixture
def cable(home: tuple[RunningServer, Context, str]) -> Iterator[Cable]:
    cable = Cable(home[0].port)
    yield cable
    cable.close()


def open_wall(url: str, page: Page, password: str) -> None:
    page.goto(f"{url}/sign-in")
    page.fill("input[name=login]", "operator")
    page.fill("input[name=password]", password)
    page.click("form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    with page.expect_response(re.compile("/statistics")):
        page.goto(f"{url}/wall/city?scene=overview")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#open")).to_have_text(re.compile(r"\d"))
    page.evaluate(COUNT_NEW)


def report(ctx: Context, words: str) -> str:
    with ctx.engine.connect() as conn:
        lon, lat = open_places(conn)[0]
    given = IncidentReport(lon=float(lon), lat=float(lat), description=words, source=Source.PATROL)
    return incidents.report(ctx, CONSOLE, given, datetime.now(UTC)).incident.number


def says_so(page: Page, broken: float, what: str) -> None:
    """Wait until the wall says that what it shows is old; that takes 15 s at most."""
    expect(page.locator("#connection")).to_have_attribute("data-state", "stale", timeout=SAYS_SO_S * 1000)
    expect(page.locator("body")).to_have_class(re.compile("is-stale"))
    took = time.monotonic() - broken
    print(f"{what}: said after {took:.1f} s")
    assert took <= SAYS_SO_S


def recovers(page: Page, before: int, numbers: list[str]) -> None:
    """Wait until the wall is live and shows ``numbers`` beside the ``before`` open ones, each once, as the server counts them."""
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=60_000)
    expect(page.locator(f"#live li[data-number='{numbers[-1]}']")).to_be_visible(timeout=20_000)
    expect(page.locator("#open")).to_have_text(str(before + len(numbers)))
    expect(page.locator("body")).not_to_have_class(re.compile("is-stale"))
    server = page.evaluate(SERVER_SAYS)
    assert server["open"] == before + len(numbers)
    assert set(numbers) <= set(server["numbers"])
    arrived = page.evaluate("window.arrived")
    assert len(arrived) == len(set(arrived)), "shown as new twice"
    assert page.evaluate("window.neverReloaded") is True


def test_a_killed_server(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server.url, page, password)
    before = int(page.inner_text("#open"))
    early = report(ctx, "断开之前")
    expect(page.locator(f"#live li[data-number='{early}']")).to_be_visible()
    server.kill()
    says_so(page, time.monotonic(), "server killed")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "wall-stale.png")
    missed = [report(ctx, "断开期间") for _ in range(3)]
    with restarted(server):
        recovers(page, before, [early, *missed])


def restarted(server: RunningServer) -> Any:
    """The same server again, on its port."""
    return running("serve", port=server.port, **server.environ)


def test_a_database_that_does_not_answer(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server.url, page, password)
    other = page.context.new_page()
    before = int(page.inner_text("#open"))
    url = ctx.engine.url
    name = str(url.database)
    ctx.engine.dispose()
    with psycopg.connect(
        url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False),
        autocommit=True,
    ) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        # the server lives and its stream beats, yet nothing new can be known: that must not look like news
        says_so(page, time.monotonic(), "database gone")
        # a screen that is switched on now
        other.goto(f"{server.url}/wall/city?scene=overview")
        expect(other.get_by_role("heading")).to_have_text("暂时不可用")
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    recovers(page, before, [report(ctx, "恢复之后") for _ in range(3)])
    expect(other.locator("#connection")).to_have_attribute("data-state", "live", timeout=10_000)


def test_a_network_that_is_cut(
    home: tuple[RunningServer, Context, str], cable: Cable, new_page: Callable[..., Page]
) -> None:
    _, ctx, password = home
    page = new_page()
    page.clock.install()
    open_wall(cable.url, page, password)
    before = int(page.inner_text("#open"))
    cable.pull()
    # what is old stays old though the screen's own clock is set back meanwhile
    page.clock.set_system_time(datetime.now(UTC).replace(year=datetime.now(UTC).year - 3))
    says_so(page, time.monotonic(), "network cut")
    missed = [report(ctx, "断线期间") for _ in range(3)]
    cable.plug()
    recovers(page, before, missed)


def test_a_burst_is_shown_whole_and_once(home: tuple[RunningServer, Context, str], page: Page) -> None:
    server, ctx, password = home
    open_wall(server.url, page, password)
    before = int(page.inner_text("#open"))
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda n: report(ctx, f"第 {n} 件"), range(BURST)))
    print(f"{BURST} incidents in {time.monotonic() - begun:.1f} s")
    # whoever waited for his number may have seen his incident before others did
    last = page.evaluate(SERVER_SAYS)["numbers"][0]
    assert last in numbers
    recovers(page, before, [*(number for number in numbers if number != last), last])
    # no rest of it comes later
    page.wait_for_timeout(2_000)
    expect(page.locator("#open")).to_have_text(str(before + BURST))


def test_a_clock_that_jumps(home: tuple[RunningServer, Context, str], new_page: Callable[..., Page]) -> None:
    server, ctx, password = home
    page = new_page()
    page.clock.install()
    open_wall(server.url, page, password)
    before = int(page.inner_text("#open"))
    page.clock.set_system_time(datetime.now(UTC).replace(year=datetime.now(UTC).year - 3))
    page.wait_for_timeout(6_500)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    shown = page.inner_text("#clock")
    hours, minutes, _ = (int(part) for part in shown.split(":"))
    now = datetime.now(ctx.settings.timezone)
    assert abs((hours * 60 + minutes) - (now.hour * 60 + now.minute)) % (24 * 60) <= 1
    number = report(ctx, "跳时之后")
    expect(page.locator(f"#live li[data-number='{number}'] time")).to_have_text("刚刚")
    recovers(page, before, [number])
