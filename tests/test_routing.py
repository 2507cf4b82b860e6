"""A point belongs to exactly one grid, always the same, however it is asked."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gis_server.core.errors import UnusableInput
from gis_server.core.routing import R95, Cover, GridIndex, Match, Routed


def plane(*boxes: tuple[float, float, float, float], codes: str = "abcdefgh") -> GridIndex:
    return GridIndex(list(codes[: len(boxes)]), np.array([shapely.box(*box) for box in boxes]), None)


def test_a_point_on_the_common_border_goes_to_the_lower_code_every_time() -> None:
    """Scenario S18."""
    for codes in ("ab", "ba"):
        index = plane((0, 0, 500, 500), (500, 0, 1000, 500), codes=codes)
        assert {index.route(500, 250).grid_code for _ in range(100)} == {"a"}


def test_a_point_outside_every_grid_is_outside_with_its_distance() -> None:
    index = plane((0, 0, 500, 500), (500, 0, 1000, 500))
    assert index.route(1200, 500) == Routed(Match.OUTSIDE, None, None, None, 200.0, stable_within_m=150.0)


def test_a_point_within_reach_of_the_outer_border_is_near_the_lower_of_two_equally_near_grids() -> None:
    index = plane((0, 0, 500, 500), (500, 0, 1000, 500), codes="ba")
    assert index.route(500, 530) == Routed(Match.NEAR, 1, "a", None, 30.0, stable_within_m=0.0)
    assert index.route(500, 551).match is Match.OUTSIDE


def test_an_index_without_grids_sends_every_point_outside() -> None:
    index = GridIndex([], np.empty(0, dtype=object), None)
    assert index.route(1, 1) == Routed(Match.OUTSIDE, None, None, None, None)
    assert index.bounds() is None


def test_the_sub_grid_is_one_of_the_grid_even_on_a_border_of_sub_grids() -> None:
    index = GridIndex(
        ["a", "b"],
        np.array([shapely.box(0, 0, 500, 500), shapely.box(500, 0, 1000, 500)]),
        None,
        sub_codes=["a2", "a1", "b1", "a0"],
        sub_geometries=np.array(
            [
                shapely.box(0, 250, 500, 500),
                shapely.box(0, 0, 500, 250),
                shapely.box(500, 0, 1000, 500),
                shapely.box(600, 0, 700, 100),
            ]
        ),
        sub_parents=["a", "a", "b", "a"],
    )
    assert index.route(250, 250).sub_grid_code == "a1"
    assert index.route(500, 400).sub_grid_code == "a2"
    assert index.route(650, 50).sub_grid_code == "b1"
    assert index.route(510, 510).sub_grid_code is None


def test_an_uncertain_position_names_every_grid_within_its_radius_likeliest_first() -> None:
    index = plane((0, 0, 500, 500), (500, 0, 1000, 500))
    routed = index.route(495, 250, 10.0)
    assert (routed.match, routed.grid_code, routed.distance_m) == (Match.BORDER, "a", 5.0)
    assert [c.grid_code for c in routed.candidates] == ["a", "b"]
    # 5 m from a straight line, in standard deviations
    expected = 0.5 * (1 + math.erf(5 / (10 / R95) / math.sqrt(2)))
    assert routed.candidates[0].share == pytest.approx(expected, abs=1e-3)
    assert sum(c.share for c in routed.candidates) == pytest.approx(1.0, abs=1e-3)
    assert index.route(485, 250, 10.0).match is Match.INSIDE
    assert index.route(495, 250, 0.0).match is Match.INSIDE


@pytest.mark.parametrize(
    ("lon", "lat", "field"),
    [
        (math.nan, 47.0, "lon"),
        (127.0, math.inf, "lat"),
        (1e308, 47.0, "lon"),
        (127.0, -91.0, "lat"),
        (47.2, 127.0, "lon"),
        (45.0, 80.0, "lon"),
    ],
)
def test_what_cannot_be_a_place_is_refused_by_name(lon: float, lat: float, field: str) -> None:
    index = GridIndex(["a"], np.array([shapely.box(127, 47, 127.1, 47.1)]), "EPSG:4551")
    with pytest.raises(UnusableInput) as refused:
        index.route(lon, lat)
    assert refused.value.field == field
    assert refused.value.expected is not None


def test_swapped_axes_are_called_swapped() -> None:
    index = GridIndex(["a"], np.array([shapely.box(127, 47, 127.1, 47.1)]), "EPSG:4551")
    with pytest.raises(UnusableInput, match="写反"):
        index.route(47.05, 127.05)


@pytest.mark.parametrize("accuracy", [-1.0, math.nan, 5_001.0])
def test_an_accuracy_that_means_nothing_is_refused(accuracy: float) -> None:
    with pytest.raises(UnusableInput) as refused:
        plane((0, 0, 1, 1)).route(0.5, 0.5, accuracy)
    assert refused.value.field == "accuracy_m"


def test_distances_are_metres_on_the_ground() -> None:
    # one minute of latitude is about 1,852 m
    index = GridIndex(["a"], np.array([shapely.box(127, 47, 127.1, 47.1)]), "EPSG:4551")
    assert index.route(127.05, 47.1 + 1 / 60).distance_m == pytest.approx(1853, abs=2)
    assert index.route(127.05, 47.05).match is Match.INSIDE


def tiling(seed: int, cells: int = 24) -> np.ndarray:
    """A real tiling in degrees: shared vertices of three and more cells, straight shared edges."""
    random = np.random.default_rng(seed)
    points = shapely.multipoints(random.random((cells, 2)) * 0.05 + (127.0, 47.0))
    return np.array(shapely.get_parts(shapely.voronoi_polygons(points)))


def hard_points(cells: np.ndarray, seed: int) -> np.ndarray:
    """Vertices, points on edges and their neighbours in the last bit, points all over."""
    random = np.random.default_rng(seed)
    found = [random.random((50, 2)) * 0.06 + (126.995, 46.995)]
    for cell in cells:
        ring = shapely.get_coordinates(cell)
        found.append(ring)
        for part in (0.5, 1 / 3, random.random()):
            on_edge = ring[:-1] * (1 - part) + ring[1:] * part
            found += [on_edge, np.nextafter(on_edge, 200), np.nextafter(on_edge, -200)]
    return np.concatenate(found)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_by_one_all_at_once_and_by_brute_force_agree(seed: int) -> None:
    cells = tiling(seed)
    codes = [f"{code:03d}" for code in np.random.default_rng(seed).permutation(len(cells))]
    cover = Cover(codes, cells)
    points = hard_points(cells, seed)
    at_once = cover.find_all(points[:, 0], points[:, 1])
    for (lon, lat), rank in zip(points.tolist(), at_once.tolist(), strict=True):
        assert cover.find(lon, lat) == rank
        covering = [
            code for code, cell in zip(codes, cells, strict=True) if shapely.Point(lon, lat).intersects(cell)
        ]
        assert (cover.codes[rank] if rank >= 0 else None) == min(covering, default=None)


@pytest.mark.parametrize("seed", range(3))
def test_sql_gives_every_shared_vertex_and_edge_to_the_same_grid(seed: int, connection: Connection) -> None:
    cells = tiling(seed, 40)
    codes = [f"{code:03d}" for code in np.random.default_rng(seed).permutation(len(cells))]
    points = hard_points(cells, seed)
    connection.execute(
        text("CREATE TEMP TABLE cell (code text, geom geometry(Polygon, 4490)) ON COMMIT DROP")
    )
    connection.execute(
        text("INSERT INTO cell VALUES (:code, ST_GeomFromWKB(:wkb, 4490))"),
        [{"code": code, "wkb": shapely.to_wkb(cell)} for code, cell in zip(codes, cells, strict=True)],
    )
    in_sql = connection.execute(
        text(
            """
            SELECT (SELECT code FROM cell WHERE ST_Covers(cell.geom, point) ORDER BY code COLLATE "C" LIMIT 1)
            FROM unnest(cast(:lon AS float8[]), cast(:lat AS float8[])) WITH ORDINALITY AS p (lon, lat, place),
                 LATERAL ST_SetSRID(ST_MakePoint(lon, lat), 4490) AS point
            ORDER BY place
            """
        ),
        {"lon": points[:, 0].tolist(), "lat": points[:, 1].tolist()},
    ).scalars()
    cover = Cover(codes, cells)
    ranks = cover.find_all(points[:, 0], points[:, 1]).tolist()
    assert list(in_sql) == [cover.codes[rank] if rank >= 0 else None for rank in ranks]


def test_many_points_get_the_answers_of_one() -> None:
    cells = tiling(7)
    subs, parents = [], []
    for n, cell in enumerate(cells):
        west, south, east, north = cell.bounds
        halves = [
            shapely.box(west, south, (west + east) / 2, north),
            shapely.box((west + east) / 2, south, east, north),
        ]
        subs += [part for half in halves if not (part := cell.intersection(half)).is_empty]
        parents += [f"{n:03d}"] * (len(subs) - len(parents))
    index = GridIndex(
        [f"{n:03d}" for n in range(len(cells))],
        cells,
        "EPSG:4551",
        sub_codes=[f"{(n * 7) % 101:03d}" for n in range(len(subs))],
        sub_geometries=np.array(subs),
        sub_parents=parents,
    )
    points = hard_points(cells, 7)[:600]
    for accuracy in (np.full(600, np.nan), np.where(np.arange(600) % 3 == 0, np.nan, 15.0), np.zeros(600)):
        at_once = index.route_all(points[:, 0], points[:, 1], accuracy)
        for n, ((x, y), a) in enumerate(zip(points.tolist(), accuracy.tolist(), strict=True)):
            assert at_once[n] == index.route(x, y, None if math.isnan(a) else a)
        assert at_once.grid_codes() == [found.grid_code for found in at_once]
        assert at_once.sub_grid_codes() == [found.sub_grid_code for found in at_once]
        assert at_once.matches() == [found.match for found in at_once]


def test_what_is_no_place_is_a_problem_of_its_row_and_stops_nothing() -> None:
    box = np.array([shapely.box(127, 47, 127.1, 47.1)])
    lon = np.array([127.05, np.nan, np.inf, 1e308, 47.05, 127.05, 127.05, 122.5, -60.0, 200.0])
    lat = np.array([47.05, 47.05, 47.05, -1e308, 127.05, 47.05, 47.05, 39.0, -47.0, 47.0])
    accuracy = np.array([np.nan] * 5 + [-1.0, 1e308] + [np.nan] * 3)
    found = GridIndex(["a"], box, "EPSG:4551").route_all(lon, lat, accuracy)
    assert sorted(found.problems) == [1, 2, 3, 4, 5, 6, 9]
    assert "写反" in str(found.problems[4])
    assert found.grid_codes() == ["a"] + [None] * 9
    assert [found.matches()[n] for n in (0, 7, 8)] == [Match.INSIDE, Match.OUTSIDE, Match.OUTSIDE]
    assert found.matches()[1] is None
    # the Yellow Sea, and the other side of the Earth, which the projection does not reach
    assert found.distance_m[7] == pytest.approx(960_000, rel=0.05)
    assert found.distance_m[8] == pytest.approx(20_000_000, rel=0.05)
    plane_found = plane((0, 0, 1, 1)).route_all(np.array([0.5, 1e308, np.nan]), np.array([0.5, 0.0, 0.0]))
    assert sorted(plane_found.problems) == [1, 2]


def test_no_points_are_no_answers() -> None:
    assert list(plane((0, 0, 1, 1)).route_all(np.empty(0), np.empty(0))) == []


def test_rows_of_one_code_are_one_grid() -> None:
    index = plane((0, 0, 500, 500), (500, 0, 1000, 500), (1000, 0, 1500, 500), codes="aab")
    assert index.route(495, 250, 20.0).match is Match.INSIDE
    shares = {c.grid_code: c.share for c in index.route(990, 250, 20.0).candidates}
    assert set(shares) == {"a", "b"}
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_place_within_the_stable_distance_has_another_grid(seed: int) -> None:
    random = np.random.default_rng(seed)
    cells = tiling(seed)
    index = GridIndex([f"{n:03d}" for n in range(len(cells))], cells, "EPSG:4551")
    lon, lat = random.random(300) * 0.07 + 126.99, random.random(300) * 0.07 + 46.99
    found = index.route_all(lon, lat)
    step = np.maximum(found.stable_within_m - 0.002, 0.0) / 111_400.0
    angle = random.random(300) * 2 * np.pi
    moved = index.route_all(
        lon + step * np.cos(angle) / np.cos(np.radians(lat + 0.001)) * 0.998, lat + step * np.sin(angle)
    )
    assert moved.grid_codes() == found.grid_codes()
