"""The big screen in a real browser: what it shows, how it is laid out, and that a report reaches it at once."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from gis_server.core.access import Role, Tier
from gis_server.core.incident import OPEN
from gis_server.core.stream import GENERATION
from gis_server.store import events
from gis_server.store.engine import make_engine

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
  const step = innerHeight / 108
  for (let x = step / 2; x < innerWidth; x += step) for (let y = step / 2; y < innerHeight; y += step) {
    all += 1
    if (document.elementFromPoint(x, y)?.closest('#map')) onMap += 1
  }
  const panels = [...document.querySelectorAll('.panel')]
  const charts = [...document.querySelectorAll('.chart')].filter(visible)
  return {boxes, cut, smallest, map: onMap / all, panels: panels.filter(visible).length, hidden: panels.filter((e) => !visible(e)).length,
          empty: charts.filter((e) => !e.querySelector('canvas')).length, width: innerWidth, height: innerHeight,
          scrolls: document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight}
}"""


DRAWN = """() => {
  const boxes = [...document.querySelectorAll('.chart')].filter((e) => e.checkVisibility())
  return innerWidth > 0 && boxes.every((e) => {
    const canvas = e.querySelector('canvas')
    return canvas && Math.abs(canvas.clientWidth - e.clientWidth) <= 1 && Math.abs(canvas.clientHeight - e.clientHeight) <= 1
  })
}"""
"""Every chart is drawn in the size of its box."""

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


SIZES = ((1920, 1080), (3840, 2160), (7680, 2160), (2560, 1080), (1080, 1920))


@contextmanager
def quiet_tour(live_server: Any, page: Page, turning: tuple[str, ...] = ()) -> Iterator[Callable[..., None]]:
    """The wall's tour without calls of other tests; gives what sends one of its scenes to the wall.

    Of scenes that are ``turning`` the first one stands for an hour and the others for seconds.
    """
    session = page.request.get(f"{live_server.url}/api/session").json()
    headers = {"X-CSRFToken": session["csrf_token"]}
    tour = page.request.get(f"{live_server.url}/api/wall/city/tour").json()["tour"]
    if turning:
        kept = [scene for scene in tour["scenes"] if scene["key"] in turning]
        tour["scenes"] = [scene | {"seconds": 3600 if scene["key"] == turning[0] else 5} for scene in kept]
    address = f"{live_server.url}/api/wall/city/tour"
    assert page.request.put(address, data=tour | {"takeover_seconds": 0}, headers=headers).ok

    def send(scene: str, seconds: int = 600) -> None:
        sent = {"scene": scene, "seconds": seconds}
        answer = page.request.post(f"{live_server.url}/api/wall/city/scene", data=sent, headers=headers)
        assert answer.status == 204

    try:
        yield send
    finally:
        send(turning[0] if turning else "overview", 5)
        page.request.delete(address, headers=headers)


@pytest.mark.parametrize(("language", "sizes"), [("zh-CN", SIZES), ("en-GB", (SIZES[0], SIZES[-1]))])
def test_every_scene_fits_every_wall(
    live_server: Any, new_page: Callable[..., Page], language: str, sizes: tuple[tuple[int, int], ...]
) -> None:
    """Each scene at each size: nothing cut, over another or too small, and the map keeps its part.

    Sizes are in the root's own unit, so that words which fit one wide wall fit all.
    """
    page = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce", locale=language)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/wall/city")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=20_000)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with quiet_tour(live_server, page) as send:
        for scene in SCENES:
            page.set_viewport_size({"width": 1920, "height": 1080})
            send(scene)
            expect(page.locator("#wall")).to_have_attribute("data-scene", scene)
            expect(page.locator("#scene")).not_to_be_empty()
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_function(DRAWN)
                assert_scene(page.evaluate(LAYOUT), scene, width, height)
                if language == "zh-CN" and 1080 in (width, height) and width != 2560:
                    page.screenshot(path=SCREENSHOTS / f"wall-{scene}-{width}x{height}.png")


def test_an_upright_wall_has_room_for_every_state_and_for_large_numbers(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    def in_every_state(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["states"] = {state.value: 123_456 for state in OPEN}
        route.fulfill(response=answer, json=body)

    page = new_page(viewport={"width": 1080, "height": 1920}, reduced_motion="reduce")
    live_server.sign_in(page, Role.OPERATOR)
    page.route("**/api/wall/city/statistics", in_every_state)
    with quiet_tour(live_server, page):
        page.goto(f"{live_server.url}/wall/city?scene=now")
        expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=20_000)
        page.wait_for_function("() => document.querySelector('.wall-left .chart')?.clientHeight > 150")
        page.wait_for_function(DRAWN)
        page.screenshot(path=SCREENSHOTS / "wall-now-every-state.png")
        assert_scene(page.evaluate(LAYOUT), "now", 1080, 1920)


def assert_scene(found: dict[str, Any], scene: str, width: int, height: int) -> None:
    where = (scene, width, height, found)
    assert found["smallest"] >= 14 * min(width, height) / 1080 - 0.01, where
    assert found["map"] >= 0.6, where
    assert 4 <= found["panels"] <= 8, where
    assert found["hidden"] == 0, where
    assert found["empty"] == 0, where
    assert_fits(found, width, height)


def assert_fits(found: dict[str, Any], width: int, height: int) -> None:
    """Nothing scrolls, is cut off, leaves the screen or lies over another box."""
    assert not found["scrolls"], found
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
                  const {dataset} = document.getElementById('wall')
                  const look = () => window.changes.push([dataset.scene, Number(dataset.since), Date.now()])
                  new MutationObserver(look).observe(document.getElementById('wall'), {attributeFilter: ['data-scene']})
                }"""
            )
        for screen in (left, right):
            screen.wait_for_function(DRAWN)
        # a screen that is still loading is late by that, and so is the server's time as it hears it: two beats come in peace
        left.wait_for_timeout(8_500)
        for screen in (left, right):
            screen.evaluate("window.changes.length = 0")
        left.wait_for_timeout(14_000)
        for screen in (left, right):
            screen.screenshot(path=SCREENSHOTS / f"wall-spliced-{1 + (screen is right)}.png")
        seen = [screen.evaluate("window.changes") for screen in (left, right)]
        # of what both saw; the first or the last change may have been seen by one alone
        apart = [
            min(abs(since - other) for name, other, _ in seen[1] if name == scene)
            for scene, since, _ in seen[0]
        ]
        drift = [ms for ms in apart if ms < 2_500]
        work = [done - since for changes in seen for _, since, done in changes]
        print(f"drift of {len(drift)} changes: {drift} ms; the change itself took {work} ms")
        assert len(drift) >= 2
        assert len(apart) - len(drift) <= 1
        assert max(drift) <= 100, seen
        # one picture: the right screen begins where the left one ends
        widths = [
            screen.evaluate("document.body.getBoundingClientRect().toJSON()") for screen in (left, right)
        ]
        assert widths[0]["left"] == 0
        assert widths[1]["left"] == -1280
        assert {box["width"] for box in widths} == {2560}
        # each draws its own part of the map, and a margin
        for screen in (left, right):
            drawn = screen.evaluate(
                "document.querySelector('.leaflet-features-pane canvas').getBoundingClientRect().toJSON()"
            )
            assert drawn["left"] <= 0
            assert drawn["right"] >= 1280
            assert drawn["width"] <= 1.5 * 1280
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
    # what other tests reported calls no longer
    for calling in wall.request.get(f"{live_server.url}/api/alarms").json()["alarms"]:
        address = f"{live_server.url}/api/incidents/{calling['id']}/acknowledgement"
        assert wall.request.post(address, headers=headers).ok
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
    # others may call as well, in the list of those who do
    button = desk.locator("#detail").get_by_role("button", name="签收")
    button.click()
    expect(button).to_have_count(0)
    for screen in (wall, other):
        expect(screen.locator("#call")).to_be_hidden(timeout=2_000)
    expect(wall.locator("#wall")).to_have_attribute("data-scene", "ranking")
    expect(wall.locator("body")).not_to_contain_text("燃气")


def test_a_layer_that_cannot_be_brought_up_to_date_is_named_until_it_is(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    wall.add_init_script(
        "window.EventSource = class extends EventSource { constructor(url) { super(url); window.source = this } }"
    )
    open_wall(live_server, wall)
    legend = wall.locator("#legend")
    expect(legend).not_to_contain_text("未能更新")
    wall.route("**/api/layers/area/features*", lambda route: route.abort())
    announce_generation(live_server, "area")
    expect(legend).to_contain_text("未能更新：行政区划", timeout=10_000)
    # the rest of the wall is as live as before, and the old borders are still there
    expect(wall.locator("#connection")).to_have_attribute("data-state", "live")
    expect(legend).to_contain_text("社区(村)")
    wall.screenshot(path=SCREENSHOTS / "wall-stale-layer.png")
    assert_fits(wall.evaluate(LAYOUT), 1920, 1080)
    # a layer or tile that is no more, as after a database was put back, is no reason to stop the wall
    wall.unroute("**/api/layers/area/features*")
    gone = {"type": "urn:gis-server:problem:not-found", "title": "没有找到", "status": 404, "detail": "没有"}
    wall.route("**/api/layers/area/features*", lambda route: route.fulfill(status=404, json=gone))
    with wall.expect_response("**/api/layers/area/features*"):
        announce_generation(live_server, "area")
    expect(legend).to_contain_text("未能更新：行政区划")
    expect(wall.locator(".wall-end")).to_have_count(0)
    wall.unroute("**/api/layers/area/features*")
    announce_generation(live_server, "area")
    expect(legend).not_to_contain_text("未能更新", timeout=10_000)
    # where the stream cannot tell what was published, every layer is asked for
    with wall.expect_request("**/api/layers/area/features*"):
        wall.evaluate("source.dispatchEvent(new MessageEvent('reset', {data: '{}', lastEventId: '0'}))")


def announce_generation(live_server: Any, layer: str) -> None:
    """Say that a layer has a new generation in force, as publishing does."""
    engine = make_engine(live_server.database_url)
    with engine.begin() as conn:
        payload = {"layer": layer}
        events.emit(conn, GENERATION, tier=Tier.PUBLIC, payload=payload)
    engine.dispose()


def test_the_wall_is_accessible_and_its_replay_is_moved_by_keyboard(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    open_wall(live_server, wall, scene="replay")
    slider = wall.get_by_role("slider", name="近 24 小时回放")
    slider.focus()
    wall.keyboard.press("Home")
    first = wall.inner_text(".figure-time")
    wall.keyboard.press("PageUp")
    expect(wall.locator(".figure-time")).not_to_have_text(first)
    # it stays where it was put, though the scene goes on
    moment = wall.inner_text(".figure-time")
    wall.wait_for_timeout(1_500)
    assert wall.inner_text(".figure-time") == moment
    found = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in Axe().run(wall).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not found, found


def test_s29_the_ranking_of_grids_is_drawn_as_a_choropleth(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    wall.clock.install()
    open_wall(live_server, wall, scene="ranking")
    answer = wall.request.get(f"{live_server.url}/api/wall/city/ranking").json()["ranking"]
    places = answer["places"]
    assert places, "the sample has completed incidents"
    rows = wall.locator("#left .ranking-done").first.locator("li")
    expect(rows).to_have_count(min(8, len(places)))
    for row, place in zip(rows.all(), places, strict=False):
        expect(row.locator(".ranking-place")).to_have_text(str(place["place"]))
        expect(row.locator("b")).to_have_text(str(place["completed"]))
    # the colours on the map are explained by their numbers
    expect(wall.locator("#legend")).to_contain_text("各网格办结数")
    classes = wall.locator("#legend .legend-numbers li")
    assert classes.count() == min(5, len({place["completed"] for place in places}))
    # a screen that holds the scene does not show the ranking of the day on which it was switched on
    with wall.expect_response(re.compile(r"/ranking\?period=month")):
        wall.clock.fast_forward("06:00")


def test_the_desk_sends_a_scene(live_server: Any, new_page: Callable[..., Page]) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    live_server.sign_in(wall, Role.OPERATOR)
    show(live_server, wall, "city")
    with quiet_tour(live_server, wall, turning=("overview", "cameras")) as send:
        expect(wall.locator("#wall")).to_have_attribute("data-scene", "overview")
        send("cameras", seconds=5)
        expect(wall.locator("#wall")).to_have_attribute("data-scene", "cameras", timeout=1_000)
        expect(wall.locator("#wall")).to_have_attribute("data-scene", "overview", timeout=8_000)


def test_a_wall_behind_a_proxy_that_breaks_streams_asks_instead(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    wall = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    live_server.sign_in(wall, Role.OPERATOR)
    wall.route("**/api/events*", lambda route: route.abort())
    wall.goto(f"{live_server.url}/wall/city?scene=overview")
    expect(wall.locator("#connection")).to_have_attribute("data-state", "polling", timeout=40_000)
    wall.evaluate(
        """() => {
          const connection = document.getElementById('connection')
          window.states = new Set()
          new MutationObserver(() => window.states.add(connection.dataset.state)).observe(connection, {attributeFilter: ['data-state']})
        }"""
    )
    with wall.expect_response(re.compile(r"/api/wall/city$")):
        pass
    _, lon, lat = a_place_inside_a_grid(wall, live_server)
    headers = {"X-CSRFToken": wall.request.get(f"{live_server.url}/api/session").json()["csrf_token"]}
    report = {"lon": lon, "lat": lat, "datum": "cgcs2000", "description": "路灯不亮", "source": "public"}
    made = wall.request.post(f"{live_server.url}/api/incidents", data=report, headers=headers).json()
    expect(wall.locator(f"#live li[data-number='{made['number']}']")).to_be_visible(timeout=20_000)
    # from one answer to the next it was never called old
    assert wall.evaluate("[...window.states]") in ([], ["polling"])


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
