"""What is near a point: cameras by distance, whether they look there, and the staff around it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from city import COMMUNITIES, PUBLISHED, SOUTH, STEP, WEST, inside, point
from client import Client, token_client
from flask import Flask
from pyproj import Geod
from rosters import put_roster
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Tier
from gis_server.core.datum import Datum
from gis_server.core.roster import Post, WorkerKind
from gis_server.journeys import layers, places
from gis_server.journeys.context import Context
from gis_server.store import audit
from gis_server.store import layers as generations
from gis_server.store.places import cameras_near
from gis_server.store.sight import Sight

CGCS2000 = Geod(a=6378137.0, rf=298.257222101)
G = [f"{COMMUNITIES[column // 2]}00{column % 2 + 1}" for column in range(8)]
HERE = inside(0)


def publish_cameras(ctx: Context, folder: Path, rows: list[dict[str, object]]) -> None:
    path = folder / "cameras.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    done = layers.import_layer(
        ctx, CONSOLE, "camera", path, datum=Datum.CGCS2000, publish=True, now=PUBLISHED + timedelta(hours=1)
    )
    assert done.held_back is None, (done.held_back, done.problems)


def camera(number: int, lon: float, lat: float, **more: object) -> dict[str, object]:
    properties: dict[str, object] = {
        "camera_code": f"{number:020d}",
        "camera_name": f"{number}号",
        "camera_site_class": "ordinary_site",
    }
    return point(properties | more, lon, lat)


def beside(metres: float, bearing: float) -> tuple[float, float]:
    """A place ``metres`` from HERE in a direction (degrees from north)."""
    lon, lat, _ = CGCS2000.fwd(HERE["lon"], HERE["lat"], bearing, metres)
    return lon, lat


def near(client: Client, **more: object) -> Any:
    answer = client.get("/api/nearby", **{**HERE, "datum": "cgcs2000", **more})
    assert answer.status_code == 200, answer.json
    return answer.json


def test_cameras_come_by_their_distance_on_the_ellipsoid(city_ctx: Context, tmp_path: Path) -> None:
    """300 cameras around one point against a geodesic computed one by one."""
    random = np.random.default_rng(7)
    centre = (WEST + 4 * STEP, SOUTH + STEP)
    places_of = [
        CGCS2000.fwd(*centre, float(random.uniform(0, 360)), float(random.uniform(0, 520)))[:2]
        for _ in range(300)
    ]
    publish_cameras(city_ctx, tmp_path, [camera(n, *at) for n, at in enumerate(places_of)])
    for reach in (20.0, 50.0, 400.0):
        found = places.nearby(
            city_ctx, CONSOLE, *centre, datum=Datum.CGCS2000, reach_m=reach, now=datetime.now(UTC)
        )
        metres = np.array([CGCS2000.inv(*at, *centre)[2] for at in places_of])
        wanted = [n for n in np.argsort(metres, kind="stable") if metres[n] <= reach][: places.MOST_NEAR]
        assert found.cameras is not None
        assert [one.properties["camera_code"] for one in found.cameras] == [f"{n:020d}" for n in wanted]
        told = np.array([one.distance_m for one in found.cameras])
        assert np.abs(told - metres[wanted]).max() < 0.002


def test_equally_near_cameras_come_by_their_code(city_ctx: Context, app: Flask, tmp_path: Path) -> None:
    here = beside(80.0, 90.0)
    publish_cameras(city_ctx, tmp_path, [camera(n, *here) for n in (5, 3, 9, 1)])
    operator = token_client(app, city_ctx, "operator")
    codes = [[one["camera_code"] for one in near(operator)["cameras"]] for _ in range(3)]
    assert codes == [[f"{n:020d}" for n in (1, 3, 5, 9)]] * 3


def test_the_box_of_the_reach_is_looked_up_in_the_index(city_ctx: Context, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [
        camera(n, WEST + float(random.uniform(0, 8 * STEP)), SOUTH + float(random.uniform(0, 2 * STEP)))
        for n in range(4_000)
    ]
    publish_cameras(city_ctx, tmp_path, rows)
    layer = city_ctx.catalogue["camera"]
    with city_ctx.engine.connect() as conn:
        conn.execute(text("ANALYZE camera"))
        generation = generations.in_force(conn, "camera", datetime.now(UTC))
        plan = "\n".join(
            conn.scalars(
                text(
                    "EXPLAIN SELECT camera_code FROM camera WHERE generation_id = :g "
                    "AND geom && ST_MakeEnvelope(127.001, 47.001, 127.004, 47.003, 4490)"
                ),
                {"g": generation.id if generation else 0},
            )
        )
        found = cameras_near(
            conn, layer, generation, Sight(Tier.INTERNAL), (HERE["lon"], HERE["lat"]), reach_m=100.0, limit=50
        )
    assert "geom" in plan
    assert "Index" in plan or "Bitmap" in plan, plan
    assert found == sorted(found, key=lambda one: (one.distance_m, one.properties["camera_code"]))


@pytest.mark.parametrize(
    ("bearing", "more", "sees", "by_direction"),
    [
        # a camera east of the point sees it when it looks west
        (90.0, {"direction": "W"}, True, True),
        (90.0, {"direction": "2"}, True, True),
        (90.0, {"direction": "E"}, False, True),
        (90.0, {"direction": "NW", "field_angle": 60}, True, False),
        (90.0, {"direction": "NW", "field_angle": 20}, False, False),
        (90.0, {"direction": "W", "view_distance_m": 50}, False, False),
        (90.0, {"direction": "W", "view_distance_m": 150}, True, False),
        (180.0, {"direction": "N", "field_angle": 10}, True, False),
        (0.0, {}, None, False),
    ],
)
def test_it_says_whether_a_camera_looks_this_way(
    city_ctx: Context,
    app: Flask,
    tmp_path: Path,
    bearing: float,
    more: dict[str, object],
    sees: bool | None,
    by_direction: bool,
) -> None:
    publish_cameras(city_ctx, tmp_path, [camera(1, *beside(100.0, bearing), **more)])
    (found,) = near(token_client(app, city_ctx, "operator"))["cameras"]
    assert (found["sees"], found["is_by_direction_only"]) == (sees, by_direction)
    assert found["distance_m"] == pytest.approx(100.0, abs=0.02)


def test_sensitive_cameras_are_left_out_by_tier_and_read_with_a_trace(city_ctx: Context, app: Flask) -> None:
    """The made city's second camera stands at a sensitive site."""
    there = {"lon": WEST + 0.0121, "lat": SOUTH + 0.002}
    assert near(token_client(app, city_ctx, "operator"), **there)["cameras"] == []
    (seen,) = near(token_client(app, city_ctx, "admin"), **there)["cameras"]
    assert seen["camera_code"] == "23088100001310000002"
    with city_ctx.engine.connect() as conn:
        (row,) = [row for row in audit.latest(conn) if row.act == "protected_read"]
    assert row.subject == "nearby"
    assert row.detail["cameras"] == ["23088100001310000002"]


def test_the_staff_of_this_grid_and_its_neighbours_come_by_the_distance_of_their_grid(
    city_ctx: Context, app: Flask
) -> None:
    worker = {"post": Post.GRID_WORKER, "worker_kind": WorkerKind.FULL_TIME}
    people = [
        {"name": f"员{n}", "phone": f"1380000000{n}", "code": code, **worker}
        for n, code in enumerate(G)
        if n != 2
    ]
    put_roster(city_ctx, people, PUBLISHED + timedelta(days=1))
    operator = token_client(app, city_ctx, "operator")
    spot = {"lon": WEST + 1.25 * STEP, "lat": SOUTH + STEP}
    staff = near(operator, **spot, reach_m=50)["staff"]
    # the neighbours are told however far; others only within the reach
    assert [one["grid_code"] for one in staff] == [G[1], G[0], G[2]]
    assert [one["is_own"] for one in staff] == [True, False, False]
    assert staff[0]["distance_m"] == 0
    for one, edge in zip(staff[1:], (WEST + STEP, WEST + 2 * STEP), strict=True):
        _, _, metres = CGCS2000.inv(spot["lon"], spot["lat"], edge, spot["lat"])
        assert one["distance_m"] == pytest.approx(metres, rel=5e-4)
    assert [(one["answers"]["person"] or {}).get("phone") for one in staff] == [
        "13800000001",
        "13800000000",
        None,
    ]
    assert staff[2]["answers"]["unit"]["code"] == COMMUNITIES[1]
    assert len(near(operator, **spot, reach_m=1_200)["staff"]) > 3


def test_equally_near_grids_come_by_their_code_after_the_own_one(city_ctx: Context, app: Flask) -> None:
    """On the border of two grids both are at no distance: first the one that has the point."""
    staff = near(token_client(app, city_ctx, "operator"), lon=WEST + STEP, lat=SOUTH + STEP / 2)["staff"]
    assert [(one["grid_code"], one["distance_m"]) for one in staff[:2]] == [(G[0], 0), (G[1], 0)]


def test_beyond_the_territory_nothing_is_told(city_ctx: Context, app: Flask) -> None:
    west, east = token_client(app, city_ctx, "west"), token_client(app, city_ctx, "east")
    edge = {"lon": WEST + 3.9 * STEP, "lat": SOUTH + STEP}
    assert {one["grid_code"] for one in near(west, **edge, reach_m=1_000)["staff"]} <= set(G[:4])
    assert east.get("/api/nearby", **HERE, datum="cgcs2000").status_code == 403


def test_who_may_ask_and_what_is_refused(city_ctx: Context, app: Flask) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert token_client(app, city_ctx, "display").get("/api/nearby", **HERE).status_code == 403
    assert Client(app).get("/api/nearby", **HERE).status_code == 401
    for wrong, field in (
        ({"lon": "x"}, "lon"),
        ({"reach_m": 1}, "reach_m"),
        ({"reach_m": 9_999}, "reach_m"),
        ({"datum": "beijing54"}, "datum"),
        ({"lon": 100.0, "lat": 30.0}, "lon"),
        ({"near": 1}, "near"),
    ):
        refused = operator.get("/api/nearby", **{**HERE, **wrong})
        assert (refused.status_code, refused.json["field"]) == (422, field)


def test_a_point_in_gcj02_is_shifted_first(city_ctx: Context, app: Flask, tmp_path: Path) -> None:
    publish_cameras(city_ctx, tmp_path, [camera(1, HERE["lon"], HERE["lat"])])
    operator = token_client(app, city_ctx, "operator")
    assert near(operator)["cameras"][0]["distance_m"] == 0
    assert near(operator)["cameras"][0]["sees"] is None
    shifted = near(operator, datum="gcj02", reach_m=1_500)["cameras"][0]["distance_m"]
    assert 100 < shifted < 900
