"""Base maps over HTTP: a real file, and a real server of another; its key, its failures, and who may have what."""

import gzip
import io
import logging
import re
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile as reader
import pytest
from base_tiles import Bodies, pmtiles
from client import Client, token_client
from flask import Flask
from map_service import KEY, MapService, map_service, picture, saying
from PIL import Image
from pmtiles.tile import TileType
from servers import CLEAN, PROGRAM, free_port
from test_security import screen

from gis_server.core.base_map import Choice, address_of, base_map, image_type
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.files.pmtiles import MapFile
from gis_server.journeys import base_map as base_map_journey
from gis_server.journeys.context import Context
from gis_server.settings import Settings
from gis_server.views import create_app, stop_streams

PLACE = "12/3493/1440"


@pytest.fixture
def service() -> Iterator[MapService]:
    with map_service() as running:
        yield running


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """No application outlives its test."""
    yield
    while APPS:
        stop_streams(APPS.pop())


APPS: list[Flask] = []


def app_with(ctx: Context, **environ: str) -> Flask:
    """The application of a deployment with this base map."""
    chosen = Settings.from_environment(environ)
    named = {
        name: getattr(chosen, name) for name in Settings.__dataclass_fields__ if name.startswith("base_map")
    }
    settings = replace(ctx.settings, **named)
    APPS.append(create_app(settings, replace(ctx, settings=settings)))
    return APPS[-1]


def tianditu(ctx: Context, service: MapService, name: str = "vec_w", **more: str) -> Flask:
    return app_with(ctx, GIS_BASE_MAP=f"tianditu:{name}@{service.url}", GIS_BASE_MAP_KEY=KEY, **more)


def colour(body: bytes) -> Any:
    return Image.open(io.BytesIO(body)).convert("RGB").getpixel((5, 5))


# -- Tianditu ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "labels", "levels", "tone"),
    [
        ("vec_w", "cva_w", [1, 18], "light"),
        ("vec_c", "cva_c", [1, 18], "light"),
        ("img_w", "cia_w", [1, 18], "imagery"),
        ("img_c", "cia_c", [1, 18], "imagery"),
        ("ter_w", "cta_w", [1, 14], "light"),
        ("ter_c", "cta_c", [1, 14], "light"),
    ],
)
def test_tianditu_is_asked_as_it_wants_to_be(
    city_ctx: Context, service: MapService, name: str, labels: str, levels: list[int], tone: str
) -> None:
    app = tianditu(city_ctx, service, name)
    operator = token_client(app, city_ctx, "operator")
    about = operator.get("/api/catalogue").json["base_map"]
    version = about["url"].partition("=")[2]
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    assert about == {
        "kind": "raster",
        "url": f"/base/{{z}}/{{x}}/{{y}}?version={version}",
        "labels_url": f"/base/labels/{{z}}/{{x}}/{{y}}?version={version}",
        "min_zoom": levels[0],
        "max_zoom": levels[1],
        "tile_size": 256,
        "datum": "cgcs2000",
        "matrix": name[-1],
        "tone": tone,
        "attribution": "天地图",
    }
    for url, layer in ((about["url"], name), (about["labels_url"], labels)):
        answer = operator.get(url.format(z=9, x=436, y=90))
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        assert colour(answer.data) == colour(picture(f"{layer}/9/436/90"))
    # level 0 does not exist there; with degrees there are half as many rows as columns
    assert operator.get("/base/0/0/0").status_code == 404
    assert operator.get("/base/1/1/1").status_code == (200 if name.endswith("w") else 404)
    assert operator.get("/base/1/1/0").status_code == 200
    assert operator.get("/base/19/0/0").status_code == 404
    assert operator.get("/base/3/8/0").status_code == 404


def test_tianditus_own_hosts_take_turns() -> None:
    about = base_map(Choice("tianditu:img_c", key="k"))
    hosts = {address_of(about.tiles, 9, x, 1, "k").split("/")[2] for x in range(20)}
    assert hosts == {f"t{n}.tianditu.gov.cn" for n in range(8)}
    assert address_of(about.tiles, 9, 436, 90, "k") == (
        "https://t6.tianditu.gov.cn/img_c/wmts?LAYER=img&TILEMATRIXSET=c&SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
        "&STYLE=default&FORMAT=tiles&TILEMATRIX=9&TILEROW=90&TILECOL=436&tk=k"
    )


def test_the_key_stays_on_the_server(
    city_ctx: Context, service: MapService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = tianditu(city_ctx, service)
    operator = token_client(app, city_ctx, "operator")
    answers = [
        operator.get(path) for path in ("/api/catalogue", f"/base/{PLACE}", "/openapi.json", "/metrics")
    ]
    answers += [operator.page(path) for path in ("/", "/layers", "/wall/city")]
    service.answer = saying(403, "application/json", f'{{"key": "{KEY}"}}'.encode())
    answers.append(operator.get("/base/12/3493/1441"))
    assert answers[-1].status_code == 503
    assert service.tiles == 2
    for answer in answers:
        assert KEY not in answer.get_data(as_text=True) if answer.mimetype != "image/png" else True
        assert KEY.encode() not in answer.data
        assert KEY not in str(answer.headers)
        assert service.url not in answer.data.decode("utf-8", "replace")
    assert KEY not in caplog.text
    assert "status 403" in caplog.text
    kept = [path for path in (city_ctx.settings.var / "base_map").rglob("*") if path.is_file()]
    assert len(kept) == 1
    assert KEY not in str(kept[0])


def test_nothing_of_the_readers_goes_along_and_nothing_comes_back_but_the_picture(
    city_ctx: Context, service: MapService
) -> None:
    operator = token_client(tianditu(city_ctx, service), city_ctx, "operator")
    answer = operator.raw("GET", f"/base/{PLACE}", headers={"Cookie": "own=1", "Referer": "http://x/"})
    assert answer.status_code == 200
    [(path, headers)] = service.asked
    assert not {"cookie", "authorization", "referer", "x-forwarded-for", "accept-language"} & set(headers)
    assert "tracker" not in str(answer.headers)
    assert f"tk={KEY}" in path
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# -- any XYZ or WMTS --------------------------------------------------------------------------------------------------


def test_any_xyz_or_wmts_address_will_do(city_ctx: Context, service: MapService) -> None:
    app = app_with(
        city_ctx,
        GIS_BASE_MAP=f"{service.url}/wmts/vec/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png?k={{key}}",
        GIS_BASE_MAP_LABELS=f"{service.url}/names/{{z}}/{{x}}/{{-y}}.png",
        GIS_BASE_MAP_KEY="abc",
        GIS_BASE_MAP_LEVELS="3-17",
        GIS_BASE_MAP_DATUM="gcj02",
        GIS_BASE_MAP_TONE="imagery",
        GIS_BASE_MAP_ATTRIBUTION="省厅影像 审图号 黑S(2026)001号",
    )
    operator = token_client(app, city_ctx, "operator")
    about = operator.get("/api/catalogue").json["base_map"]
    assert (about["datum"], about["tone"], about["matrix"]) == ("gcj02", "imagery", "w")
    assert (about["min_zoom"], about["max_zoom"]) == (3, 17)
    assert about["attribution"].startswith("省厅影像")
    assert operator.get("/base/4/13/5").status_code == 200
    assert operator.get("/base/labels/4/13/5").status_code == 200
    assert [path for path, _ in service.asked] == ["/wmts/vec/4/5/13.png?k=abc", "/names/4/13/10.png"]
    assert operator.get("/base/2/0/0").status_code == 404


def test_without_a_base_map_there_is_none(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert operator.get("/api/catalogue").json["base_map"] is None
    assert operator.get(f"/base/{PLACE}").status_code == 404


@pytest.mark.parametrize(
    ("environ", "field"),
    [
        ({"GIS_BASE_MAP": "tianditu:vec_x", "GIS_BASE_MAP_KEY": "k"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "tianditu:vec_w@ftp://h", "GIS_BASE_MAP_KEY": "k"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "tianditu:vec_w"}, "GIS_BASE_MAP_KEY"),
        ({"GIS_BASE_MAP": "http://h/{z}/{x}"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "http://h/{z}/{x}/{y}/{what}"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "http://{x}.h/{z}/{x}/{y}"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "http://u:p@h/{z}/{x}/{y}"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "file:///{z}/{x}/{y}"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP": "http://h/{z}/{x}/{y}?k={key}"}, "GIS_BASE_MAP_KEY"),
        ({"GIS_BASE_MAP": "http://h/{z}/{x}/{y}", "GIS_BASE_MAP_LABELS": "http://h/"}, "GIS_BASE_MAP_LABELS"),
        ({"GIS_BASE_MAP": "/no/such/file.pmtiles"}, "GIS_BASE_MAP"),
        ({"GIS_BASE_MAP_DATUM": "bd09"}, "GIS_BASE_MAP_DATUM"),
        ({"GIS_BASE_MAP_LEVELS": "9-3"}, "GIS_BASE_MAP_LEVELS"),
        ({"GIS_BASE_MAP_LEVELS": "9"}, "GIS_BASE_MAP_LEVELS"),
        ({"GIS_BASE_MAP_KEY": "secret&LAYER=x"}, "GIS_BASE_MAP_KEY"),
    ],
)
def test_a_bad_choice_is_refused_at_the_start_by_its_setting(
    city_ctx: Context, environ: dict[str, str], field: str
) -> None:
    with pytest.raises(UnusableInput) as caught:
        app_with(city_ctx, **environ)
    assert caught.value.field == field
    assert "secret" not in str(caught.value)


# -- what goes wrong over there ---------------------------------------------------------------------------------------


def test_the_answer_for_an_old_or_missing_picture_is_asked_for_again_soon(
    city_ctx: Context, service: MapService
) -> None:
    operator = token_client(tianditu(city_ctx, service), city_ctx, "operator")
    url = operator.get("/api/catalogue").json["base_map"]["url"]
    fresh = operator.get(url.format(z=12, x=3493, y=1440))
    assert fresh.headers["Cache-Control"] == f"private, max-age={30 * 86_400}"
    again = operator.raw("GET", f"/base/{PLACE}", headers={"If-None-Match": fresh.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    service.answer = saying(404, "text/plain", b"")
    nothing = operator.get(url.format(z=12, x=1, y=1))
    assert (nothing.status_code, nothing.headers["Cache-Control"]) == (204, "private, max-age=86400")
    # of an address that would stay the same if the map became another
    assert operator.get("/base/12/1/1").headers["Cache-Control"] == "private, max-age=3600"
    service.answer = saying(500, "text/plain", b"")
    missing = operator.get("/base/12/1/2")
    assert (missing.status_code, missing.mimetype) == (503, "application/problem+json")
    assert missing.headers["Retry-After"]


def test_many_who_ask_at_once_cost_the_service_one_request(city_ctx: Context, service: MapService) -> None:
    app = tianditu(city_ctx, service)
    clients = [token_client(app, city_ctx, "operator") for _ in range(6)]
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda one=one: bodies.append(one.get(f"/base/{PLACE}").data))
        for one in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies)) == 1
    assert service.tiles == 1


def test_pictures_are_known_by_their_first_bytes() -> None:
    for form, name in (
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
    ):
        file = io.BytesIO()
        Image.new("RGB", (4, 4)).save(file, form)
        assert image_type(file.getvalue()) == name
    assert image_type(b"") is None
    assert image_type(b"<svg>") is None


# -- many readers, few questions --------------------------------------------------------------------------------------


def test_many_screens_wait_for_a_slow_service_and_the_server_answers_others(
    city_ctx: Context, service: MapService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_map_journey, "MOST_WAITING", 2)
    both, done = threading.Barrier(3), threading.Event()
    service.answer = lambda handler: (
        both.wait(10),
        done.wait(10),
        handler.say(200, "image/png", picture("x")),
    )
    app = tianditu(city_ctx, service)
    clients = [token_client(app, city_ctx, "operator") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(one.get, f"/base/12/3493/{row}") for row, one in enumerate(clients)]
        both.wait(10)
        refused = token_client(app, city_ctx, "operator").get("/base/12/3493/7")
        done.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
    assert (refused.status_code, service.tiles) == (503, 2)


def test_what_a_wall_has_had_its_browser_keeps_whatever_becomes_of_its_cookie(
    city_ctx: Context, service: MapService
) -> None:
    app = tianditu(city_ctx, service)
    client, _ = screen(app, city_ctx)
    about = client.get("/api/catalogue")
    assert "Set-Cookie" in about.headers, "a screen's session is renewed by use"
    answer = client.get(about.json["base_map"]["url"].format(z=12, x=3493, y=1440))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_another_map_has_another_address(city_ctx: Context, service: MapService, tmp_path: Path) -> None:
    bodies: Bodies = {(0, 0, 0): picture("a"), (1, 0, 0): picture("b")}
    path = pmtiles(tmp_path / "city.pmtiles", bodies, TileType.PNG)
    urls = []
    for app in (
        tianditu(city_ctx, service),
        tianditu(city_ctx, service),
        tianditu(city_ctx, service, "vec_c"),
        tianditu(city_ctx, service, GIS_BASE_MAP_DATUM="gcj02"),
        app_with(city_ctx, GIS_BASE_MAP=str(path)),
    ):
        operator = token_client(app, city_ctx, "operator")
        urls.append(operator.get("/api/catalogue").json["base_map"]["url"])
    of_file = operator.get(urls[-1].format(z=1, x=0, y=0))
    assert of_file.headers["Cache-Control"] == f"private, max-age={365 * 86_400}"
    pmtiles(path, bodies | {(1, 1, 1): picture("c")}, TileType.PNG)
    operator = token_client(app_with(city_ctx, GIS_BASE_MAP=str(path)), city_ctx, "operator")
    urls.append(operator.get("/api/catalogue").json["base_map"]["url"])
    assert urls[0] == urls[1]
    assert len(set(urls)) == 5
    # a page that was opened before must not mix the two
    assert operator.get(urls[-2].format(z=1, x=0, y=0)).status_code == 404
    assert operator.get(urls[-1].format(z=1, x=0, y=0)).status_code == 200


# -- who may ----------------------------------------------------------------------------------------------------------


def test_the_base_map_is_for_those_who_are_signed_in_and_for_screens(
    city_ctx: Context, service: MapService
) -> None:
    app = tianditu(city_ctx, service)
    assert Client(app).get(f"/base/{PLACE}").status_code == 401
    assert Client(app).get(f"/base/labels/{PLACE}").status_code == 401
    assert service.tiles == 0
    client, _ = screen(app, city_ctx)
    assert client.get(f"/base/{PLACE}").status_code == 200


# -- PMTiles ----------------------------------------------------------------------------------------------------------


def test_a_raster_file_is_read_where_it_lies(city_ctx: Context, tmp_path: Path) -> None:
    bodies = {
        (z, x, y): picture(f"{z}/{x}/{y}", 512 if z == 2 else 8)
        for z in range(2, 5)
        for x in range(2**z)
        for y in range(2**z)
    }
    del bodies[4, 3, 3]
    path = pmtiles(tmp_path / "city.pmtiles", bodies, TileType.PNG, attribution="<a href='x'>© 测绘院</a>")
    operator = token_client(app_with(city_ctx, GIS_BASE_MAP=str(path)), city_ctx, "operator")
    about = operator.get("/api/catalogue").json["base_map"]
    assert (about["kind"], about["tile_size"], about["min_zoom"], about["max_zoom"]) == ("raster", 512, 2, 4)
    assert (about["attribution"], about["labels_url"]) == ("© 测绘院", None)
    for place in ((2, 0, 0), (3, 5, 2), (4, 15, 15)):
        answer = operator.get("/base/{}/{}/{}".format(*place))
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        assert answer.data == bodies[place]
    assert operator.get("/base/4/3/3").status_code == 204
    assert operator.get("/base/5/0/0").status_code == 404
    assert operator.get("/base/labels/4/0/0").status_code == 404
    known = {"If-None-Match": answer.headers["ETag"]}
    assert operator.raw("GET", "/base/4/15/15", headers=known).status_code == 304


def test_a_vector_file_is_handed_on_packed_or_not(city_ctx: Context, tmp_path: Path) -> None:
    content = [{"geometry": "POINT(10 20)", "properties": {"kind": "river"}}]
    body = reader.encode({"name": "water", "features": content})
    bodies = {
        (z, x, y): body + bytes((0x78, z * 16 + x * 4 + y))
        for z in range(3)
        for x in range(2**z)
        for y in range(2**z)
    }
    path = pmtiles(tmp_path / "city.PMTiles", bodies, TileType.MVT, packed=True)
    operator = token_client(app_with(city_ctx, GIS_BASE_MAP=str(path)), city_ctx, "operator")
    about = operator.get("/api/catalogue").json["base_map"]
    assert (about["kind"], about["tile_size"], about["max_zoom"]) == ("vector", 512, 2)
    plain = operator.get("/base/2/3/3")
    packed = operator.raw("GET", "/base/2/3/3", headers={"Accept-Encoding": "gzip"})
    assert plain.mimetype == packed.mimetype == "application/vnd.mapbox-vector-tile"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data == bodies[2, 3, 3]
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_a_large_file_is_found_through_its_leaves(tmp_path: Path) -> None:
    # the bytes differ, so that no two entries are one
    bodies = {
        (7, x, y): b"\x89PNG\r\n\x1a\n" + bytes((x, y)) * (1 + (x * 31 + y * 17) % 40)
        for x in range(128)
        for y in range(128)
    }
    file = MapFile(pmtiles(tmp_path / "large.pmtiles", bodies, TileType.PNG))
    for place in ((7, 0, 0), (7, 127, 127), (7, 64, 3), (7, 5, 100)):
        found = file.tile(*place)
        assert found is not None
        assert found.body == bodies[place]


@pytest.mark.parametrize(
    "content", [b"", b"PMTiles\x02" + b"\0" * 200, b"PMTiles\x03" + b"\xff" * 200, b"x" * 500]
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    city_ctx: Context, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.pmtiles"
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match=r"bad\.pmtiles"):
        app_with(city_ctx, GIS_BASE_MAP=str(path))


def test_there_is_no_place_beyond_a_map() -> None:
    about = base_map(Choice("http://h/{z}/{x}/{y}", matrix="c", levels=(1, 5)))
    about.require(1, 1, 0)
    for place in ((0, 0, 0), (1, 2, 0), (1, 0, 1), (6, 0, 0)):
        with pytest.raises(NotFound):
            about.require(*place)


@pytest.mark.parametrize("command", ["serve", "up"])
def test_the_program_refuses_a_bad_choice_before_it_starts_anything(command: str, tmp_path: Path) -> None:
    environ = {
        "GIS_VAR": str(tmp_path / "var"),
        "GIS_BASE_MAP": "tianditu:vec_w",
        "GIS_PORT": str(free_port()),
        "GIS_LANGUAGE": "en",
    }
    told = subprocess.run(
        [*PROGRAM, command], env=CLEAN | environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.count("\n") == 1
    assert "GIS_BASE_MAP_KEY" in told.stderr
    assert not (tmp_path / "var").exists()
