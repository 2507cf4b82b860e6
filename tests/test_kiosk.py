"""The start script of a wall's screen: a browser that is killed or whose page crashes comes back with the map, without a hand."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from gis_server.core.access import Role

SCRIPT = Path(__file__).parents[1] / "scripts" / "kiosk" / "gis-server-wall"
BROWSER = shutil.which("chromium") or "chromium"

BACK_S = 10
"""A killed browser, or one whose page crashed, shows the map again within so many seconds."""

PAINTED = """() => {
  const canvas = document.querySelector('.leaflet-features-pane canvas')
  if (!canvas || document.getElementById('connection').dataset.state !== 'live') return false
  const {width, height} = canvas
  return canvas.getContext('2d').getImageData(width / 2 - 32, height / 2 - 32, 64, 64).data.some((value) => value > 0)
}"""
"""The wall is live and its grids are painted in the middle of its map."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def descendants(pid: int) -> Iterator[int]:
    """The process ids below ``pid``, nearest first."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    for child in listed.read_text().split() if listed.exists() else ():
        yield int(child)
        yield from descendants(int(child))


def until(what: Callable[[], bool], seconds: float) -> float:
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds, "waited in vain"
        time.sleep(0.1)
    return time.monotonic() - begun


@pytest.fixture
def wall_link(live_server: Any, new_page: Callable[..., Page]) -> str:
    desk = new_page()
    live_server.sign_in(desk, Role.OPERATOR)
    headers = {"X-CSRFToken": desk.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    made = desk.request.post(
        f"{live_server.url}/api/wall-links", data={"wall_id": "city", "label": "kiosk"}, headers=headers
    ).json()
    return str(made["url"])


def test_a_killed_browser_and_a_crashed_page_come_back_with_the_map(
    wall_link: str, browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    flags = (
        f"--headless=new --no-sandbox --disable-gpu --remote-debugging-port={port} --window-size=1920,1080"
    )
    environment = {
        **os.environ,
        "GIS_WALL_URL": wall_link,
        "GIS_WALL_PROFILE": str(tmp_path / "profile"),
        "GIS_WALL_BROWSER": BROWSER,
        "GIS_WALL_FLAGS": flags,
    }
    script = subprocess.Popen([SCRIPT], env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        shows_the_map(browser, port, 60)
        for how in ("page crashed", "browser killed"):
            first = next(pid for pid in descendants(script.pid) if is_browser(pid))
            gone = time.monotonic()
            if how == "browser killed":
                os.kill(first, signal.SIGKILL)
            else:
                crash_the_page(browser, port)
            until(lambda pid=first: not Path(f"/proc/{pid}").exists(), 10)  # type: ignore[misc]
            shows_the_map(browser, port, 30)
            back = time.monotonic() - gone
            print(f"{how}, map after {back:.1f} s")
            assert back <= BACK_S
    finally:
        os.killpg(script.pid, signal.SIGKILL)
        script.wait()


def is_browser(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline")
    words = command.read_bytes().split(b"\0") if command.exists() else []
    return any(word.startswith(b"--remote-debugging-port") for word in words)


@contextmanager
def wall_page(browser: Browser, port: int, seconds: float) -> Iterator[Page]:
    """The wall on the script's browser."""
    opened: list[Browser] = []

    def connects() -> bool:
        try:
            opened.append(browser.browser_type.connect_over_cdp(f"http://127.0.0.1:{port}"))
        except PlaywrightError:
            return False
        return True

    until(connects, seconds)
    context = opened[0].contexts[0]
    until(lambda: any("/wall/" in page.url for page in context.pages), seconds)
    yield next(page for page in context.pages if "/wall/" in page.url)
    with suppress(PlaywrightError):  # it may be gone
        opened[0].close()


def shows_the_map(browser: Browser, port: int, seconds: float) -> None:
    """Wait until the wall is live and has painted its grids."""
    with wall_page(browser, port, seconds) as page:
        page.wait_for_function(PAINTED, timeout=1_000 * seconds)
        # the browser speaks the language of the machine
        expect(page.locator("#legend")).to_contain_text(re.compile("网格|Grids"))


def crash_the_page(browser: Browser, port: int) -> None:
    """What shows the page ends, the browser itself goes on."""
    with wall_page(browser, port, 10) as page, suppress(PlaywrightError):
        page.context.new_cdp_session(page).send("Page.crash")


def test_the_script_says_what_it_needs(tmp_path: Path) -> None:
    without = {name: value for name, value in os.environ.items() if not name.startswith("GIS_WALL")}
    ended = subprocess.run([SCRIPT], env=without, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "GIS_WALL_URL" in ended.stderr
