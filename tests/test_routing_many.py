"""Many points in one call: the answers of one by one, by one generation, and no crash."""

import time

import numpy as np
import pytest
from city import PUBLISHED, inside

from gis_server.core.access import CONSOLE
from gis_server.core.boundaries import Place
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message
from gis_server.journeys import incidents
from gis_server.journeys.context import Context
from gis_server.journeys.route_points import MOST_POINTS, route_many

AT = PUBLISHED


def test_ten_thousand_points_have_the_answers_of_one_by_one(city_ctx: Context) -> None:
    random = np.random.default_rng(9)
    lon, lat = 126.995 + random.random(MOST_POINTS) * 0.05, 46.995 + random.random(MOST_POINTS) * 0.02
    accuracy = np.where(random.random(MOST_POINTS) < 0.5, np.nan, 10.0)
    start = time.process_time()
    found = route_many(
        city_ctx, CONSOLE, *from_cgcs2000(lon, lat, Datum.BD09), accuracy_m=accuracy, datum=Datum.BD09, at=AT
    )
    assert time.process_time() - start < 10.0
    for n in range(0, MOST_POINTS, 97):
        x, y = from_cgcs2000(lon[n], lat[n], Datum.BD09)
        one = incidents.route_point(
            city_ctx,
            CONSOLE,
            float(x),
            float(y),
            datum=Datum.BD09,
            accuracy_m=None if np.isnan(accuracy[n]) else 10.0,
            at=AT,
        )
        assert found[n] == one


def test_what_is_no_place_is_told_in_its_place(city_ctx: Context) -> None:
    here = inside(3)
    lon = np.array([here["lon"], np.nan, 1e308, here["lat"], here["lon"], 122.5])
    lat = np.array([here["lat"], 1.0, 47.0, here["lon"], here["lat"], 38.9])
    accuracy = np.array([np.nan] * 4 + [-5.0, np.nan])
    found = route_many(city_ctx, CONSOLE, lon, lat, accuracy_m=accuracy, at=AT)
    assert [isinstance(answer, Message) for answer in found] == [False, True, True, True, True, False]
    far = found[5]
    assert isinstance(far, Place)
    assert far.routed.match == "outside"
    assert route_many(city_ctx, CONSOLE, np.empty(0), np.empty(0), at=AT) == []


def test_too_many_are_refused(city_ctx: Context) -> None:
    too_many = np.full(MOST_POINTS + 1, 127.0)
    with pytest.raises(UnusableInput, match="10000"):
        route_many(city_ctx, CONSOLE, too_many, too_many - 80.0, at=AT)
