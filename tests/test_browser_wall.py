"""The big screen in a real browser: what it shows, how it is laid out, and that a report reaches it at once."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, expect

from gis_server.core.access import Role

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"

LAYOUT = """() => {
  const rect = (e) => { const {left, top, right, bottom} = e.getBoundingClientRect(); return {left, top, right, bottom} }
  const visible = (e) => e.checkVisibility({visibilityProperty: true})
  const boxes = [...document.querySelectorAll('.wall-bar, .panel, .wall-legend, .wall-call')].filter(visible)
    .map((e) => ({name: e.className + ' ' + (e.getAttribute('aria-labelledby') ?? ''), ...rect(e)}))
  const cut = [...document.querySelectorAll('.panel, .wall-bar, .wall-legend, .figure, .panel h2')].filter(visible)
    .filter((e) => e.scrollWidth > e.clientWidth + 1 || (e.matches('.panel, .wall-legend') && e.scrollHeight > e.clientHeight + 1))
    .map((e) => e.className)
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  let smallest = Infinity
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    if (texts.currentNode.data.trim() && !element.closest('script, style') && visible(element)) {
      smallest = Math.min(smallest, parseFloat(getComputedStyle(element).fontSize))
    }
  }
  let onMap = 0, all = 0
  for (let x = 5; x < innerWidth; x += 10) for (let y = 5; y < innerHeight; y += 10) {
    all += 1
    if (document.elementFromPoint(x, y)?.closest('#map')) onMap += 1
  }
  return {boxes, cut, smallest, map: onMap / all, width: innerWidth, height: innerHeight,
          scrolls: document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight}
}"""


SCENES = ("overview", "now", "towns", "deadlines", "cameras", "heat", "replay", "ranking")


def open_wall(
    live_server: Any, page: Page, wall: str = "city", scene: str = "overview", more: str = ""
) -> None:
    """Sign in as an operator and wait until the wall is live and its grids are drawn."""
    live_server.sign_in(page, Role.OPERATOR)
    show(live_server, page, f"{wall}?scene={scene}{more}")


def show(live_server: Any, page: Page, address: str) -> None:
    """Open a wall and wait until it is live, its grids are drawn and its panels have counts."""
    with (
        page.expect_response(re.compile(r"/statistics")),
        page.expect_response(re.compile(r"/grid/features")),
    ):
        page.goto(f"{live_server.url}/wall/{address}")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#legend")).to_contain_text("网格")


def a_place_inside_a_grid(page: Page, live_server: Any) -> tuple[dict[str, Any], float, float]:
    """Properties of one grid, and a point (lon, lat) well inside it."""
    grids = page.request.get(f"{live_server.url}/api/layers/grid/features").json()["features"]
    widest = max(grids, key=lambda grid: shapely.geometry.shape(grid["geometry"]).area)
    point = shapely.geometry.shape(widest["geometry"]).representative_point()
    return widest["properties"], point.x, point.y


def test_a_report_from_a_phone_reaches_the_wall_within_a_second(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page()
    open_wall(live_server, wall)
    wall.evaluate("window.neverReloaded = true")
    before = int(wall.inner_text("#open"))
    grid, lon, lat = a_place_inside_a_grid(wall, live_server)

    phone = new_page(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        geolocation={"longitude": lon, "latitude": lat, "accuracy": 12},
        permissions=["geolocation"],
    )
    live_server.sign_in(phone, Role.GRID_WORKER)
    phone.goto(f"{live_server.url}/report")
    phone.tap("#locate")
    expect(phone.locator("#place")).to_contain_text(grid["grid_name"])
    phone.fill("#description", "人行道井盖缺失，已放置警示物")
    phone.tap(".choice-urgent")
    with phone.expect_response(lambda r: r.request.method == "POST") as answered:
        phone.tap("#submit")
    recorded_at = time.monotonic()
    incident = answered.value.json()
    assert answered.value.status == 201
    row = wall.locator(f"#live li[data-number='{incident['number']}']")
    expect(row).to_be_visible(timeout=1_000)
    assert time.monotonic() - recorded_at < 1
    expect(row).to_contain_text(grid["grid_name"])
    expect(wall.locator("#open")).to_have_text(str(before + 1))
    expect(wall.locator(".pulse").first).to_be_attached()
    assert wall.evaluate("window.neverReloaded") is True

    expect(phone.locator("#answer")).to_contain_text(incident["number"])
    expect(phone.locator("#answer")).to_contain_text(grid["grid_name"])
    # what the whole hall reads must not hold the text of the report
    expect(wall.locator("body")).not_to_contain_text("井盖")


@pytest.mark.parametrize(
    ("width", "height", "least_text", "least_map"),
    [(1920, 1080, 14, 0.6), (3840, 2160, 28, 0.6), (2560, 1080, 14, 0.6), (1080, 1920, 14, 0.5)],
)
def test_the_wall_fits_its_screen(
    live_server: Any,
    new_page: Callable[..., Page],
    width: int,
    height: int,
    least_text: float,
    least_map: float,
) -> None:
    page = new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    open_wall(live_server, page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"wall-{width}x{height}.png")
    found = page.evaluate(LAYOUT)
    assert found["smallest"] >= least_text - 0.01
    assert found["map"] >= least_map
    assert_fits(found, width, height)


def assert_fits(found: dict[str, Any], width: int, height: int) -> None:
    """Nothing scrolls, is cut off, leaves the screen or lies over another box."""
    assert not found["scrolls"]
    assert found["cut"] == []
    boxes = found["boxes"]
    for box in boxes:
        assert box["left"] >= 0, box
        assert box["top"] >= 0, box
        assert box["right"] <= width + 1, box
        assert box["bottom"] <= height + 1, box
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = (
                one["right"] <= other["left"] + 1
                or other["right"] <= one["left"] + 1
                or one["bottom"] <= other["top"] + 1
                or other["bottom"] <= one["top"] + 1
            )
            assert apart, (one, other)


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_fits_and_says_what_it_shows(
    live_server: Any, new_page: Callable[..., Page], scene: str
) -> None:
    page = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    open_wall(live_server, page, scene=scene)
    expect(page.locator("#wall")).to_have_attribute("data-scene", scene)
    expect(page.locator("#scene")).not_to_be_empty()
    page.wait_for_timeout(300)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"wall-scene-{scene}.png")
    assert_fits(page.evaluate(LAYOUT), 1920, 1080)
    page.set_viewport_size({"width": 1080, "height": 1920})
    page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"wall-scene-{scene}-upright.png")
    assert_fits(page.evaluate(LAYOUT), 1080, 1920)
    charts = page.locator(".chart")
    assert charts.count() == page.locator(".chart canvas").count()


def test_the_tour_goes_on_by_itself_and_screens_of_one_wall_change_together(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    left = new_page(viewport={"width": 1280, "height": 1080}, reduced_motion="reduce")
    live_server.sign_in(left, Role.OPERATOR)
    tour = left.request.get(f"{live_server.url}/api/wall/city").json()["tour"]
    short = [{**scene, "seconds": 5} for scene in tour["scenes"] if scene["key"] in ("overview", "heat")]
    headers = {"X-CSRFToken": left.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    saved = left.request.put(
        f"{live_server.url}/api/wall/city/tour",
        data={"takeover_seconds": 5, "sound": False, "scenes": short},
        headers=headers,
    )
    assert saved.ok
    try:
        right = left.context.new_page()
        for number, screen in enumerate((left, right), start=1):
            screen.set_viewport_size({"width": 1280, "height": 1080})
            show(live_server, screen, f"city?screen={number}of2")
            screen.evaluate(
                """() => {
                  window.changes = []
                  const look = () => window.changes.push([document.getElementById('wall').dataset.scene, Date.now()])
                  new MutationObserver(look).observe(document.getElementById('wall'), {attributeFilter: ['data-scene']})
                }"""
            )
        left.wait_for_timeout(16_000)
        for screen in (left, right):
            screen.screenshot(path=SCREENSHOTS / f"wall-spliced-{1 + (screen is right)}.png")
        seen = [screen.evaluate("window.changes") for screen in (left, right)]
        assert min(len(changes) for changes in seen) >= 2
        drift = [
            min(abs(moment - other) for name, other in seen[1] if name == scene)
            for scene, moment in seen[0][-2:]
        ]
        # the better one: a browser on a busy machine is late by itself now and then
        assert min(drift) <= 100, seen
        # one picture: the right screen begins where the left one ends
        widths = [
            screen.evaluate("document.body.getBoundingClientRect().toJSON()") for screen in (left, right)
        ]
        assert widths[0]["left"] == 0
        assert widths[1]["left"] == -1280
        assert {box["width"] for box in widths} == {2560}
    finally:
        left.request.delete(f"{live_server.url}/api/wall/city/tour", headers=headers)


def test_an_urgent_incident_takes_the_wall_over_until_the_desk_acknowledges_it(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    open_wall(live_server, wall, scene="ranking")
    grid, lon, lat = a_place_inside_a_grid(wall, live_server)
    headers = {"X-CSRFToken": wall.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    report = {
        "lon": lon,
        "lat": lat,
        "datum": "cgcs2000",
        "description": "燃气泄漏",
        "source": "public",
        "urgent": True,
    }
    made = wall.request.post(f"{live_server.url}/api/incidents", data=report, headers=headers).json()
    call = wall.locator("#call")
    expect(call).to_be_visible(timeout=1_000)
    expect(call).to_contain_text(grid["grid_name"])
    expect(wall.locator("#waiting")).to_be_visible()
    wall.wait_for_timeout(400)
    wall.screenshot(path=SCREENSHOTS / "wall-call.png")
    assert_fits(wall.evaluate(LAYOUT), 1920, 1080)
    # a screen that is switched on meanwhile shows the call as well
    other = wall.context.new_page()
    show(live_server, other, "city")
    expect(other.locator("#call")).to_be_visible()
    desk = wall.context.new_page()
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.goto(f"{live_server.url}/incidents/{made['id']}")
    desk.get_by_role("button", name="签收").click()
    expect(desk.get_by_role("button", name="签收")).to_have_count(0)
    for screen in (wall, other):
        expect(screen.locator("#call")).to_be_hidden(timeout=2_000)
    expect(wall.locator("#wall")).to_have_attribute("data-scene", "ranking")
    expect(wall.locator("body")).not_to_contain_text("燃气")


def test_the_desk_sends_a_scene(live_server: Any, new_page: Callable[..., Page]) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    live_server.sign_in(wall, Role.OPERATOR)
    show(live_server, wall, "city")
    headers = {"X-CSRFToken": wall.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    sent = {"scene": "cameras", "seconds": 5}
    assert (
        wall.request.post(f"{live_server.url}/api/wall/city/scene", data=sent, headers=headers).status == 204
    )
    expect(wall.locator("#wall")).to_have_attribute("data-scene", "cameras", timeout=1_000)
    expect(wall.locator("#wall")).not_to_have_attribute("data-scene", "cameras", timeout=8_000)


class Cable:
    """A network cable between browser and server: pulled, it lets nothing through and closes nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_pulled = False
        self.sockets: list[socket.socket] = []
        self.end = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.end.getsockname()[1]}"
        self.acceptor = Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def pull(self) -> None:
        self.is_pulled = True

    def plug(self) -> None:
        """Put it back; what hung in the meantime is dead."""
        self._drop()
        self.is_pulled = False

    def close(self) -> None:
        self.end.shutdown(socket.SHUT_RDWR)  # wakes the one that waits in accept
        self.acceptor.join()
        self.end.close()
        self._drop()

    def _drop(self) -> None:
        for one in self.sockets:
            one.close()
        self.sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser = self.end.accept()[0]
                self.sockets.append(browser)
                if not self.is_pulled:
                    server = socket.create_connection(("127.0.0.1", self.port))
                    self.sockets.append(server)
                    Thread(target=self._pump, args=(browser, server), daemon=True).start()
                    Thread(target=self._pump, args=(server, browser), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.is_pulled:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(live_server: Any) -> Iterator[Cable]:
    cable = Cable(int(live_server.url.rsplit(":", 1)[1]))
    yield cable
    cable.close()


def test_a_wall_that_was_cut_off_says_so_and_catches_up(
    live_server: Any, cable: Cable, new_page: Callable[..., Page]
) -> None:
    wall = new_page()
    live_server.sign_in(wall, Role.OPERATOR)
    _, lon, lat = a_place_inside_a_grid(wall, live_server)
    token = wall.request.get(f"{live_server.url}/api/session").json()["csrf_token"]
    screen = wall.context.new_page()  # the cookie is the host's, so the screen behind the cable is signed in
    screen.goto(f"{cable.url}/wall/city?scene=overview")
    connection = screen.locator("#connection")
    expect(connection).to_have_attribute("data-state", "live")
    screen.evaluate("window.neverReloaded = true")
    cable.pull()
    pulled_at = time.monotonic()
    expect(connection).to_have_attribute("data-state", "stale", timeout=25_000)
    assert time.monotonic() - pulled_at < 18, (
        "silence of 12 s counts as a loss, a heartbeat is at most 5 s old"
    )
    expect(screen.locator("body")).to_have_class(re.compile("is-stale"))
    reported = wall.request.post(
        f"{live_server.url}/api/incidents",
        data={
            "lon": lon,
            "lat": lat,
            "datum": "cgcs2000",
            "description": "断线期间的事件",
            "source": "public",
        },
        headers={"X-CSRFToken": token},
    )
    assert reported.status == 201
    cable.plug()
    expect(connection).to_have_attribute("data-state", "live", timeout=30_000)
    expect(screen.locator(f"#live li[data-number='{reported.json()['number']}']")).to_be_visible()
    expect(screen.locator("body")).not_to_have_class(re.compile("is-stale"))
    assert screen.evaluate("window.neverReloaded") is True


def test_a_wall_behind_a_proxy_that_breaks_streams_asks_instead(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    live_server.sign_in(wall, Role.OPERATOR)
    wall.route("**/api/events*", lambda route: route.abort())
    wall.goto(f"{live_server.url}/wall/city?scene=overview")
    expect(wall.locator("#connection")).to_have_attribute("data-state", "polling", timeout=40_000)
    _, lon, lat = a_place_inside_a_grid(wall, live_server)
    headers = {"X-CSRFToken": wall.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    report = {"lon": lon, "lat": lat, "datum": "cgcs2000", "description": "路灯不亮", "source": "public"}
    made = wall.request.post(f"{live_server.url}/api/incidents", data=report, headers=headers).json()
    expect(wall.locator(f"#live li[data-number='{made['number']}']")).to_be_visible(timeout=20_000)
    expect(wall.locator("body")).not_to_have_class(re.compile("is-stale"))


def test_a_link_opens_the_wall_without_an_account_until_it_is_revoked(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    desk = new_page(viewport={"width": 1440, "height": 900})
    desk.on("dialog", lambda dialog: dialog.accept())
    live_server.sign_in(desk, Role.OPERATOR)
    desk.goto(f"{live_server.url}/walls")
    desk.fill("#label", "浏览器测试屏")
    desk.click("#make button[type=submit]")
    expect(desk.locator("#made")).to_be_visible()
    address = desk.input_value("#url")

    screen = new_page()
    screen.goto(address)
    assert screen.url == f"{live_server.url}/wall/city"
    expect(screen.locator("#connection")).to_have_attribute("data-state", "live")
    assert screen.request.get(f"{live_server.url}/api/incidents").status == 403
    assert screen.request.get(f"{live_server.url}/walls").status == 403

    desk.click("tr:has-text('浏览器测试屏') button")
    expect(desk.locator("tr:has-text('浏览器测试屏')")).to_contain_text("已撤销")
    # the screen that hangs in the hall stops showing the city by itself
    expect(screen.locator(".wall-end")).to_be_visible(timeout=20_000)
    expect(screen.locator("#map")).to_have_count(0)
    screen.goto(address)
    assert "/sign-in" in screen.url
