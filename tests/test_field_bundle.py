"""The phone's bundle: the browser's modules give the server's own answer, to the last bit and in every tie."""

import json
import math
import subprocess
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
import shapely
from city import COMMUNITIES, SOUTH, STEP, WEST
from client import Client, token_client
from flask import Flask

from gis_server.core.access import Actor, Role, Territory
from gis_server.core.field_bundle import FieldBundle
from gis_server.journeys import field
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context
from gis_server.settings import PROJECT_FOLDER

SCRIPT = """
import { readFileSync } from "node:fs";
const { GridBundle } = await import(process.argv[1] + "/web/core/grid_bundle.js");
const { bundle, points } = JSON.parse(readFileSync(0, "utf8"));
const grids = new GridBundle(bundle);
console.log(JSON.stringify(points.map(([lon, lat]) => grids.find(lon, lat)?.grid_code ?? null)));
"""
SIDES = """
import { readFileSync } from "node:fs";
const { orientation } = await import(process.argv[1] + "/web/core/orientation.js");
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((row) => orientation(...row))));
"""


def node(script: str, given: object) -> object:
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script, str(PROJECT_FOLDER)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def in_the_browser(bundle: FieldBundle, points: np.ndarray) -> list[str | None]:
    grids = [
        {"grid_code": g.grid_code, "grid_name": g.grid_name, "is_own": g.is_own, "polygons": g.polygons}
        for g in bundle.grids
    ]
    # in another order than that of the codes
    content = {"bundle": {"generation": 1, "grids": grids[::-1]}, "points": points.tolist()}
    return list(node(SCRIPT, content))  # type: ignore[call-overload]


def telling_points(bundle: FieldBundle, chance: np.random.Generator, n: int) -> np.ndarray:
    """Vertices, places on edges as near as doubles come, their neighbours by one bit, and places anywhere."""
    rings = [np.array(ring) for g in bundle.grids for rings in g.polygons for ring in rings]
    starts = np.concatenate([ring[:-1] for ring in rings])
    ends = np.concatenate([ring[1:] for ring in rings])
    some = chance.choice(len(starts), min(n, len(starts)), replace=False)
    share = chance.uniform(0, 1, (len(some), 1))
    on_edges = starts[some] + share * (ends[some] - starts[some])
    middles = (starts[some] + ends[some]) / 2
    near = np.concatenate([on_edges, middles, starts[some]])
    nudged = np.nextafter(near, near + chance.choice([-1.0, 0.0, 1.0], near.shape))
    low, high = starts.min(axis=0) - 0.001, starts.max(axis=0) + 0.001
    anywhere = chance.uniform(low, high, (n, 2))
    return np.concatenate([starts[some], on_edges, middles, nudged, anywhere])


def test_the_phone_and_the_server_agree_on_every_vertex_edge_and_place(sample_ctx: Context) -> None:
    worker = Actor(1, "x", Role.OPERATOR)
    bundle = field.bundle(sample_ctx, worker, datetime.now(UTC))
    assert bundle.is_complete
    assert len(bundle.grids) == 200
    with sample_ctx.engine.connect() as conn:
        index = boundaries_at(conn, datetime.now(UTC)).index
    points = telling_points(bundle, np.random.default_rng(20261122), 4_000)
    here = [index.find(lon, lat) for lon, lat in points.tolist()]
    assert in_the_browser(bundle, points) == here
    # shared vertices are among them, and every one has its grid
    geometries = np.array([shapely.MultiPolygon([(p[0], p[1:]) for p in g.polygons]) for g in bundle.grids])
    tree = shapely.STRtree(geometries)
    which, _ = tree.query(shapely.points(points), predicate="intersects")
    shared = np.flatnonzero(np.bincount(which, minlength=len(points)) > 1)
    assert len(shared) > 3_000
    assert all(here[point] is not None for point in shared)


def test_a_territory_s_bundle_is_small_and_right_inside_and_on_its_border(sample_ctx: Context) -> None:
    with sample_ctx.engine.connect() as conn:
        found = boundaries_at(conn, datetime.now(UTC))
    communities = sorted(set(found.grids.community_codes))
    for community in communities[:: max(len(communities) // 5, 1)]:
        territory = Territory(found.path_of(community))
        bundle = field.bundle(sample_ctx, Actor(1, "x", Role.GRID_WORKER, territory), datetime.now(UTC))
        own = [g for g in bundle.grids if g.is_own]
        assert {g.grid_code for g in own} == {
            code
            for code, of in zip(found.grids.codes, found.grids.community_codes, strict=True)
            if of == community
        }
        assert len(bundle.grids) < 60
        inside = telling_points(FieldBundle(1, tuple(own)), np.random.default_rng(7), 400)
        codes = in_the_browser(bundle, inside)
        area = shapely.union_all([shapely.MultiPolygon([(p[0], p[1:]) for p in g.polygons]) for g in own])
        covered = shapely.intersects_xy(area, inside[:, 0], inside[:, 1])
        for (lon, lat), code, is_covered in zip(inside.tolist(), codes, covered.tolist(), strict=True):
            if is_covered:
                assert code == found.index.find(lon, lat)


def test_every_lattice_node_goes_to_the_lowest_code(city_ctx: Context) -> None:
    bundle = field.bundle(city_ctx, Actor(1, "x", Role.OPERATOR), datetime.now(UTC))
    nodes = np.array(
        [[round(WEST + c * STEP, 6), round(SOUTH + r * STEP, 6)] for c in range(9) for r in range(3)]
    )
    codes = in_the_browser(bundle, nodes)
    assert codes[:3] == [f"{COMMUNITIES[0]}001"] * 3
    assert codes[3:6] == [f"{COMMUNITIES[0]}001"] * 3
    assert codes[6:9] == [f"{COMMUNITIES[0]}002"] * 3


def test_the_bundle_over_http(app: Flask, city_ctx: Context) -> None:
    worker = token_client(app, city_ctx, "worker")
    answer = worker.get("/api/field/bundle")
    assert answer.status_code == 200
    own = [g["grid_code"] for g in answer.json["grids"] if g["is_own"]]
    assert own == [f"{COMMUNITIES[0]}001", f"{COMMUNITIES[0]}002"]
    assert [g["grid_code"] for g in answer.json["grids"]] == [*own, f"{COMMUNITIES[1]}001"]
    again = worker.raw("GET", "/api/field/bundle", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert token_client(app, city_ctx, "display").get("/api/field/bundle").status_code == 403
    assert Client(app).get("/api/field/bundle").status_code == 401
    assert worker.get("/api/field/bundle", grid="x").status_code == 422


def test_a_bundle_too_large_for_a_phone_says_so(city_ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis_server.core.field_bundle.MOST_VERTICES", 10)
    bundle = field.bundle(city_ctx, Actor(1, "x", Role.OPERATOR), datetime.now(UTC))
    assert (bundle.is_complete, bundle.grids) == (False, ())


def test_the_side_of_a_line_is_exact() -> None:
    chance = np.random.default_rng(31)
    odd = [0.0, -0.0, 5e-324, -5e-324, 1e-160, 1e-300, 1e308, -1e308, 127.0 + 2**-45, 127.005, math.pi, 180.0]
    places = chance.uniform(-180, 180, (6_000, 6))
    strange = chance.choice(odd, (3_000, 6))
    # on the line but for rounding, and one bit beside it
    share = chance.uniform(0, 1, (6_000, 1))
    on = places.copy()
    on[:, 4:] = on[:, :2] + share * (on[:, 2:4] - on[:, :2])
    beside = on.copy()
    beside[:, 4:] = np.nextafter(on[:, 4:], on[:, 4:] + chance.choice([-1.0, 1.0], (6_000, 2)))
    # really on it: in the middle of whole numbers
    whole = chance.integers(-(2**20), 2**20, (2_000, 6)).astype(float) * 2.0
    whole[:, 4:] = (whole[:, :2] + whole[:, 2:4]) / 2
    ends = places[:500].copy()
    ends[:, 4:] = ends[:, 2:4]
    every = np.concatenate([places, strange, on, beside, whole, ends]).tolist()
    wanted = [side(*row) for row in every]
    assert node(SIDES, every) == wanted
    assert wanted.count(0) >= 2_500


def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    ax_, ay_, bx_, by_, px_, py_ = map(Fraction, (ax, ay, bx, by, px, py))
    turn = (ax_ - px_) * (by_ - py_) - (ay_ - py_) * (bx_ - px_)
    return (turn > 0) - (turn < 0)
