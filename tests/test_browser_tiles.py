"""A city above the threshold for tiles, in a real browser: drawn, picked, named, recoloured, renewed, and honest when tiles fail."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import large_city
import pytest
from map_service import KEY, MapService, chequered, map_service
from PIL import Image, ImageChops
from playwright.sync_api import Page, Route, expect
from servers import RunningServer, running

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.settings import Settings

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"
PASSWORD = "correct horse battery"
ACROSS = 43
CELLS = large_city.lattice(ACROSS)
MIDDLE = ACROSS * ACROSS // 2
"""The grid in the middle of the city, where every page's map has its middle."""

PAINTED = """([x, y]) => {
  const canvas = document.querySelector('.leaflet-features-pane canvas')
  if (!canvas) return [0, 0, 0, 0]
  const box = canvas.getBoundingClientRect()
  const scale = canvas.width / box.width
  return [...canvas.getContext('2d').getImageData((x - box.left) * scale, (y - box.top) * scale, 1, 1).data]
}"""

LETTERED = """() => {
  window.lettered = new Set()
  const draw = CanvasRenderingContext2D.prototype.fillText
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.lettered.add(text)
    return draw.call(this, text, ...place)
  }
}"""

A_MAP = """async ({moves, view}) => {
  const { CityMap } = await import('/static/web/map/city_map.js')
  const { LayerLoader } = await import('/static/web/ui/layer_loader.js')
  document.body.replaceChildren()
  for (const file of ['vendor/leaflet.css', 'styles/map.css']) {
    const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: '/static/web/' + file})
    document.head.append(link)
    await new Promise((done) => { link.onload = done })
  }
  const box = document.createElement('div')
  box.className = 'map'
  box.style.cssText = 'position: fixed; left: 0; top: 0; width: 800px; height: 600px'
  document.body.append(box)
  const {layers, bounds} = await (await fetch('/api/catalogue')).json()
  const city = new CityMap(box, {buttons: false})
  const rest = async () => {
    const {pictures} = city.layers.get('grid') ?? {}
    while (!pictures?.isComplete) await new Promise((done) => setTimeout(done, 20))
    await new Promise((done) => setTimeout(done, 500))
  }
  if (view) {
    city.isPlaced = true
    city.map.setView([view[1], view[0]], view[2], {animate: false})
  } else city.fit(bounds)
  await new LayerLoader(city, layers.filter(({name}) => ['area', 'grid'].includes(name))).load()
  city.incidents.show(Array.from({length: 60}, (_one, n) =>
    ({number: 'n' + n, lon: 127 + 0.0014 * n, lat: 47 + 0.0013 * n, state: 'accepted', is_urgent: n % 5 === 0})))
  await rest()
  if (moves) {
    const moved = () => new Promise((done) => city.map.once('moveend', done))
    const [lon, lat] = [127.043, 47.043]
    city.goTo(lon, lat, 15)
    await moved()
    await rest()
    for (const step of [[130, 90], [-420, -300], [60, 10]]) {
      city.map.panBy(step, {duration: 0.1})
      await moved()
    }
    await rest()
  }
  city.showPlace(127.043, 47.043)
  await new Promise((done) => setTimeout(done, 400))
  const {lng, lat} = city.map.getCenter()
  return [lng, lat, city.map.getZoom()]
}"""


EMPTY_MAP = """
  const { CityMap } = await import('/static/web/map/city_map.js')
  const box = document.createElement('div')
  box.style.cssText = 'position: fixed; left: 0; top: 0; width: 600px; height: 400px'
  document.body.append(box)
  const city = new CityMap(box, {buttons: false})
"""


@pytest.fixture(scope="module")
def service() -> Iterator[MapService]:
    with map_service() as running_service:
        running_service.answer = chequered(large_city.STEP, large_city.WEST, large_city.SOUTH)
        yield running_service


@pytest.fixture(scope="module")
def town(
    databases: Any, template: str, service: MapService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, Context]]:
    """A server over a city of 1,849 grids with a base map, and the context to change it."""
    with databases.cloned(template) as url:
        environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path_factory.mktemp("tiles"))}
        ctx = context(Settings.from_environment(environ), url)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        large_city.publish_areas(ctx, CELLS, yesterday)
        large_city.publish_grids(ctx, CELLS, yesterday)
        large_city.add_incidents(ctx, 50, CELLS, yesterday)
        for role in (Role.OPERATOR, Role.ADMIN):
            add_account(ctx, CONSOLE, NewAccount(role.value, role.value, role), PASSWORD, yesterday)
        base = {
            "GIS_BASE_MAP": f"tianditu:vec_c@{service.url}",
            "GIS_BASE_MAP_KEY": KEY,
            "GIS_BASE_MAP_ATTRIBUTION": "试验底图",
        }
        with running("serve", **environ, **base) as server:
            yield server, ctx
        ctx.engine.dispose()


@pytest.fixture
def sign_in(town: tuple[RunningServer, Context]) -> Callable[..., str]:
    """``sign_in(page, role)``: signed in, and the server's address."""
    cookies: dict[Role, Any] = {}

    def act(page: Page, role: Role = Role.OPERATOR) -> str:
        url = town[0].url
        if role not in cookies:
            page.goto(f"{url}/sign-in")
            page.fill("input[name=login]", role.value)
            page.fill("input[name=password]", PASSWORD)
            page.click("form button[type=submit]")
            page.wait_for_url(lambda now: "/sign-in" not in now)
        return url

    return act


def colour_at(page: Page, x: float, y: float) -> list[int]:
    """Red, green, blue and alpha of the layers' canvas at a place of the page."""
    found: list[int] = page.evaluate(PAINTED, [x, y])
    return found


def middle_of(page: Page) -> tuple[float, float]:
    """The middle of the map's free part: where the middle grid is."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def until_painted(page: Page, x: float, y: float) -> list[int]:
    """The colour there, once the grids are drawn: their classes are in the legend."""
    expect(page.locator("#legend")).to_contain_text("专属网格")
    page.wait_for_function(f"(place) => ({PAINTED})(place)[3] > 0", arg=[x, y])
    return colour_at(page, x, y)


def test_a_large_layer_comes_in_tiles_and_is_drawn(page: Page, sign_in: Callable[..., str]) -> None:
    asked: list[str] = []
    empty: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: empty.append(response.url) if response.status == 204 else None)
    url = sign_in(page)
    # so wide that there is room for tiles beside the city
    page.set_viewport_size({"width": 2400, "height": 800})
    with page.expect_response(re.compile(r"/tiles/grid/")):
        page.goto(f"{url}/wall/city?scene=overview")
    expect(page.locator("#legend")).to_contain_text("专属网格")
    x, y = middle_of(page)
    until_painted(page, x, y)
    assert not [one for one in asked if "/grid/features" in one], "the whole layer was fetched too"
    tiles = [one for one in asked if "/tiles/grid/" in one]
    assert 1 <= len(tiles) <= 24, f"{len(tiles)} tiles for one screen"
    assert all("generation=" in one for one in tiles)
    # nothing is asked for where a layer has nothing
    assert not empty, "empty tiles were asked for"
    assert not [one for one in asked if "/water/features" in one or "/road/features" in one]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "wall-tiles.png")


def test_names_of_panels_and_the_urban_extent_come_from_the_extents(
    page: Page, sign_in: Callable[..., str]
) -> None:
    url = sign_in(page)
    with page.expect_response(re.compile(r"/grid/extents.*settlement_class")) as answer:
        page.goto(f"{url}/wall/city?scene=overview")
    assert len(answer.value.json()["keys"]) == len(CELLS)
    expect(page.get_by_role("region", name="未结最多的网格")).to_contain_text(re.compile(r"网格\d+"))


def test_a_click_tells_the_right_grid_with_all_its_fields(page: Page, sign_in: Callable[..., str]) -> None:
    url = sign_in(page, Role.ADMIN)
    page.goto(f"{url}/layers?layer=grid", wait_until="networkidle")
    x, y = middle_of(page)
    until_painted(page, x, y)
    page.mouse.click(x, y)
    popup = page.locator(".leaflet-popup-content")
    expect(popup).to_contain_text(large_city.code_of(MIDDLE))
    expect(popup).to_contain_text(f"网格{MIDDLE}")
    # a field that no tile carries
    expect(popup).to_contain_text("网格类型")


def test_names_are_lettered_when_there_is_room(page: Page, sign_in: Callable[..., str]) -> None:
    url = sign_in(page, Role.ADMIN)
    page.add_init_script(f"({LETTERED})()")
    page.goto(f"{url}/layers?layer=grid", wait_until="networkidle")
    x, y = middle_of(page)
    until_painted(page, x, y)
    assert page.evaluate("[...window.lettered].filter((name) => name.startsWith('网格')).length") == 0
    # the town's own name stands over the grid in the middle
    beside = f"网格{MIDDLE + 1}"
    for _ in range(6):  # a click while the map still zooms counts for nothing
        page.locator(".leaflet-control-zoom-in").click()
        page.wait_for_timeout(400)
        if page.evaluate("(name) => window.lettered.has(name)", beside):
            break
    page.wait_for_function("(name) => window.lettered.has(name)", arg=beside)


def test_grids_are_coloured_by_number_without_fetching_them_again(
    page: Page, sign_in: Callable[..., str]
) -> None:
    url = sign_in(page)
    page.goto(f"{url}/wall/city?scene=overview")
    x, y = middle_of(page)
    until_painted(page, x, y)
    colours = page.evaluate(
        """async () => {
          const { CityMap } = await import('/static/web/map/city_map.js')
          const { LayerLoader } = await import('/static/web/ui/layer_loader.js')
          const box = document.createElement('div')
          box.className = 'map'
          box.id = 'other'
          box.style.cssText = 'position: fixed; left: 0; top: 0; width: 600px; height: 600px; z-index: 99999'
          document.body.append(box)
          const {layers, bounds} = await (await fetch('/api/catalogue')).json()
          const city = new CityMap(box, {buttons: false})
          city.fit(bounds)
          await new LayerLoader(city, layers.filter(({name}) => name === 'grid')).load()
          const fetched = () => performance.getEntriesByType('resource').filter(({name}) => name.includes('/tiles/')).length
          const middle = () => {
            const canvas = box.querySelector('canvas')
            return [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].join()
          }
          const painted = async () => {
            const {pictures} = city.layers.get('grid')
            const isDue = () => [...pictures.tiles.values()].some(({coat}) => coat !== pictures.coat)
              || pictures.undrawn || pictures.canvas._redrawRequest
            while (isDue()) await new Promise((done) => setTimeout(done, 5))
          }
          await painted()
          const before = fetched()
          const seen = [middle()]
          const {keys} = await (await fetch(layers.find(({name}) => name === 'grid').extents_url)).json()
          for (const token of ['--sequential-6', '--sequential-2', null]) {
            city.colourBy('grid', token && new Map(keys.map((key) => [key, token])))
            await painted()
            seen.push(middle())
          }
          box.remove()
          return {seen, again: fetched() - before}
        }"""
    )
    plain, high, low, plain_again = colours["seen"]
    assert len({plain, high, low}) == 3
    assert plain_again == plain
    assert colours["again"] == 0


def test_a_map_that_shows_what_is_asked_for_is_left_alone(page: Page, sign_in: Callable[..., str]) -> None:
    sign_in(page)
    moves = page.evaluate(
        "async () => {"
        + EMPTY_MAP
        + """
          const moves = []
          let count = 0
          city.onMove(() => { count += 1 })
          const fit = (...asked) => { count = 0; city.fit(...asked); moves.push(count) }
          fit([127, 47, 127.04, 47.01])
          fit([127, 47, 127.04, 47.01])
          fit([127, 47, 127.02, 47.01])
          fit([127, 47, 127.02, 47.01], {left: 200})
          city.map.panBy([50, 0], {animate: false})
          fit([127, 47, 127.02, 47.01], {left: 200})
          return moves
        }"""
    )
    assert moves == [1, 0, 1, 1, 1]


def test_a_map_that_slides_stands_on_whole_pixels(page: Page, sign_in: Callable[..., str]) -> None:
    sign_in(page)
    places = page.evaluate(
        "async () => {"
        + EMPTY_MAP
        + """
          city.fit([127, 47, 127.04, 47.01])
          const places = []
          city.map.on('move', () => places.push(city.map.getPane('mapPane')._leaflet_pos))
          await new Promise((done) => {
            city.onMove(done)
            city.map.panBy([171, 103], {duration: 0.4})
          })
          return places.map(({x, y}) => [x, y])
        }"""
    )
    assert len(places) > 3
    assert all(x == round(x) and y == round(y) for x, y in places), places


def test_a_publication_is_taken_without_a_flash(
    page: Page, sign_in: Callable[..., str], town: tuple[RunningServer, Context]
) -> None:
    url = sign_in(page)
    page.goto(f"{url}/wall/city?scene=overview")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    x, y = middle_of(page)
    before = until_painted(page, x, y)
    page.wait_for_timeout(500)
    page.evaluate(
        f"""() => {{
          window.blanks = 0
          window.frames = 0
          const look = () => {{
            window.frames += 1
            if (({PAINTED})([{x}, {y}])[3] === 0) window.blanks += 1
            requestAnimationFrame(look)
          }}
          requestAnimationFrame(look)
        }}"""
    )
    kinds = ("exclusive_grid",) if before == colour_at(page, x, y) else large_city.KINDS
    generation = large_city.publish_grids(town[1], CELLS, datetime.now(UTC), "新网格", kinds)
    with page.expect_response(re.compile(rf"/tiles/grid/.*generation={generation.id}\b")):
        pass
    page.wait_for_function(f"(old) => ({PAINTED})([{x}, {y}]).join() !== old", arg=",".join(map(str, before)))
    assert page.evaluate("window.frames") > 5
    assert page.evaluate("window.blanks") == 0
    expect(page.locator("#legend")).not_to_contain_text("未能更新")


def test_tiles_that_fail_are_told_and_fetched_again(
    page: Page, sign_in: Callable[..., str], town: tuple[RunningServer, Context]
) -> None:
    url = sign_in(page)
    page.goto(f"{url}/wall/city?scene=overview")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    x, y = middle_of(page)
    until_painted(page, x, y)
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, content_type="application/problem+json", body='{"title": "away"}')

    page.route("**/tiles/grid/**", refuse)
    large_city.publish_grids(town[1], CELLS, datetime.now(UTC), "再新网格")
    stale = page.locator("#legend .legend-stale")
    expect(stale).to_contain_text("网格")
    # what was there before stays, marked as old
    assert colour_at(page, x, y)[3] > 0
    first = len(refused)
    page.unroute("**/tiles/grid/**")
    expect(stale).to_have_count(0, timeout=15_000)
    assert first > 0


def settled(page: Page) -> bytes:
    """A picture of a page that paints no more."""
    picture = page.screenshot()
    for _attempt in range(20):
        page.wait_for_timeout(300)
        before, picture = picture, page.screenshot()
        if picture == before:
            return picture
    raise AssertionError("the page never came to rest")


def test_a_moved_map_is_to_the_pixel_what_a_new_one_is(
    new_page: Callable[..., Page], sign_in: Callable[..., str]
) -> None:
    for density in (1, 1.5):
        pictures = []
        view = None
        for moves in (True, False):
            page = new_page(viewport={"width": 800, "height": 600}, device_scale_factor=density)
            sign_in(page)
            view = page.evaluate(A_MAP, {"moves": moves, "view": view})
            pictures.append(settled(page))
            (SCREENSHOTS / f"map-{'moved' if moves else 'new'}-{density}.png").write_bytes(pictures[-1])
        moved, new = (Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures)
        box = ImageChops.difference(moved, new).getbbox()
        assert box is None, f"at {density} device pixels a pixel the pictures differ within {box}"


EDGES = """async () => {
  const { CityMap } = await import('/static/web/map/city_map.js')
  const { LayerLoader } = await import('/static/web/ui/layer_loader.js')
  document.body.replaceChildren()
  for (const file of ['vendor/leaflet.css', 'styles/map.css']) {
    const link = Object.assign(document.createElement('link'), {rel: 'stylesheet', href: '/static/web/' + file})
    document.head.append(link)
    await new Promise((done) => { link.onload = done })
  }
  const {layers, base_map} = await (await fetch('/api/catalogue')).json()
  const found = {}
  for (const own of [false, true]) {
    const box = document.createElement('div')
    box.className = 'map'
    box.style.cssText = 'position: fixed; left: 0; top: 0; width: 800px; height: 600px'
    document.body.append(box)
    const city = new CityMap(box, {buttons: false})
    city.zoomFreely()
    if (!own) city.setBase(base_map)
    city.goTo(127.0431, 47.0427, 15.7)
    await new Promise((done) => setTimeout(done, 50))
    if (own) await new LayerLoader(city, layers.filter(({name}) => name === 'grid')).load()
    const pictures = own ? city.layers.get('grid').pictures : city.base.pictures
    while (!pictures.isComplete || pictures.undrawn) await new Promise((done) => setTimeout(done, 20))
    await new Promise((done) => setTimeout(done, 300))
    const canvas = box.querySelector('.leaflet-features-pane canvas')
    const {left, top} = canvas.getBoundingClientRect()
    const ctx = canvas.getContext('2d')
    const read = (x, y, width, height) => {
      const {data} = ctx.getImageData(x - left, y - top, width, height)
      return Array.from({length: data.length / 4}, (_one, n) => data[4 * n] + data[4 * n + 1] + data[4 * n + 2])
    }
    // away from any edge of the other direction
    found[own ? 'own' : 'base'] = {across: read(0, 281, 800, 1), down: read(381, 0, 1, 600)}
  }
  return found
}"""


def turns(shades: list[int]) -> list[float]:
    """Where light and dark meet, px: half way from one to the other."""
    middle = (min(shades) + max(shades)) / 2
    return [
        n + (middle - one) / (other - one) + 0.5
        for n, (one, other) in enumerate(pairwise(shades))
        if (one < middle) != (other < middle)
    ]


def borders(shades: list[int]) -> list[float]:
    """Where the even ground of one grid ends and that of the next begins, px: the middle of the line between."""
    groups: list[list[int]] = []
    for n, (one, other) in enumerate(pairwise(shades), 1):
        if abs(one - other) <= 6:
            continue
        if groups and n - groups[-1][-1] <= 4:
            groups[-1].append(n)
        else:
            groups.append([n])
    return [(one[0] + one[-1]) / 2 for one in groups]


def test_tiles_of_degrees_lie_to_the_pixel_where_the_own_borders_lie(
    page: Page, sign_in: Callable[..., str]
) -> None:
    sign_in(page)
    found = page.evaluate(EDGES)
    page.screenshot(path=SCREENSHOTS / "tiles-of-degrees.png")
    for way, least in (("across", 8), ("down", 4)):
        edges, own = turns(found["base"][way]), borders(found["own"][way])
        assert len(edges) >= least, f"{way}: {edges}"
        apart = [min(abs(edge - border) for border in own) for edge in edges]
        assert max(apart) <= 1, f"{way}: the map lies up to {max(apart):.2f} px off: {edges} and {own}"


def test_no_page_asks_another_origin_though_the_base_map_is_another_servers(
    page: Page, sign_in: Callable[..., str], service: MapService
) -> None:
    url = sign_in(page, Role.ADMIN)
    origins: set[str] = set()
    base: list[str] = []
    page.on("request", lambda request: origins.add("/".join(request.url.split("/")[:3])))
    page.on("request", lambda request: base.append(request.url) if "/base/" in request.url else None)
    for path in ("/wall/city?scene=overview", "/incidents", "/layers", "/report"):
        before = len(base)
        page.goto(url + path)
        expect(page.locator(".map-attribution")).to_have_text("试验底图")
        page.wait_for_function(
            "() => performance.getEntriesByType('resource').some(({name}) => name.includes('/base/'))"
        )
        assert len(base) > before, path
        assert KEY not in page.content()
    assert {origin for origin in origins if origin.startswith("http")} == {url}
    assert service.tiles > 0, "the server never asked the map service"
