"""Faces: the smallest pieces of ground, from which every polygon of the city is put together.

All lines are noded once on the centimetre grain and polygonized. Because every area is a union of faces, areas of
every level meet in bit-identical vertices, T-junctions included.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from gis_server.sample.chance import GRAIN, rounded
from gis_server.sample.streets import lanes, local_streets
from gis_server.sample.terrain import Terrain, built_up, rings
from gis_server.sample.villages import Country

FACE_HOUSEHOLDS = 30.0
"""A block expected to hold more than this many households is cut by lanes."""

Objects = NDArray[np.object_]
Ints = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces and who touches whom. Arrays have one entry a face, unless said otherwise."""

    polygons: Objects
    x: Floats  # of a point inside
    y: Floats
    area: Floats  # m²
    seat: Ints  # built-up area, -1 in the country
    superblock: Ints  # -1 in the country
    block: Ints  # street block, -1 in the country
    hamlet: Ints  # hamlet whose houses stand here, -1 elsewhere
    pairs: Ints  # (m, 2) neighbours, first < second
    shared: Floats  # (m,) metres of common border

    def __len__(self) -> int:
        return len(self.polygons)


def neighbours(polygons: Objects) -> tuple[Ints, Floats]:
    """Pairs of faces with a common border and its length, from exactly equal segments."""
    ring, of_polygon = shapely.get_rings(polygons, return_index=True)
    points, of_ring = shapely.get_coordinates(ring, return_index=True)
    cm = np.rint(points * 100).astype(np.int64)
    key = (cm[:, 0] << 31) | cm[:, 1]
    follows = of_ring[1:] == of_ring[:-1]
    a, b = key[:-1][follows], key[1:][follows]
    length = np.hypot(*(points[1:] - points[:-1]).T)[follows]
    owner = of_polygon[of_ring[:-1][follows]]
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((high, low))
    low, high, owner, length = low[order], high[order], owner[order], length[order]
    twice = (low[1:] == low[:-1]) & (high[1:] == high[:-1]) & (owner[1:] != owner[:-1])
    one, two = owner[:-1][twice], owner[1:][twice]
    pairs = np.column_stack([np.minimum(one, two), np.maximum(one, two)])
    found, which = np.unique(pairs, axis=0, return_inverse=True)
    total: Floats = np.bincount(which.ravel(), weights=length[:-1][twice]).astype(np.float64)
    return found.astype(np.intp), total


def located(shapes: list[Polygon] | Objects, x: Floats, y: Floats) -> Ints:
    """For each point the index of the shape it lies in (the lowest), or -1."""
    found = np.full(len(x), -1, dtype=np.intp)
    if len(shapes):
        point, shape = shapely.STRtree(shapes).query(shapely.points(x, y), predicate="within")
        order = np.lexsort((-shape, point))  # the lowest index is written last
        found[point[order]] = shape[order]
    return found


def _located_or_nearest(
    shapes: list[Polygon] | Objects, x: Floats, y: Floats, chosen: NDArray[np.bool_]
) -> Ints:
    """As ``located`` for the chosen points, with the nearest shape for one that noding left between two; else -1."""
    found = np.where(chosen, located(shapes, x, y), -1)
    lost = np.flatnonzero(chosen & (found < 0))
    if len(lost):
        found[lost] = shapely.STRtree(shapes).nearest(shapely.points(x[lost], y[lost]))
    return found


def points_inside(polygons: Objects) -> tuple[Floats, Floats]:
    """Coordinates of a point inside each polygon."""
    points = shapely.point_on_surface(polygons)
    return shapely.get_x(points), shapely.get_y(points)


def expected_density(terrain: Terrain, x: Floats, y: Floats) -> Floats:
    """Households per hectare of built-up ground before chance: falls from each seat's centre, 0 in the country."""
    seat = built_up(terrain, x, y)
    density = np.zeros(len(x))
    for i, place in enumerate(terrain.seats):
        here = seat == i
        away = np.hypot(x[here] - place.centre[0], y[here] - place.centre[1]) / place.radius
        density[here] = 12.0 + 58.0 * np.exp(-2.1 * away**1.5)
    return density


def _network(parts: list[object]) -> Objects:
    noded = shapely.union_all(np.array(parts, dtype=object), grid_size=GRAIN)
    faces: Objects = shapely.get_parts(shapely.polygonize([noded]))
    return faces


def make_faces(
    seed: int, terrain: Terrain, country: Country, main_roads: list[LineString], supers: list[Polygon]
) -> tuple[Faces, list[LineString]]:
    """The faces, and the local streets among whose blocks they lie."""
    streets = [line for i, block in enumerate(supers) for line in local_streets(seed, i, block)]
    edges = [terrain.river, terrain.railway, *rings(terrain)]
    blocks = _network([*main_roads, *streets, *edges])
    x, y = points_inside(blocks)
    blocks = blocks[built_up(terrain, x, y) >= 0]
    x, y = points_inside(blocks)
    expected = expected_density(terrain, x, y) * shapely.area(blocks) / 1e4
    narrow = []
    for i, (block, households) in enumerate(zip(blocks, expected, strict=True)):
        if households > FACE_HOUSEHOLDS:
            narrow.extend(lanes(seed, i, block, int(np.ceil(households / FACE_HOUSEHOLDS))))
    polygons = _network([*main_roads, *streets, *edges, *narrow, *country.borders, *country.lanes])
    x, y = points_inside(polygons)
    inside = shapely.contains_xy(terrain.county, x, y)
    polygons = shapely.normalize(polygons[inside])
    corner = shapely.bounds(polygons)
    order = np.lexsort((shapely.area(polygons), corner[:, 1], corner[:, 0]))
    polygons = polygons[order]
    x, y = (rounded(v) for v in points_inside(polygons))
    seat = built_up(terrain, x, y)
    urban = seat >= 0
    pairs, shared = neighbours(polygons)
    faces = Faces(
        polygons=polygons,
        x=x,
        y=y,
        area=shapely.area(polygons),
        seat=seat,
        superblock=_located_or_nearest(supers, x, y, urban),
        block=_located_or_nearest(blocks, x, y, urban),
        hamlet=np.where(urban, -1, located(list(country.shapes), x, y)),
        pairs=pairs,
        shared=shared,
    )
    return faces, streets
