"""Layers cut into tiles, read back with another's reader: nothing lost, nothing torn, nothing twice."""

import math
from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import mapbox_vector_tile as reader
import momepy
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import example, given
from hypothesis import settings as options
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry import shape

from gis_server.core.catalogue import Geometry
from gis_server.core.errors import NotFound
from gis_server.core.mvt import Kind, Parts, encode, written
from gis_server.core.tile import BUFFER, EXTENT, FULL_ZOOM, MAX_ZOOM, Tile, tile
from gis_server.core.tile_borders import TOLERANCE, simplified
from gis_server.core.tile_cut import COARSE, vector_tile

WEST, SOUTH = 132.5, 47.64
BUBENEC = Path(momepy.__file__).parent / "datasets" / "bubenec.gpkg"
Cells = NDArray[np.object_]


def tiling(seed: int, across: int = 6, inner: int = 3, step: float = 0.004) -> Cells:
    """Crooked cells that share their borders vertex for vertex."""
    rng = np.random.default_rng(seed)
    nodes = np.stack(np.meshgrid(np.arange(across + 1.0), np.arange(across + 1.0), indexing="ij"), -1)
    nodes += rng.uniform(-0.3, 0.3, nodes.shape)
    edges: dict[tuple[tuple[int, int], tuple[int, int]], NDArray[np.float64]] = {}

    def edge(a: tuple[int, int], b: tuple[int, int]) -> NDArray[np.float64]:
        if (b, a) in edges:
            return edges[b, a][::-1]
        if (a, b) not in edges:
            part = np.linspace(0, 1, inner + 2)[:, None]
            line = nodes[a] * (1 - part) + nodes[b] * part
            line[1:-1] += rng.uniform(-0.24, 0.24, (inner, 2)) / inner
            edges[a, b] = line
        return edges[a, b]

    rings = []
    for i in range(across):
        for j in range(across):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            ring = np.concatenate([edge(a, b)[:-1] for a, b in pairwise(corners)])
            rings.append(ring * step + (WEST, SOUTH))
    cells = np.array([shapely.MultiPolygon([shapely.Polygon(ring)]) for ring in rings], dtype=object)
    return cells[rng.permutation(len(cells))]


def column_row(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    n = 2**zoom
    return (lon + 180) / 360 * n, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n


def tiles_over(cells: Cells, zoom: int) -> list[Tile]:
    west, south, east, north = shapely.total_bounds(cells)
    left, top = (math.floor(n) for n in column_row(west, north, zoom))
    right, bottom = (math.floor(n) for n in column_row(east, south, zoom))
    return [Tile(zoom, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]


def decoded(body: bytes) -> dict[str, Any]:
    return dict(reader.decode(body, default_options={"y_coord_down": True}))


def shapes(body: bytes, layer: str = "grid") -> dict[Any, shapely.Geometry]:
    found = decoded(body).get(layer, {"features": []})["features"]
    by_key = {one["properties"]["key"]: shape(one["geometry"]) for one in found}
    assert len(by_key) == len(found)
    return by_key


def cut(cells: Cells, place: Tile, kind: Geometry = Geometry.MULTI_POLYGON) -> bytes:
    return vector_tile("grid", kind, cells, {"key": list(range(len(cells)))}, place)


def uncovered(cells: Cells, place: Tile, rng: np.random.Generator) -> int:
    """How many of many points of the ground within the tile no polygon of the tile covers."""
    # along its outer edge the ground itself may give way by half a step of the lattice, and be made simpler
    whole = shapely.union_all(cells).buffer(-360 / 2**place.z * (COARSE + TOLERANCE) / EXTENT)
    near = np.vstack([place.degrees(0), shapely.total_bounds(cells)])
    points = rng.uniform(near[:, :2].max(axis=0), near[:, 2:].min(axis=0), (2000, 2))
    points = points[shapely.contains_xy(whole, *points.T)]
    units = np.array([column_row(lon, lat, place.z) for lon, lat in points]).reshape(-1, 2)
    units = (units - (place.x, place.y)) * EXTENT
    covered = np.zeros(len(units), dtype=bool)
    for polygon in shapes(cut(cells, place)).values():
        covered |= shapely.intersects_xy(polygon, *units.T)
    return int((~covered).sum())


@options(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), zoom=st.integers(9, MAX_ZOOM), inner=st.sampled_from([3, 30]))
@example(seed=1, zoom=12, inner=3)
@example(seed=1, zoom=12, inner=30)
@example(seed=1, zoom=MAX_ZOOM, inner=3)
@example(seed=0, zoom=9, inner=30)
def test_neighbours_leave_no_gap_at_any_zoom(seed: int, zoom: int, inner: int) -> None:
    cells = tiling(seed, inner=inner)
    rng = np.random.default_rng(seed)
    places = tiles_over(cells, zoom)
    for number in rng.choice(len(places), min(3, len(places)), replace=False):
        assert uncovered(cells, places[number], rng) == 0


@pytest.mark.parametrize("zoom", [14, 16, 17])
def test_a_real_tessellation_leaves_no_gap(zoom: int) -> None:
    _, _, wkb, _ = pyogrio.raw.read(BUBENEC, layer="tessellation")
    crs = pyogrio.read_info(BUBENEC, layer="tessellation")["crs"]
    to_degrees = Transformer.from_crs(crs, "EPSG:4490", always_xy=True)
    cells = shapely.transform(
        shapely.from_wkb(wkb), lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))
    )
    rng = np.random.default_rng(3)
    for place in tiles_over(cells, zoom)[:4]:
        assert uncovered(cells, place, rng) == 0


@options(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), zoom=st.integers(11, MAX_ZOOM - 1), inner=st.sampled_from([3, 30]))
@example(seed=2, zoom=13, inner=30)
def test_a_shape_meets_itself_where_two_tiles_meet(seed: int, zoom: int, inner: int) -> None:
    cells = tiling(seed, across=4, inner=inner)
    place = tiles_over(cells, zoom)[0]
    east = Tile(zoom, place.x + 1, place.y)
    mine, theirs = shapes(cut(cells, place)), shapes(cut(cells, east))

    def shared(polygon: shapely.Geometry, shift: int) -> set[tuple[float, float]]:
        xy = shapely.get_coordinates(polygon) + np.array([shift, 0])
        # what both buffers hold, off the edges along which they were cut
        held = (abs(xy[:, 0] - EXTENT) < BUFFER - COARSE) & (xy[:, 1] > COARSE - BUFFER)
        return {(x, y) for x, y in xy[held & (xy[:, 1] < EXTENT + BUFFER - COARSE)]}

    for key in mine.keys() & theirs.keys():
        assert shared(mine[key], 0) == shared(theirs[key], EXTENT)


def one_sided(body: bytes) -> list[shapely.LineString]:
    """The edges of a tile that are not run as often one way as the other: those with ground on one side only."""
    runs: Counter[tuple[tuple[float, float], tuple[float, float]]] = Counter()
    for polygon in shapes(body).values():
        for part in shapely.get_parts(polygon):
            for ring in (part.exterior, *part.interiors):
                for one, other in pairwise(ring.coords):
                    runs[min(one, other), max(one, other)] += 1 if one < other else -1
    return [shapely.LineString(edge) for edge, count in runs.items() if count]


@options(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), zoom=st.integers(11, FULL_ZOOM - 1))
@example(seed=1, zoom=12)
def test_borders_are_made_simpler_once_for_both_sides(seed: int, zoom: int) -> None:
    cells = tiling(seed, across=4, inner=30)
    left = 0
    for place in tiles_over(cells, zoom):
        body = cut(cells, place)
        if not body:
            continue
        corner = np.array([place.x, place.y]) * EXTENT

        def in_units(lon_lat: NDArray[np.float64], corner: NDArray[np.int64] = corner) -> NDArray[np.float64]:
            return np.array([column_row(lon, lat, zoom) for lon, lat in lon_lat]) * EXTENT - corner

        held = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
        outside = shapely.transform(shapely.union_all(cells), in_units).boundary.union(held.boundary)
        near = outside.buffer(TOLERANCE + COARSE)
        assert not [edge for edge in one_sided(body) if not near.contains(edge)]

        view = shapely.box(0, 0, EXTENT, EXTENT)
        for key, polygon in shapes(body).items():
            truth = shapely.transform(cells[key].boundary, in_units)
            positions = shapely.get_coordinates(polygon)
            left += len(positions)
            # what stays is what was, on the lattice
            inside = positions[((positions >= 0) & (positions <= EXTENT)).all(axis=1)]
            off = shapely.distance(shapely.points(inside), shapely.MultiPoint(shapely.get_coordinates(truth)))
            assert not len(inside) or off.max() <= math.sqrt(2) * COARSE / 2 + 1e-6
            # and what was left out lies no farther from it than is allowed
            drawn = shapely.MultiLineString(
                [ring.coords for ring in shapely.get_rings(shapely.get_parts(polygon))]
            )
            assert truth.intersection(view).difference(drawn.buffer(TOLERANCE + COARSE)).is_empty
    if zoom == 11:
        assert left < np.sum(shapely.get_num_coordinates(cells)) / 3


def lines(*pieces: list[tuple[int, int]]) -> Parts:
    starts = np.cumsum([0, *map(len, pieces)])
    return Parts(np.array([xy for piece in pieces for xy in piece], np.int64), starts, np.arange(len(pieces)))


def pieces(parts: Parts) -> list[list[tuple[int, int]]]:
    return [
        [(int(x), int(y)) for x, y in parts.xy[begin:end]] for begin, end in pairwise(parts.starts.tolist())
    ]


def test_an_island_stays_however_small_it_is_and_fits_its_hole() -> None:
    island = [(1000, 1000), (1002, 1000), (1002, 1002), (1000, 1002)]
    around = [(500, 500), (1500, 500), (1500, 1500), (500, 1500)]
    [one, hole, outer] = pieces(simplified(lines(island, island[::-1], around), closed=True))
    assert set(one) == set(hole) == set(island)
    assert set(outer) == set(around)


def test_lines_stay_joined_where_they_meet() -> None:
    # the second ends on a bend of the first that alone would be straightened
    first = [(1100, 1100), (1500, 1102), (1900, 1100)]
    assert pieces(simplified(lines(first), closed=False)) == [[(1100, 1100), (1900, 1100)]]
    second = [(1500, 1102), (1501, 1400), (1500, 1800)]
    assert pieces(simplified(lines(first, second), closed=False)) == [first, [(1500, 1102), (1500, 1800)]]


def test_what_crosses_the_edge_of_a_tile_crosses_it_alike_in_both() -> None:
    line = [(EXTENT - 300, 1000), (EXTENT - 2, 1002), (EXTENT + 2, 999), (EXTENT + 300, 1000)]
    [kept] = pieces(simplified(lines(line), closed=False))
    assert kept[1:-1] == line[1:-1]


def test_what_runs_back_on_itself_is_no_trouble() -> None:
    spike = [(100, 100), (300, 100), (500, 100), (300, 100)]
    [back] = pieces(simplified(lines(spike), closed=True))
    assert set(back) <= set(spike)
    assert simplified(lines(), closed=True).xy.size == 0


@options(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), zoom=st.integers(0, 15))
def test_every_name_stands_in_one_tile_and_inside_its_polygon(seed: int, zoom: int) -> None:
    cells = tiling(seed, across=4)
    found: dict[int, tuple[Tile, shapely.Geometry]] = {}
    for place in tiles_over(cells, zoom):
        for key, point in shapes(cut(cells, place), "grid_label").items():
            assert key not in found
            assert 0 <= point.x < EXTENT
            assert 0 <= point.y < EXTENT
            found[key] = place, point
    assert found.keys() == set(range(len(cells)))
    for key, (place, point) in found.items():
        x, y = (place.x + point.x / EXTENT) / 2**zoom, (place.y + point.y / EXTENT) / 2**zoom
        lon, lat = x * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))
        assert shapely.distance(cells[key], shapely.Point(lon, lat)) <= 1.5 * 360 / 2**zoom / EXTENT


def test_a_name_stands_inside_what_is_bent_torn_or_hollow() -> None:
    bent = (
        shapely.Point(WEST, SOUTH).buffer(0.01).difference(shapely.Point(WEST + 0.004, SOUTH).buffer(0.009))
    )
    ring = (
        shapely.Point(WEST + 0.1, SOUTH)
        .buffer(0.01)
        .difference(shapely.Point(WEST + 0.1, SOUTH).buffer(0.008))
    )
    torn = shapely.union_all(
        [shapely.box(WEST + k, SOUTH, WEST + k + 0.004, SOUTH + 0.004) for k in (0.2, 0.22)]
    )
    reversed_ring = shapely.reverse(ring)
    cells = np.array([bent, ring, torn, reversed_ring], dtype=object)
    place = tiles_over(cells, 9)[0]
    for key, point in shapes(cut(cells, place), "grid_label").items():
        x, y = (place.x + (point.x + 0.5) / EXTENT) / 2**9, (place.y + (point.y + 0.5) / EXTENT) / 2**9
        lon, lat = x * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))
        assert shapely.distance(cells[key], shapely.Point(lon, lat)) < 2e-4
    assert len(shapes(cut(cells, place), "grid_label")) == 4


def test_outer_rings_run_clockwise_on_the_screen_and_holes_stay() -> None:
    outer, hole = (
        shapely.box(WEST, SOUTH, WEST + 0.02, SOUTH + 0.02),
        shapely.Point(WEST + 0.01, SOUTH + 0.01),
    )
    island = shapely.Polygon(outer.exterior, [hole.buffer(0.006, quad_segs=4).exterior])
    cells = np.array([island, shapely.reverse(island)], dtype=object)
    place = tiles_over(cells, 12)[0]
    both = shapes(cut(cells, place))
    assert both[0].equals(both[1])
    assert both[0].is_valid
    assert len(both[0].interiors) == 1
    share = shapely.area(both[0]) / (shapely.area(both[0]) + shapely.Polygon(both[0].interiors[0]).area)
    assert share == pytest.approx(shapely.area(island) / outer.area, abs=0.01)


def test_at_full_zoom_a_vertex_keeps_its_place() -> None:
    cells = tiling(5, across=2, step=0.002)
    place = tiles_over(cells, FULL_ZOOM)[0]
    for key, polygon in shapes(cut(cells, place)).items():
        there = shapely.get_coordinates(polygon)
        there = there[((there > -200) & (there < EXTENT + 200)).all(axis=1)]
        truly = [column_row(lon, lat, FULL_ZOOM) for lon, lat in shapely.get_coordinates(cells[key])]
        truly = (np.array(truly) - (place.x, place.y)) * EXTENT
        for xy in there:
            assert np.abs(truly - xy).max(axis=1).min() <= 0.5 + 1e-6


def test_lines_and_points_are_cut_too() -> None:
    line = shapely.LineString([(WEST - 1, SOUTH), (WEST, SOUTH + 0.001), (WEST + 1, SOUTH)])
    far = shapely.LineString([(WEST, SOUTH + 5), (WEST + 1, SOUTH + 5)])
    x, y = (math.floor(n) for n in column_row(WEST, SOUTH, 13))
    place = Tile(13, x, y)
    lines = np.array([shapely.MultiLineString([line]), shapely.MultiLineString([far])], dtype=object)
    found = shapes(cut(lines, place, Geometry.MULTI_LINE_STRING))
    assert list(found) == [0]
    west, _, east, _ = found[0].bounds
    assert (west, east) == (-BUFFER, EXTENT + BUFFER)

    points = shapely.points([(WEST, SOUTH), (WEST, SOUTH), (WEST + 3, SOUTH)])
    assert list(shapes(cut(points, place, Geometry.POINT))) == [0]
    nothing = np.empty(0, dtype=object)
    for kind in Geometry:
        assert cut(nothing, place, kind) == b""
        assert cut(points[2:], place, Geometry.POINT) == b""


def test_what_collapses_is_left_out_and_takes_its_holes_along() -> None:
    small = shapely.Point(WEST, SOUTH).buffer(1e-4).difference(shapely.Point(WEST, SOUTH).buffer(5e-5))
    large = shapely.box(WEST - 1, SOUTH - 1, WEST + 1, SOUTH + 1).difference(
        shapely.Point(WEST, SOUTH).buffer(1e-4)
    )
    cells = np.array([small, large], dtype=object)
    found = shapes(cut(cells, tiles_over(cells, 5)[0]))
    assert list(found) == [1]
    assert not len(found[1].interiors)


def test_values_of_every_type_come_back() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    columns: dict[str, list[object]] = {
        "文字": ["网格", "", "网格"],
        "whole": [0, -5, 2**40],
        "other": [0.5, -1.25, None],
        "is": [True, False, None],
        "day": [date(2026, 3, 1), moment, None],
    }
    xy = np.arange(6, dtype=np.int64).reshape(3, 2) * 1000
    body = encode("点", Kind.POINT, Parts(xy, np.arange(4), np.arange(3)), written(columns))
    features = decoded(body)["点"]["features"]
    assert [one["geometry"]["coordinates"] for one in features] == xy.tolist()
    assert features[0]["properties"] == {
        "文字": "网格",
        "whole": 0,
        "other": 0.5,
        "is": True,
        "day": "2026-03-01",
    }
    assert features[1]["properties"]["whole"] == -5
    assert features[1]["properties"]["is"] is False
    assert features[1]["properties"]["day"] == moment.isoformat()
    assert features[2]["properties"] == {"文字": "网格", "whole": 2**40}


@given(
    xy=st.lists(
        st.tuples(st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20)),
        min_size=2,
        max_size=40,
    )
)
def test_any_line_comes_back(xy: list[tuple[int, int]]) -> None:
    parts = Parts(np.array(xy, np.int64), np.array([0, len(xy)]), np.array([0]))
    [feature] = decoded(encode("l", Kind.LINE, parts, written({})))["l"]["features"]
    assert [tuple(point) for point in feature["geometry"]["coordinates"]] == xy


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (0, 1, 0), (0, 0, 1), (19, 0, 0), (3, 8, 0)])
def test_there_is_no_tile_beyond_the_world(z: int, x: int, y: int) -> None:
    with pytest.raises(NotFound):
        tile(z, x, y)


def test_a_tile_knows_its_ground() -> None:
    assert Tile(0, 0, 0).degrees(0) == pytest.approx((-180, -85.0511288, 180, 85.0511288))
    assert Tile(1, 1, 0).degrees(0) == pytest.approx((0, 0, 180, 85.0511288))
    west, south, east, north = Tile(13, 6986, 2881).mercator
    assert east - west == pytest.approx(north - south) == pytest.approx(40075016.6856 / 2**13)
