"""Returned cases on the borders of grids: by who took them, by the nearest border within reach, by territory and time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from city import COMMUNITIES, PUBLISHED, SOUTH, STEP, WEST, inside
from client import token_client
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.boundaries import AreaRows, Boundaries, GridRows, SubGridRows
from gis_server.core.incident import parse_report
from gis_server.core.returns import ReturnedCase, count_returns
from gis_server.journeys import incidents
from gis_server.journeys.context import Context

G1, G2 = f"{COMMUNITIES[0]}001", f"{COMMUNITIES[0]}002"
NONE = np.empty(0, dtype=object)


def squares(across: int) -> Boundaries:
    """across × across grids of 0.001°, coded row by row."""
    cells = [
        shapely.box(127 + x * 0.001, 47 + y * 0.001, 127.001 + x * 0.001, 47.001 + y * 0.001)
        for y in range(across)
        for x in range(across)
    ]
    codes = [f"{n:03}" for n in range(len(cells))]
    blank = [None] * len(cells)
    rows = GridRows(
        list(range(len(cells))), codes, codes, codes, blank, blank, blank, np.array(cells, dtype=object)
    )
    return Boundaries({"grid": 1}, AreaRows([], [], [], [], NONE), rows, SubGridRows([], [], NONE))


def case(
    lon: float, lat: float, grid: str | None, taken_by: str | None = None, number: str = "1"
) -> ReturnedCase:
    return ReturnedCase(number, lon, lat, None, grid, taken_by)


def pairs(found) -> list[tuple[str, str, int]]:
    return [(one.grids[0].code, one.grids[1].code, one.count) for one in found.segments]


def test_a_case_is_counted_on_the_border_between_the_two_grids() -> None:
    city = squares(3)
    by_right = case(127.00195, 47.0015, "004")  # of the middle grid, 4 m from its eastern border
    by_taker = case(127.00195, 47.0015, "004", "001")  # the grid below took it
    nowhere = case(
        127.0015, 47.0015, "004"
    )  # in the middle, 37 m from the nearest border... and so within reach
    found = count_returns([by_right, by_right, by_taker, case(127.0015, 47.0015, None)], city)
    assert pairs(found) == [("004", "005", 2), ("001", "004", 1)]
    assert (found.total, found.elsewhere) == (4, 1)
    line = found.segments[0].line
    assert line.bounds == pytest.approx((127.002, 47.001, 127.002, 47.002), abs=1e-5)
    assert count_returns([nowhere], city).elsewhere == 0


def test_what_is_out_of_reach_or_no_neighbour_is_counted_elsewhere() -> None:
    city = squares(3)
    far = Boundaries({"grid": 1}, AreaRows([], [], [], [], NONE), _wide(), SubGridRows([], [], NONE))
    assert count_returns([case(127.05, 47.05, "000")], far).elsewhere == 1
    assert count_returns([case(127.0005, 47.0005, "000", "008")], city).elsewhere == 1  # they meet nowhere
    assert count_returns([case(127.0005, 47.0005, "gone")], city).elsewhere == 1
    assert count_returns([], city).segments == ()


def _wide() -> GridRows:
    cells = [shapely.box(127, 47, 127.1, 47.1), shapely.box(127.1, 47, 127.2, 47.1)]
    blank = [None, None]
    return GridRows(
        [0, 1], ["000", "001"], ["a", "b"], ["", ""], blank, blank, blank, np.array(cells, dtype=object)
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.003), st.floats(0, 0.003)), max_size=12))
def test_every_case_is_counted_once(places: list[tuple[float, float]]) -> None:
    city = squares(3)
    cases = [
        case(127 + x, 47 + y, city.route(127 + x, 47 + y).routed.grid_code, number=str(n))
        for n, (x, y) in enumerate(places)
    ]
    found = count_returns(cases, city)
    assert found.total == len(places) == found.elsewhere + sum(one.count for one in found.segments)
    for one in found.segments:
        codes = {one.grids[0].code, one.grids[1].code}
        assert one.grids[0].code < one.grids[1].code
        assert {cases[int(number)].grid_code for number in one.numbers} <= codes


def returned(ctx: Context, place: dict[str, float], at: datetime) -> str:
    given = {**place, "datum": "cgcs2000", "description": "井盖缺失", "source": "patrol"}
    made = incidents.report(ctx, CONSOLE, parse_report(given, at), at).incident
    with ctx.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO incident_event (incident_id, at, actor, from_state, to_state, step)"
                " VALUES (:id, :at, 'x', 'dispatched', 'returned', 'return')"
            ),
            {"id": made.id, "at": at},
        )
    return made.number


def test_over_http(app: Flask, city_ctx: Context) -> None:
    day = timedelta(days=1)
    border = {"lon": WEST + STEP - 0.0002, "lat": SOUTH + 0.5 * STEP}
    first = returned(city_ctx, border, PUBLISHED + day)
    second = returned(city_ctx, border, PUBLISHED + 3 * day)
    returned(city_ctx, inside(6), PUBLISHED + day)
    operator, west = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "west")
    told = operator.get("/api/returns")
    assert told.mimetype == "application/geo+json"
    (feature,) = told.json["features"]
    assert feature["properties"]["count"] == 2
    assert [grid["grid_code"] for grid in feature["properties"]["grids"]] == [G1, G2]
    assert feature["properties"]["numbers"] == [first, second]
    assert feature["geometry"]["type"] == "LineString"
    assert (told.json["total"], told.json["elsewhere"]) == (3, 1)
    assert west.get("/api/returns").json["total"] == 2
    later = operator.get("/api/returns", since=(PUBLISHED + 2 * day).isoformat()).json
    assert later["features"][0]["properties"]["numbers"] == [second]
    wrong = operator.get("/api/returns", since=datetime.now(UTC).isoformat(), until=PUBLISHED.isoformat())
    assert (wrong.status_code, wrong.json["field"]) == (422, "since")
    assert token_client(app, city_ctx, "display").get("/api/returns").status_code == 403
