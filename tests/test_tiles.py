"""Layers in vector tiles over HTTP."""

from city import inside
from client import token_client
from flask import Flask

from gis_server.journeys.context import Context


def test_a_tile_is_answered_once_and_known_again(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    answer = operator.get("/tiles/grid/13/6986/2881.mvt")
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.mapbox-vector-tile")
    print(len(answer.data), answer.headers, answer.data[:200])
    assert operator.get("/tiles/grid/13/1/1.mvt").status_code == 204
    print(operator.get("/api/layers/grid/extents").json)
    print([(l["name"], l["count"], l["tiles"], l["extents_url"]) for l in operator.get("/api/catalogue").json["layers"]])
