"""A page's script: in one file while that is what its modules say, else the modules themselves."""

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


@pytest.fixture
def web(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEB, tmp_path / "web"))


def serving(web: Path) -> Flask:
    app = Flask(__name__, static_folder=None)
    assets.init_app(app, web)
    return app


def told(client: FlaskClient, name: str) -> str:
    answer = client.get(f"/static/web/{name}")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
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


def test_a_wall_runs_from_its_modules_too(live_server: Any, page: Page) -> None:
    page.route(
        f"**/static/web/{WALL}", lambda route: route.fulfill(path=WEB / WALL, content_type="text/javascript")
    )
    live_server.sign_in(page, Role.OPERATOR)
    with page.expect_response("**/static/web/core/tour.js"):
        page.goto(f"{live_server.url}/wall/city")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#legend")).to_contain_text("网格")
