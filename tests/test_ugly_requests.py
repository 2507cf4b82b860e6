"""Addresses, parameters and bodies that nobody means: each gets one sentence, and never a server's error."""

from itertools import count

import pytest
from city import TOWNS, inside
from client import Client, token_client
from flask import Flask

from gis_server.core.base_map import BaseMap, Choice, base_map
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.incident import parse_time
from gis_server.journeys.context import Context
from gis_server.views import stop_streams

TEXTS = ("%00", "a%00b", "%F0%9F%98%80", "'%3B--", "x" * 3_000, "%22%0D%0Aa:b", "%ED%A0%80", "..%2F..%2Fetc")
NUMBERS = ("-1", "NaN", "inf", "1e400", "9" * 18, "9" * 19, "9" * 5_000, "0x10", "1_0", "1.5", "١٢", "%00")
ADDRESSES = (
    "/tiles/grid/{n}/{n}/{n}.mvt",
    "/tiles/{t}/1/1/1.mvt",
    "/tiles/grid/1/1/1.mvt?generation={n}",
    "/tiles/grid/1/1/1.mvt?sight={t}",
    "/base/{n}/{n}/{n}",
    "/base/labels/{n}/0/0",
    "/api/layers/{t}/extents",
    "/api/layers/grid/extents?fields={t}",
    "/api/layers/grid/extents?generation={n}",
    "/api/grids?q={t}",
    "/api/grids/{t}/card",
    "/api/nearby?lon={n}&lat={n}",
    "/api/nearby?lon=127.001&lat=47.001&reach_m={n}",
    "/api/nearby?lon=127.001&lat=47.001&datum={t}",
    "/api/wall/{t}",
    "/api/wall/{t}/desk",
    "/api/wall/{t}/tour",
    "/api/wall/{t}/statistics",
    "/api/wall/{t}/replay",
    "/api/wall/city/ranking?period={t}",
    "/api/wall/city/ranking?most={n}",
    "/api/worker-ranking?period={t}",
    "/api/wall-files?town={t}&panel=workflow",
    "/api/wall-files?community={t}&panel=workflow",
    "/api/wall-files?grid={t}&panel=workflow",
    "/api/wall-files?grid=1&paper={n}",
    "/api/wall-files?grid=1&panel={t}",
    "/api/wall-files?grid=1&board={t}",
    "/api/wall-files?grid=1&tier={n}",
    "/api/wall-files?grid=1&orientation={t}",
    "/api/events?after={n}",
    "/api/events?wall={t}",
    "/api/incidents/{n}",
    "/api/addresses?q={t}",
    "/api/route?lon={n}&lat={n}",
    "/wall/{t}",
    "/wall/city?key={t}",
)


def test_no_address_ends_in_a_server_error(app: Flask, city_ctx: Context) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    operator = token_client(app, city_ctx, "operator")
    # who is refused is noted, and a note is a text, too
    screen = token_client(app, city_ctx, "display")
    number = count()
    wrong = []
    for address in ADDRESSES:
        for value in TEXTS if "{t}" in address else NUMBERS:
            asked = address.replace("{t}", value).replace("{n}", value)
            for reader in (operator, screen) if "%00" in value else (operator,):
                # pictures are rationed by address
                answer = reader.raw(
                    "GET", asked, environ_base={"REMOTE_ADDR": f"10.0.{next(number) % 250}.1"}, buffered=False
                )
                if answer.status_code >= 500:
                    wrong.append((answer.status_code, asked[:90]))
                answer.close()
    stop_streams(app)
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/wall/city/scene", {"scene": "overview", "grid": "a\0b"}, "grid"),
        ("/api/wall-links", {"wall_id": "\0", "label": "x"}, "wall_id"),
        ("/api/incidents", {"description": "x", "source": "patrol", "camera": "\0"}, "camera"),
        ("/api/incidents", {**inside(0), "description": "x", "source": "patrol", "item": "\0"}, "item"),
        ("/api/incidents", {"\0": 1}, "body"),
        ("/api/incidents", [["\0"]], "body"),
    ],
)
def test_a_nul_in_a_body_is_named(app: Flask, city_ctx: Context, path: str, body: object, field: str) -> None:
    refused = token_client(app, city_ctx, "operator").post(path, body)
    assert (refused.status_code, refused.json["field"]) == (422, field)


def test_a_nul_that_is_deep_in_a_body_is_found_too(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    deep = "[" * 1_000 + r'"\u0000"' + "]" * 1_000
    answer = operator.raw("POST", "/api/incidents", data=deep, content_type="application/json")
    assert answer.status_code == 422
    # a backslash and some letters are none
    named = operator.post("/api/incidents", {**inside(0), "description": r"C:\u0000", "source": "patrol"})
    assert named.status_code == 201


def test_a_nul_in_a_login_is_no_login(app: Flask) -> None:
    client = Client(app)
    given = {"login": "a\0b", "password": "x", "csrf_token": client.csrf()}
    assert client.http.post("/sign-in", data=given).status_code == 422


def map_of(matrix: str) -> BaseMap:
    return base_map(Choice("http://127.0.0.1/{z}/{x}/{y}", matrix=matrix))


@pytest.mark.parametrize("matrix", ["w", "c"])
def test_a_level_that_somebody_made_up_is_not_counted_out(matrix: str) -> None:
    with pytest.raises(NotFound):
        map_of(matrix).require(10**18, 0, 0)


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-14:00", "1899-12-31T23:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_that_no_database_can_tell_again_is_refused(time: str) -> None:
    with pytest.raises(UnusableInput):
        parse_time(time, "at")


def test_a_parameter_is_given_once_and_within_its_bounds(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for query in ("period=month&period=week", "most=1&most=2", "most=0000000001234567", "most=101"):
        assert operator.raw("GET", f"/api/wall/city/ranking?{query}").status_code == 422, query
    assert operator.raw("GET", "/api/wall/city/ranking?most=").status_code == 200
    for method, path in (("PUT", "tour"), ("DELETE", "tour"), ("POST", "scene")):
        assert operator.raw(method, f"/api/wall/{TOWNS[0]}/{path}?x=1", json={}).status_code == 422
