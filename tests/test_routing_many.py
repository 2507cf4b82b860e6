"""Many points in one call: the answers of one by one, by one generation, and no crash."""

import time

import numpy as np
import pytest
from city import COMMUNITIES, inside
from client import Client, token_client
from flask import Flask

from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.route_request import MOST_POINTS
from gis_server.journeys.context import Context


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def test_ten_thousand_points_have_the_answers_of_one_by_one(operator: Client) -> None:
    random = np.random.default_rng(9)
    lon, lat = from_cgcs2000(
        126.995 + random.random(MOST_POINTS) * 0.05, 46.995 + random.random(MOST_POINTS) * 0.02, Datum.BD09
    )
    points = [{"lon": x, "lat": y} for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    for point in points[::2]:
        point["accuracy_m"] = 10.0
    start = time.process_time()
    answer = operator.post("/api/route", {"points": points, "datum": "bd09"})
    assert time.process_time() - start < 10.0
    assert answer.status_code == 200
    results = answer.json["results"]
    assert len(results) == MOST_POINTS
    for n in range(0, MOST_POINTS, 199):
        assert results[n] == operator.get("/api/route", **points[n], datum="bd09").json


def test_what_is_no_place_is_told_in_its_place(operator: Client) -> None:
    here = inside(3)
    points = [
        here,
        {"lon": 1e308, "lat": -1e308},
        {"lon": here["lat"], "lat": here["lon"]},
        {**here, "accuracy_m": -5},
        {"lon": 122.5, "lat": 38.9},
        {**here, "accuracy_m": None},
    ]
    results = operator.post("/api/route", {"points": points}).json["results"]
    assert ["problem" in result for result in results] == [False, True, True, True, False, False]
    assert "写反" in results[2]["problem"]
    assert results[4]["match"] == "outside"
    assert results[5] == results[0]
    assert results[0]["grid_code"] == f"{COMMUNITIES[1]}002"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "points"),
        ({"points": []}, "points"),
        ({"points": [{"lon": 127.0, "lat": 47.0}] * (MOST_POINTS + 1)}, "points"),
        ({"points": [[127.0, 47.0]]}, "points[0]"),
        ({"points": [{"lon": 127.0, "lat": 47.0}, {"lon": "127", "lat": 47.0}]}, "points[1].lon"),
        ({"points": [{"lon": 127.0}]}, "points[0].lat"),
        ({"points": [{"lon": 127.0, "lat": 47.0, "height": 3}]}, "points[0].height"),
        ({"points": [{"lon": 127.0, "lat": 47.0}], "datum": "mars"}, "datum"),
        ({"points": [{"lon": 127.0, "lat": 47.0}], "at": "yesterday"}, "at"),
        ({"points": [{"lon": 127.0, "lat": 47.0}], "At": None}, "At"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_by_name(
    operator: Client, body: dict[str, object], field: str
) -> None:
    answer = operator.post("/api/route", body)
    assert answer.status_code in (400, 422)
    assert answer.json["field"] == field
    assert answer.json["expected"]


def test_a_stranger_is_not_answered(app: Flask, city_ctx: Context) -> None:
    answer = Client(app).post("/api/route", {"points": [inside(0)]})
    assert answer.status_code in (401, 403)
