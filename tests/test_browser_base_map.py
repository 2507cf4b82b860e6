"""A PMTiles file of vector tiles below the city: its water, buildings, unknown layers and names, and a wall that tells when it is missing."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import base_tiles
import pytest
import shapely
from playwright.sync_api import Page, expect
from servers import RunningServer, running

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.opening import context
from gis_server.journeys.walls import make_link
from gis_server.settings import Settings

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"
PASSWORD = "correct horse battery"

A_BARE_MAP = """async () => {
  const { CityMap } = await import('/static/web/map/city_map.js')
  document.body.replaceChildren()
  for (const file of ['vendor/leaflet.css', 'styles/map.css']) {
    const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: '/static/web/' + file})
    document.head.append(link)
    await new Promise((done) => { link.onload = done })
  }
  const box = document.createElement('div')
  box.className = 'map'
  box.style.cssText = 'position: fixed; left: 0; top: 0; width: 1920px; height: 1080px'
  document.body.append(box)
  const city = new CityMap(box, {buttons: false})
  city.zoomFreely()
  city.setBase((await (await fetch('/api/catalogue')).json()).base_map)
  window.lettered = new Set()
  const draw = CanvasRenderingContext2D.prototype.fillText
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.lettered.add(text)
    return draw.call(this, text, ...place)
  }
  const settled = async () => {
    const {pictures} = city.base
    const isDue = () => !pictures.isComplete || pictures.undrawn || [...pictures.tiles.values()].some(({coat}) => coat !== pictures.coat)
    while (isDue()) await new Promise((done) => setTimeout(done, 20))
    await new Promise((done) => setTimeout(done, 100))
  }
  // the colours within two pixels of a place, as the page sees them over the map's ground
  window.look = async (theme, lon, lat, zoom) => {
    document.documentElement.dataset.theme = theme
    city.map.setView([lat, lon], zoom, {animate: false})
    city.isPlaced || city.goTo(lon, lat, zoom)
    city.restyle()
    await new Promise((done) => setTimeout(done, 20))
    await settled()
    const canvas = box.querySelector('.leaflet-features-pane canvas')
    const at = canvas.getBoundingClientRect()
    const {data} = canvas.getContext('2d').getImageData(958 - at.left, 538 - at.top, 5, 5)
    return Array.from({length: 25}, (_one, n) => [...data.slice(4 * n, 4 * n + 4)])
  }
  window.city = city
  window.token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}"""


@pytest.fixture(scope="module")
def served(
    databases: Any, sample_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, str]]:
    """A server over the sample city whose base map is a file of vector tiles, and the link of a screen."""
    folder = tmp_path_factory.mktemp("base")
    path = base_tiles.city_map(folder / "city.pmtiles", range(10, 15))
    with databases.cloned(sample_template) as url:
        environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(folder), "GIS_BASE_MAP": str(path)}
        ctx = context(Settings.from_environment(environ), url)
        account = NewAccount("operator", "operator", Role.OPERATOR)
        add_account(ctx, CONSOLE, account, PASSWORD, datetime.now(UTC))
        link = make_link(ctx, CONSOLE, "city", label="大厅", now=datetime.now(UTC))
        ctx.engine.dispose()
        with running("serve", **environ) as server:
            yield server, f"{server.url}/wall/city?key={link.token}"


@pytest.fixture
def desk(page: Page, served: tuple[RunningServer, str]) -> Page:
    """A page of somebody who has signed in."""
    page.goto(f"{served[0].url}/sign-in")
    page.fill("input[name=login]", "operator")
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[type=submit]")
    page.wait_for_url(lambda now: "/sign-in" not in now)
    return page


def mixed(page: Page, token: str, share: float) -> tuple[int, ...]:
    """A share of a token's colour over the ground of the map."""
    colour, ground = (
        [int(page.evaluate("token", name)[n : n + 2], 16) for n in (1, 3, 5)]
        for name in (token, "--map-ground")
    )
    return tuple(round(one * share + other * (1 - share)) for one, other in zip(colour, ground, strict=True))


def test_a_file_of_vector_tiles_is_drawn_calmly_with_its_names_and_with_what_nobody_knows(desk: Page) -> None:
    layers = {name: geometry for name, _, geometry, _ in base_tiles.layers()}
    water, building, unknown = layers["water"][0], layers["building"][0], layers[base_tiles.UNKNOWN][0]
    desk.evaluate(A_BARE_MAP)

    def look(theme: str, geometry: Any, zoom: float = 16.5) -> list[list[int]]:
        place = (
            shapely.line_interpolate_point(geometry, 0.5, normalized=True)
            if geometry.geom_type == "LineString"
            else geometry.representative_point()
        )
        seen: list[list[int]] = desk.evaluate("(asked) => look(...asked)", [theme, place.x, place.y, zoom])
        return seen

    for theme in ("dark", "light"):
        assert tuple(look(theme, water)[12][:3]) == mixed(desk, "--water", 0.6)
        assert tuple(look(theme, building)[12][:3]) == mixed(desk, "--line", 0.6)
        assert max(alpha for *_, alpha in look(theme, unknown)) > 100, (
            "a layer that nobody knows is not drawn"
        )
        look(theme, shapely.Point(131.30, 47.243), 16.5)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        desk.screenshot(path=SCREENSHOTS / f"base-vector-{theme}.png")
    lettered = set(desk.evaluate("[...window.lettered]"))
    assert {"琅渡大街", "祥景里"} <= lettered, "roads and places have no names"
    assert not [name for name in lettered if name.startswith("Hamlet")]


def test_only_what_a_page_could_mend_counts_for_its_watchdog(desk: Page) -> None:
    problem = '{"title": "away"}'
    desk.route(
        "**/base/**",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=problem),
    )
    desk.evaluate(A_BARE_MAP)
    desk.evaluate("city.goTo(131.3, 47.24, 14)")
    desk.wait_for_function("() => city.isBaseMissing")
    # the server is there and says that the service behind it is not: a page that is loaded anew has no more of it
    assert desk.evaluate("city.failedTiles") == 0
    desk.unroute("**/base/**")
    desk.route("**/base/**", lambda route: route.fulfill(status=404, body=""))
    desk.wait_for_function("() => city.failedTiles > 0")
    desk.unroute("**/base/**")
    desk.wait_for_function("() => !city.isBaseMissing && city.failedTiles === 0")


def test_a_wall_tells_that_its_base_map_is_missing_and_asks_for_it_seldom(
    desk: Page, served: RunningServer
) -> None:
    asked: list[str] = []
    desk.route("**/base/**", lambda route: (asked.append(route.request.url), route.abort()))
    desk.goto(f"{served[0].url}/wall/city?scene=overview")
    stale = desk.locator("#legend .legend-stale")
    expect(stale).to_have_text("未能更新：底图")
    expect(desk.locator("#connection")).to_have_attribute("data-state", "live")
    assert len(asked) <= 12, f"{len(asked)} requests while nothing came"
    desk.unroute("**/base/**")
    expect(stale).to_have_count(0, timeout=20_000)
    expect(desk.locator(".map-attribution")).to_have_text("© 云澜市测绘院")
    desk.screenshot(path=SCREENSHOTS / "base-vector-wall.png")


BASE_DRAWN = """() => {
  const now = performance.getEntriesByType('resource').filter(({name}) => name.includes('/base/')).length
  const since = window.seen === now ? window.since : performance.now()
  Object.assign(window, {seen: now, since})
  return now > 0 && performance.now() - since > 700
}"""


def base_answers(server: RunningServer) -> int:
    """How many tiles of the base map the server has been asked for."""
    text = server.get("/metrics")[1].decode()
    counts = re.findall(r'^gis_http_answers_total\{[^}]*route="/base/[^}]*\} (\S+)', text, re.MULTILINE)
    return int(sum(map(float, counts)))


def test_a_screen_asks_for_no_base_tile_that_it_has_had(
    page: Page, served: tuple[RunningServer, str]
) -> None:
    server, link = served
    page.context.request.get(link)
    asked = []
    for scene in ("overview", "deadlines", "overview"):
        before = base_answers(server)
        page.goto(f"{server.url}/wall/city?scene={scene}")
        page.wait_for_function(BASE_DRAWN)
        asked.append(base_answers(server) - before)
    assert asked[0] > 0
    assert asked[2] == 0, f"tiles asked for, scene by scene: {asked}"
