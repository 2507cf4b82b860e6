"""A page's script and the wall's style: in one file while that is what their parts say, else the parts themselves."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from gis_server.core.access import Role
from gis_server.views import assets

WEB = Path(__file__).parents[1] / "web"
WALL = "pages/wall.js"
STYLE = "styles/wall.css"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEB, tmp_path / "web"))


def serving(web: Path) -> Flask:
    app = Flask(__name__, static_folder=None)
    assets.init_app(app, web)
    return app


def told(client: FlaskClient, name: str) -> str:
    answer = client.get(f"/static/web/{name}")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert (answer.status_code, answer.mimetype) == (200, kind)
    return answer.text


def modules(app: Flask) -> list[str]:
    with app.test_request_context():
        return assets.modules_of(WALL)


def test_a_page_comes_in_one_file_until_a_module_is_changed(web: Path) -> None:
    app = serving(web)
    client = app.test_client()
    plain = (web / WALL).read_text()
    joined = told(client, WALL)
    assert joined != plain
    assert modules(app) == [WALL]
    worker = told(client, "worker/tiles.js")
    assert "import" not in worker

    tour = web / "core" / "tour.js"
    before = tour.read_text()
    tour.write_text(before + "\n// changed\n")
    assert told(client, WALL) == plain
    assert {"core/tour.js", "map/city_map.js", "vendor/leaflet.js"} < set(modules(app))
    # the worker has nothing of it
    assert told(client, "worker/tiles.js") == worker

    tour.write_text(before)
    assert told(client, WALL) == joined


def test_the_style_of_a_wall_comes_in_one_file_until_a_part_is_changed(web: Path) -> None:
    client = serving(web).test_client()
    joined = told(client, STYLE)
    assert "@import" not in joined
    assert ".leaflet-container" in joined
    with (web / "styles" / "tokens.css").open("a") as tokens:
        tokens.write("/* changed */")
    assert told(client, STYLE) == (web / STYLE).read_text()
    assert '@import "tokens.css"' in told(client, STYLE)


def test_without_what_is_joined_the_modules_are_served(web: Path) -> None:
    shutil.rmtree(web / assets.JOINED)
    app = serving(web)
    assert told(app.test_client(), WALL) == (web / WALL).read_text()
    assert len(modules(app)) > 50


def test_a_set_up_that_was_broken_off_is_no_error(web: Path) -> None:
    (web / assets.JOINED / "manifest.json").write_text('{"pages/wall.js": {')
    assert told(serving(web).test_client(), WALL) == (web / WALL).read_text()


def test_a_joined_file_that_is_gone_is_not_missed(web: Path) -> None:
    app = serving(web)
    (web / assets.JOINED / WALL).unlink()
    assert told(app.test_client(), WALL) == (web / WALL).read_text()


LOOK = """() => ['body', '#map', '.wall-bar', '#left', '#legend', '.leaflet-pane'].map((one) => {
  const {color, backgroundColor, font, position, padding, zIndex} = getComputedStyle(document.querySelector(one))
  return [color, backgroundColor, font, position, padding, zIndex]
})"""


def test_a_wall_runs_from_its_modules_too(live_server: Any, page: Page) -> None:
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/wall/city")
    expect(page.locator("#legend")).to_contain_text("网格")
    look = page.evaluate(LOOK)
    page.route(
        f"**/static/web/{STYLE}", lambda route: route.fulfill(path=WEB / STYLE, content_type="text/css")
    )
    page.route(
        f"**/static/web/{WALL}", lambda route: route.fulfill(path=WEB / WALL, content_type="text/javascript")
    )
    with page.expect_response("**/static/web/core/tour.js"), page.expect_response("**/styles/tokens.css"):
        page.goto(f"{live_server.url}/wall/city")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#legend")).to_contain_text("网格")
    assert page.evaluate(LOOK) == look
