"""Layers in vector tiles over HTTP: when they come so, what is answered, what a browser may keep, and what is kept here."""

import gzip
import json
import math
import re
import threading
import time
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

import mapbox_vector_tile as reader
import numpy as np
import pytest
import shapely
from city import COLUMNS, COMMUNITIES, ROWS, SOUTH, STEP, WEST
from client import Client, signed_in, token_client
from flask import Flask
from sqlalchemy import event, text

from gis_server.core.access import CONSOLE
from gis_server.core.features import FeatureTable, Source
from gis_server.core.tile import WHOLE_ROWS, covering, zoom_filling
from gis_server.journeys.context import Context
from gis_server.journeys.tiles import KEY_BYTES, WALL_PX, Tiles
from gis_server.journeys.together import Together
from gis_server.journeys.walls import make_link
from gis_server.store import layers
from gis_server.views import create_app, ready
from gis_server.views.ready import make_ready

ZOOM = 13
X, Y = 6986, 2881
"""The tile over the middle of the made city."""
PLACE = f"{ZOOM}/{X}/{Y}"


def tile_of(
    client: Client, layer: str = "grid", place: str = PLACE, **query: object
) -> dict[str, list[dict]]:
    answer = client.get(f"/tiles/{layer}/{place}.mvt", **query)
    assert answer.status_code == 200, answer.text
    found = reader.decode(answer.data, default_options={"y_coord_down": True})
    return {name: content["features"] for name, content in found.items()}


def entry(client: Client, layer: str) -> dict[str, object]:
    return next(one for one in client.get("/api/catalogue").json["layers"] if one["name"] == layer)


def noting(ctx: Context, word: str) -> list[str]:
    """The questions with this word that are put to the database from now on."""
    asked: list[str] = []
    event.listen(
        ctx.engine,
        "before_cursor_execute",
        lambda *args: asked.append(args[2]) if word in args[2] else None,
    )
    return asked


def publish_squares(ctx: Context, count: int, name: str = "方格", *, staged_only: bool = False) -> int:
    """So many grids side by side over the city, in force from now on; the generation's id."""
    across = math.ceil(math.sqrt(count))
    size = COLUMNS * STEP / across
    column, row = np.arange(count) % across, np.arange(count) // across
    boxes = shapely.box(
        WEST + column * size, SOUTH + row * size, WEST + (column + 1) * size, SOUTH + (row + 1) * size
    )
    empty = np.full(count, None, dtype=object)
    columns = dict.fromkeys(ctx.catalogue["grid"].fields, empty)
    columns |= {
        "grid_code": np.array([f"{COMMUNITIES[0]}{n:05d}" for n in range(count)], dtype=object),
        "grid_name": np.array([f"{name}{n}" for n in range(count)], dtype=object),
        "community_code": np.full(count, COMMUNITIES[0], dtype=object),
        "grid_kind": np.full(count, "resident_grid", dtype=object),
    }
    table = FeatureTable(
        layer="grid",
        geometry=shapely.multipolygons(boxes[:, None]),
        columns=columns,
        rows=np.arange(count),
        source=Source("made", None, count, "EPSG:4490", None, None, ""),
    )
    now, layer = datetime.now(UTC), ctx.catalogue["grid"]
    with ctx.engine.begin() as conn:
        staged = layers.stage(conn, layer, table, layers.Staging(), by="test", now=now)
        if staged_only:
            return staged.id
        return layers.publish(conn, layer, staged.id, by="test", now=now).id


def test_a_tile_holds_shapes_and_names(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    found = tile_of(operator)
    assert set(found) == {"grid", "grid_label"}
    assert len(found["grid"]) == len(found["grid_label"]) == COLUMNS
    assert set(found["grid"][0]["properties"]) == {"grid_code", "grid_name", "grid_kind"}
    assert operator.get(f"/tiles/grid/{ZOOM}/{X}/{Y + 9}.mvt").status_code == 204
    assert operator.get(f"/tiles/address/{PLACE}.mvt").status_code == 204  # nothing in force


def test_what_is_no_tile_is_told(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for path in ("grid/13/8192/0", "grid/19/0/0", "nothing/13/1/1", f"incident/{PLACE}"):
        answer = operator.get(f"/tiles/{path}.mvt")
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), path
    assert operator.get(f"/tiles/grid/{PLACE}.mvt", generation="9999").status_code == 404
    assert operator.get(f"/tiles/grid/{PLACE}.mvt", generation="1").status_code == 404  # the areas'
    assert operator.get(f"/tiles/grid/{PLACE}.mvt", zoom="1").status_code == 422
    assert operator.get("/api/layers/incident/extents").status_code == 404


def test_a_layer_comes_in_tiles_from_so_many_rows_on(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    catalogue = operator.get("/api/catalogue").json
    assert catalogue["bounds"] == [WEST, SOUTH, WEST + COLUMNS * STEP, SOUTH + ROWS * STEP]
    counts = {one["name"]: one["count"] for one in catalogue["layers"]}
    # of three cameras one is at a sensitive site
    assert counts == {
        **dict.fromkeys(("water", "road", "building", "reference", "address"), 0),
        **{"area": 7, "grid": 8, "sub_grid": 16, "camera": 2, "incident": None},
    }
    assert all(one["tiles"] is None for one in catalogue["layers"])

    publish_squares(city_ctx, WHOLE_ROWS)
    assert (entry(operator, "grid")["count"], entry(operator, "grid")["tiles"]) == (WHOLE_ROWS, None)
    generation = publish_squares(city_ctx, WHOLE_ROWS + 1)
    grid = entry(operator, "grid")
    assert grid["count"] == WHOLE_ROWS + 1
    assert grid["tiles"]["max_zoom"] == 16
    keys_and_boxes = operator.get(grid["extents_url"]).json
    wests, souths, easts, norths = zip(*keys_and_boxes["boxes"], strict=True)
    assert grid["tiles"]["bounds"] == [min(wests), min(souths), max(easts), max(norths)]
    url = grid["tiles"]["url"].format(z=ZOOM, x=X, y=Y)
    assert f"generation={generation}" in url
    answer = operator.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.mapbox-vector-tile")
    assert operator.get(grid["extents_url"]).json["keys"][0] == f"{COMMUNITIES[0]}00000"


def test_what_names_its_generation_and_its_reader_is_kept_for_good(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    generation = publish_squares(city_ctx, WHOLE_ROWS + 1)
    url = entry(operator, "grid")["tiles"]["url"].format(z=ZOOM, x=X, y=Y)
    lasting = operator.get(url)
    assert lasting.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "W/" not in lasting.headers["ETag"]
    for query in ({}, {"generation": generation}, {"generation": generation, "sight": "0" * 18}):
        passing = operator.get(f"/tiles/grid/{PLACE}.mvt", **query)
        assert passing.headers["Cache-Control"] == "private, no-cache"
        assert passing.data == lasting.data
        assert passing.headers["ETag"] == lasting.headers["ETag"]
    # the addresses of another reader are others: on a shared machine nobody finds what another may see
    assert entry(token_client(app, city_ctx, "admin"), "grid")["tiles"]["url"].format(z=ZOOM, x=X, y=Y) != url
    assert (
        entry(token_client(app, city_ctx, "planner"), "grid")["tiles"]["url"].format(z=ZOOM, x=X, y=Y) == url
    )

    # a generation that is past is answered as it was
    publish_squares(city_ctx, 4, "新")
    assert operator.get(url).data == lasting.data
    assert operator.get(url).headers["Cache-Control"] == lasting.headers["Cache-Control"]
    now_in_force = operator.get(f"/tiles/grid/{PLACE}.mvt")
    assert now_in_force.headers["ETag"] != lasting.headers["ETag"]
    assert len(now_in_force.data) < len(lasting.data)


def test_a_generation_whose_number_is_given_again_has_other_addresses(app: Flask, city_ctx: Context) -> None:
    """A backup is brought back and grids are published anew: no browser shows what it kept of the former ones."""
    generation = publish_squares(city_ctx, WHOLE_ROWS + 1)
    before = entry(token_client(app, city_ctx, "operator"), "grid")["tiles"]["url"]
    with city_ctx.engine.begin() as conn:
        for table, column in (("grid", "generation_id"), ("generation", "id")):
            conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))  # rows never go otherwise
            conn.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": generation})
        conn.execute(text(f"ALTER TABLE generation ALTER COLUMN id RESTART WITH {generation}"))
    assert publish_squares(city_ctx, WHOLE_ROWS + 2) == generation
    started_anew = create_app(city_ctx.settings, city_ctx)
    after = entry(token_client(started_anew, city_ctx, "planner"), "grid")["tiles"]["url"]
    assert f"generation={generation}" in after
    assert after != before


def test_who_has_a_tile_is_told_so_without_a_look_at_the_rows(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    asked = noting(city_ctx, "geom")
    for path in (f"/tiles/grid/{PLACE}.mvt", "/api/layers/grid/extents"):
        fresh = operator.get(path)
        assert asked
        asked.clear()
        for tag in (fresh.headers["ETag"], f"W/{fresh.headers['ETag']}"):
            known = operator.raw("GET", path, headers={"If-None-Match": tag})
            assert (known.status_code, known.data) == (304, b"")
            assert known.headers["ETag"] == fresh.headers["ETag"]
        # nor for the next who asks the same
        assert operator.get(path).data == fresh.data
        assert not asked


def switched_on(app: Flask, ctx: Context) -> Client:
    """A screen of the city's wall, by its link."""
    screen = Client(app)
    link = make_link(ctx, CONSOLE, "city", label="大厅", now=datetime.now(UTC))
    screen.get(f"/wall/city?key={link.token}")
    return screen


def ground_of(client: Client) -> dict[str, Any]:
    """What the city's wall is told of its map before anything else."""
    [found] = re.findall(r"data-ground='([^']+)'", client.page("/wall/city").text)
    return dict(json.loads(found))


def test_the_first_wall_after_a_start_finds_its_tiles_made(
    app: Flask, city_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "LONGEST_S", 60.0)  # until all is made, however busy the machine
    publish_squares(city_ctx, WHOLE_ROWS + 1)
    make_ready(app)
    asked = noting(city_ctx, "AsBinary")
    screen = switched_on(app, city_ctx)
    ground = ground_of(screen)
    assert ground["in_tiles"]
    west, south, east, north = ground["bounds"]
    zoom = math.floor(zoom_filling((west, south, east, north), *WALL_PX))
    url = str(entry(screen, "grid")["tiles"]["url"])
    places = covering((west, south, east, north), zoom)
    assert places
    for place in places:
        answer = screen.get(url.format(z=place.z, x=place.x, y=place.y))
        assert answer.status_code == 200
    assert not asked
    # a deeper one is made when it is asked for
    [deeper, *_] = covering((west, south, east, north), zoom + 2)
    screen.get(url.format(z=deeper.z, x=deeper.x, y=deeper.y))
    assert asked


def test_a_server_answers_after_two_seconds_though_more_is_to_be_made(app: Flask, city_ctx: Context) -> None:
    assert ready.LONGEST_S == 2.0
    publish_squares(city_ctx, WHOLE_ROWS + 1)
    others = set(threading.enumerate())
    with city_ctx.engine.connect() as holding:
        holding.execute(text("LOCK TABLE grid IN ACCESS EXCLUSIVE MODE"))  # not one of its tiles can be made
        starting = threading.Thread(target=make_ready, args=(app,), name="starting")
        starting.start()
        starting.join(60.0)
        assert not starting.is_alive()
        [making] = [one for one in set(threading.enumerate()) - others if one.name == "ready"]
        assert Client(app).get("/healthz").status_code == 200
        assert making.is_alive()
    making.join(60.0)
    # what was left is made all the same
    asked = noting(city_ctx, "AsBinary")
    screen = switched_on(app, city_ctx)
    bounds = ground_of(screen)["bounds"]
    [place, *_] = covering(bounds, math.floor(zoom_filling(bounds, *WALL_PX)))
    url = str(entry(screen, "grid")["tiles"]["url"])
    assert screen.get(url.format(z=place.z, x=place.x, y=place.y)).status_code == 200
    assert not asked


def test_a_server_begins_without_anything_to_make_ready(app: Flask, city_ctx: Context) -> None:
    make_ready(app)
    assert not ground_of(signed_in(app, "operator"))["in_tiles"]


@pytest.mark.parametrize(
    ("box", "zoom"),
    [((-180.0, -85.06, 180.0, 85.06), 0), ((0.0, 0.0, 180.0, 85.06), 1), ((127.0, 47.0, 127.0, 47.0), 16)],
)
def test_a_box_is_shown_by_the_tiles_of_a_zoom(box: tuple[float, float, float, float], zoom: int) -> None:
    assert round(zoom_filling(box, 512, 512), 3) == zoom
    tiles = covering(box, zoom)
    held = [tile.degrees(0) for tile in tiles]
    assert min(tile[0] for tile in held) <= box[0] + 1e-9
    assert max(tile[2] for tile in held) >= box[2] - 1e-9
    assert len(tiles) == 1 if zoom != 1 else len(tiles) in (1, 2)


def test_tiles_travel_packed_to_those_who_can_unpack(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for path in (f"/tiles/grid/{PLACE}.mvt", "/api/layers/grid/extents"):
        plain = operator.get(path)
        packed = operator.raw("GET", path, headers={"Accept-Encoding": "br, gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert packed.headers["ETag"] != plain.headers["ETag"]


def test_many_screens_that_ask_at_once_cost_the_database_one_look(app: Flask, city_ctx: Context) -> None:
    publish_squares(city_ctx, WHOLE_ROWS + 1)
    asked = noting(city_ctx, "AsBinary")
    clients = [token_client(app, city_ctx, "operator") for _ in range(8)]
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda one=one: bodies.append(one.get(f"/tiles/grid/{PLACE}.mvt").data))
        for one in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 8
    assert len(set(bodies)) == 1
    assert len(asked) == 1


def test_who_waited_for_an_answer_finds_it_kept() -> None:
    class Slow(Tiles):
        def _keep(self, key: Hashable, body: bytes) -> None:
            time.sleep(0.2)
            super()._keep(key, body)

    kept, made, is_making = Slow(), [], threading.Event()

    def make() -> bytes:
        made.append(1)
        is_making.set()
        time.sleep(0.2)
        return b"tile"

    first = threading.Thread(target=kept.get, args=("key", make))
    first.start()
    assert is_making.wait(10.0)
    assert kept.get("key", make) == b"tile"
    first.join()
    assert len(made) == 1


def test_what_is_kept_is_bounded_and_the_least_used_goes_first() -> None:
    kept = Tiles(most=2 * (4 + KEY_BYTES))
    made: list[str] = []

    def make(name: str) -> bytes:
        made.append(name)
        return name.encode() * 4

    for name in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(name, lambda name=name: make(name)) == name.encode() * 4
    assert made == ["a", "b", "c", "b"]
    assert kept.get("large", lambda: b"x" * 5000) == b"x" * 5000
    assert kept.get("a", lambda: make("a")) == b"aaaa"

    def fail() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept.get("bad", fail)
    assert kept.get("bad", lambda: b"good") == b"good"


def test_questions_asked_together_leave_nothing_behind() -> None:
    together: Together[int] = Together()
    runs: list[int] = []
    first_runs, go_on = threading.Event(), threading.Event()

    def make() -> int:
        runs.append(len(runs))
        first_runs.set()
        assert go_on.wait(10)
        return runs[-1]

    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(together.answer("q", make))) for _ in range(6)]
    threads[0].start()
    assert first_runs.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    with pytest.raises(ZeroDivisionError):
        together.answer("bad", lambda: 1 // 0)
    assert together.answer("q", lambda: 7) == 7
    assert not together._running
    assert not together._waiting


def test_extents_tell_where_everything_is(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    found = operator.get("/api/layers/grid/extents").json
    assert set(found) == {"keys", "boxes"}
    assert len(found["keys"]) == len(found["boxes"]) == COLUMNS
    assert found["boxes"][0] == [WEST, SOUTH, WEST + STEP, SOUTH + 2 * STEP]
    more = operator.get("/api/layers/grid/extents", fields="grid_name,resident_households").json
    assert set(more["values"]) == {"grid_name", "resident_households"}
    assert len(more["values"]["grid_name"]) == COLUMNS
    assert operator.get("/api/layers/address/extents").json == {"keys": [], "boxes": []}
    refused = operator.get("/api/layers/grid/extents", fields="nothing")
    assert (refused.status_code, refused.json["field"]) == (422, "fields")


def test_a_staged_generation_is_cut_for_those_who_may_import_alone(app: Flask, city_ctx: Context) -> None:
    staged = publish_squares(city_ctx, 3, staged_only=True)
    for login, status in (("planner", 200), ("operator", 404)):
        client = signed_in(app, login)
        answer = client.get(f"/tiles/grid/{PLACE}.mvt", generation=staged)
        assert answer.status_code == status
        assert "immutable" not in answer.headers.get("Cache-Control", "")
        assert client.get("/api/layers/grid/extents", generation=staged).status_code == status


def test_a_layer_has_no_tiles_far_below_its_first_zoom(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    # cameras are drawn from zoom 12 on
    west, _ = WEST + 0.002, SOUTH
    for zoom, status in ((9, 204), (10, 200), (12, 200)):
        n = 2**zoom
        x = int((west + 180) / 360 * n)
        y = int((1 - math.asinh(math.tan(math.radians(SOUTH + 0.002))) / math.pi) / 2 * n)
        assert operator.get(f"/tiles/camera/{zoom}/{x}/{y}.mvt").status_code == status


def test_the_city_of_another_day_is_found_by_its_generation(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    first = tile_of(operator)["grid"]
    with city_ctx.engine.connect() as conn:
        before = layers.in_force(conn, "grid", datetime.now(UTC) - timedelta(seconds=1))
    assert before is not None
    publish_squares(city_ctx, 30)
    assert all(one["properties"]["grid_name"].startswith("方格") for one in tile_of(operator)["grid"])
    assert tile_of(operator, generation=before.id)["grid"] == first
