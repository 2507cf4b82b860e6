"""The table behind routing gives GEOS's own answers, whatever the polygons are like."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from gis_server.core.routing import NOWHERE, Cover


def by_geos(cover: Cover, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The lowest rank of all polygons that cover each point, by the plain index."""
    points, ranks = shapely.STRtree(cover.geometries).query(shapely.points(x, y), predicate="intersects")
    lowest = np.full(len(x), len(cover.codes))
    np.minimum.at(lowest, points, ranks)
    return np.where(lowest == len(cover.codes), NOWHERE, lowest)


def places(polygons: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Places all over, every vertex, places on edges and their neighbours in the last bit."""
    west, south, east, north = shapely.total_bounds(polygons)
    corner = np.array([west, south])
    found = [corner + (1.2 * random.random((2000, 2)) - 0.1) * ((east, north) - corner)]
    for line in shapely.get_parts(shapely.boundary(polygons)):
        vertices = shapely.get_coordinates(line)
        part = random.random((len(vertices) - 1, 1))
        on_edge = vertices[:-1] * (1 - part) + vertices[1:] * part
        middle = (vertices[:-1] + vertices[1:]) / 2
        found += [vertices, on_edge, middle, np.nextafter(on_edge, 1e9), np.nextafter(on_edge, -1e9)]
    return np.concatenate(found)


def check(polygons: np.ndarray, seed: int, singles: int = 400) -> None:
    random = np.random.default_rng(seed)
    cover = Cover([f"{code:06d}" for code in random.permutation(len(polygons))], polygons)
    xy = places(polygons, random)
    expected = by_geos(cover, xy[:, 0], xy[:, 1])
    np.testing.assert_array_equal(cover.find_all(xy[:, 0], xy[:, 1]), expected)
    some = random.permutation(len(xy))[:singles]
    assert [cover.find(x, y) for x, y in xy[some].tolist()] == expected[some].tolist()


def blobs(random: np.random.Generator, count: int, spread: float) -> np.ndarray:
    """Star-shaped polygons, some with holes, some of several parts, that overlap as they like."""
    shapes = []
    for _ in range(count):
        angle = np.sort(random.random(random.integers(3, 40)) * 2 * np.pi)
        radius = 0.3 + random.random(len(angle))
        outline = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
        shape = shapely.make_valid(shapely.Polygon(outline), method="structure")
        if random.random() < 0.3:
            shape = shape.difference(shapely.box(-0.2, -0.15, 0.1, 0.2))
        if random.random() < 0.3:
            shape = shape.union(shapely.box(2, 2, 2.5, 3))
        shapes.append(affinity.translate(shape, *(random.random(2) * spread)))
    return np.array([shape for shape in shapes if shape.geom_type in ("Polygon", "MultiPolygon")])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 5.0, 60.0]))
def test_polygons_of_any_kind(seed: int, spread: float) -> None:
    polygons = blobs(np.random.default_rng(seed), 12, spread)
    if len(polygons):
        check(polygons, seed)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([1.0, 1e-4, 1e4]))
def test_boxes_on_a_lattice_where_everything_is_in_line(seed: int, side: int, size: float) -> None:
    boxes = [
        shapely.box(127 + x * size, 47 + y * size, 127 + (x + 1) * size, 47 + (y + 1) * size)
        for x in range(side)
        for y in range(side)
    ]
    check(np.array(boxes), seed)


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_whose_vertices_do_not_meet(seed: int) -> None:
    """T-junctions, slivers and hairline overlaps, as received files have them."""
    random = np.random.default_rng(seed)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(random.random((60, 2)))))
    check(shapely.set_precision(cells, 1e-4), seed)
    moved = [affinity.translate(cell, *(random.normal(size=2) * 1e-5)) for cell in cells]
    check(np.array(moved), seed)


def test_a_few_polygons_with_very_many_vertices() -> None:
    random = np.random.default_rng(4)
    angle = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    radius = 1 + 0.2 * np.cumsum(random.normal(size=5000)) / 100
    outline = np.column_stack([np.cos(angle), np.sin(angle)]) * np.abs(radius)[:, None]
    whole = shapely.make_valid(shapely.Polygon(outline), method="structure")
    halves = [whole.intersection(shapely.box(-9, -9, 0.1, 9)), whole.intersection(shapely.box(0.1, -9, 9, 9))]
    check(np.array(halves), 4)


def test_one_stray_polygon_far_away_does_not_spoil_the_others() -> None:
    random = np.random.default_rng(5)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(random.random((300, 2)) * 1e-2)))
    check(np.append(cells, shapely.box(100, 50, 100.001, 50.001)), 5)


@pytest.mark.parametrize("high", [1e-9, 1e-300, 0.0])
def test_polygons_thinner_than_can_be(high: float) -> None:
    thin = shapely.Polygon([(127, 47), (128, 47), (128, 47 + high), (127, 47 + high)])
    check(np.array([thin, shapely.Polygon()]), 6)


def test_what_is_no_number_is_nowhere() -> None:
    cover = Cover(["a"], np.array([shapely.box(0, 0, 1, 1)]))
    odd = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308, 0.5])
    assert cover.find_all(odd, odd).tolist() == [NOWHERE] * 5 + [0]
    assert [cover.find(x, x) for x in odd.tolist()] == [NOWHERE] * 5 + [0]
    assert Cover([], np.empty(0, object)).find(0.5, 0.5) == NOWHERE
