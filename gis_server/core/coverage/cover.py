"""Which polygons lie over which points: fast for many small cells and for one with thousands of holes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices
from gis_server.core.coverage.nearness import distance, edges_of
from gis_server.core.coverage.residual import strip_width

CLEARANCE = 0.05
"""An inner point keeps this share of the polygon's width off its outline."""
_TRIES = 9
_MOST_TRIANGLES = 20_000  # vertices: beyond, a line across is cheaper
_WORTH_PREPARING = 200  # vertices: below, looking at every edge is cheaper than building an index


@dataclass(frozen=True, slots=True)
class Over:
    """(``point``, ``polygon``) pairs, a point inside a polygon; ``on_border`` flags points on any polygon's border."""

    point: Indices
    polygon: Indices
    on_border: Flags

    def with_again(self, points: Indices, again: "Over") -> "Over":
        """This, with what ``again`` says of some ``points`` in place of what was said."""
        stays = np.ones(len(self.on_border), dtype=bool)
        stays[points] = False
        kept = stays[self.point]
        on_border = self.on_border.copy()
        on_border[points] = again.on_border
        return Over(
            np.concatenate([self.point[kept], points[again.point]]),
            np.concatenate([self.polygon[kept], again.polygon]),
            on_border,
        )

    def renumbered(self, source: Indices) -> "Over":
        """The same for points in another order: point i is point ``source[i]`` of this; each occurs once at most."""
        place = np.full(len(self.on_border), -1, dtype=np.int64)
        place[source] = np.arange(len(source))
        kept = place[self.point] >= 0
        return Over(place[self.point[kept]], self.polygon[kept], self.on_border[source])

    def followed_by(self, other: "Over") -> "Over":
        """This, and more points after its own."""
        return Over(
            np.concatenate([self.point, other.point + len(self.on_border)]),
            np.concatenate([self.polygon, other.polygon]),
            np.concatenate([self.on_border, other.on_border]),
        )


@dataclass(frozen=True, slots=True)
class Inner:
    """A ``point`` (n, 2) inside each of some polygons, and what lies ``over`` it of each ground."""

    point: Floats
    over: tuple[Over, ...]


class Ground:
    """Polygons with an index over them."""

    def __init__(self, polygons: Geometries) -> None:
        self.polygons = polygons
        self._tree = shapely.STRtree(polygons)
        self._size = shapely.get_num_coordinates(polygons)

    def over(self, points: Floats, shapes: Geometries | None = None) -> "Over":
        """Which polygons hold which of the ``points`` (n, 2); ``shapes`` are the same as geometries, if there are any."""
        if len(points) == 0:
            none = np.empty(0, dtype=np.int64)
            return Over(none, none, np.zeros(0, dtype=bool))
        point, polygon = self._tree.query(shapely.points(points) if shapes is None else shapes)
        self._prepare(polygon)
        x, y = points[point, 0], points[point, 1]
        holds = shapely.contains_xy(self.polygons[polygon], x, y)
        on_border = np.zeros(len(points), dtype=bool)
        rest = np.flatnonzero(~holds)
        on_border[point[rest[shapely.intersects_xy(self.polygons[polygon[rest]], x[rest], y[rest])]]] = True
        return Over(point[holds].astype(np.int64), polygon[holds].astype(np.int64), on_border)

    def near(self, points: Floats, distance: float) -> tuple[Indices, Indices]:
        """(point, polygon) pairs of all polygons within ``distance`` of a point of ``points`` (n, 2)."""
        return self.near_shapes(shapely.points(points), distance)

    def near_shapes(self, shapes: Geometries, distance: float) -> tuple[Indices, Indices]:
        """(shape, polygon) pairs of all polygons within ``distance`` of a shape."""
        if len(shapes) == 0:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        west, south, east, north = shapely.bounds(shapes).T
        shape, polygon = self._tree.query(
            shapely.box(west - distance, south - distance, east + distance, north + distance)
        )
        self._prepare(polygon)
        close = shapely.dwithin(self.polygons[polygon], shapes[shape], distance)
        return shape[close].astype(np.int64), polygon[close].astype(np.int64)

    def boxes_near(self, shapes: Geometries) -> Indices:
        """The polygons whose boxes meet the box of any of the shapes."""
        return np.unique(self._tree.query(shapes)[1]).astype(np.int64)

    def _prepare(self, polygon: Indices) -> None:
        """Index the edges of the big ones among these polygons."""
        big = np.unique(polygon[self._size[polygon] > _WORTH_PREPARING])
        if len(big):
            shapely.prepare(self.polygons[big])


def locate(ground: Ground, polygons: Geometries, wanted: Flags) -> Indices:
    """The polygon of ``ground`` in which a point of each wanted polygon lies; −1 where there is none.

    Where several hold the point, the first is taken.
    """
    found = np.full(len(polygons), -1, dtype=np.int64)
    rows = np.flatnonzero(wanted)
    if len(rows) == 0:
        return found
    (found_in,) = inner_points(polygons[rows], [ground]).over
    found[rows[found_in.point[::-1]]] = found_in.polygon[::-1]
    return found


def locate_by_share(ground: Ground, polygons: Geometries, wanted: Flags) -> Indices:
    """The polygon of ``ground`` that shares most ground with each wanted polygon; −1 where none shares any.

    For the few that ``locate`` leaves: a cell pushed halfway over the border still belongs to what it left.
    """
    found = np.full(len(polygons), -1, dtype=np.int64)
    rows = np.flatnonzero(wanted)
    row, polygon = ground.near_shapes(polygons[rows], 0.0)
    share = shapely.area(shapely.intersection(polygons[rows[row]], ground.polygons[polygon]))
    # written smallest share first, so that the largest stays; of equal shares the first polygon
    order = np.lexsort((-polygon, share))
    order = order[share[order] > 0]
    found[rows[row[order]]] = polygon[order]
    return found


def inner_points(polygons: Geometries, grounds: Sequence[Ground]) -> Inner:
    """A point well inside each polygon, and on no border of any polygon of ``grounds`` if one can be had.

    Where edges run a rounding apart, GEOS may put its point into the hair between them; such a point tells nothing.
    """
    shapes = shapely.point_on_surface(polygons)
    points = np.asarray(shapely.get_coordinates(shapes)).reshape(-1, 2)
    over = tuple(ground.over(points, shapes) for ground in grounds)
    at = np.flatnonzero(_doubtful(polygons, points, over))
    for turn in range(1, _TRIES):
        if len(at) == 0:
            break
        points[at] = [_another_point(polygon, turn) for polygon in polygons[at]]
        again = tuple(ground.over(points[at]) for ground in grounds)
        over = tuple(one.with_again(at, other) for one, other in zip(over, again, strict=True))
        at = at[_doubtful(polygons[at], points[at], again)]
    return Inner(points, over)


def _doubtful(polygons: Geometries, points: Floats, over: Sequence[Over]) -> Flags:
    """Which points are too near their polygon's outline, or on a border."""
    if len(polygons) == 0:
        return np.zeros(0, dtype=bool)
    a, b, owner = edges_of(polygons)
    nearest = np.full(len(polygons), np.inf)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    nearest[owner[begins]] = np.minimum.reduceat(distance(points[owner], a, b), begins)
    bad = nearest < CLEARANCE * strip_width(shapely.area(polygons), shapely.length(polygons))
    bad |= ~shapely.contains_xy(polygons, points)
    for one in over:
        bad |= one.on_border
    return np.asarray(bad)


def _another_point(polygon: shapely.Polygon, turn: int) -> Floats:
    """A point inside ``polygon``, another each turn, where it is widest and at no round fraction of anything."""
    if shapely.get_num_coordinates(polygon) > _MOST_TRIANGLES:
        return _point_on_level(polygon, turn)
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    if len(triangles) == 0:
        return _point_on_level(polygon, turn)
    roomy = np.argsort(-shapely.area(triangles) / shapely.length(triangles), kind="stable")
    a, b, c = shapely.get_coordinates(triangles[roomy[((turn - 1) // 2) % len(roomy)]])[:3]
    one, other = (0.31, 0.36) if turn % 2 else (0.3819660112501051, 0.2763932022500210)
    return np.asarray(a + (b - a) * one + (c - a) * other)


def _point_on_level(polygon: shapely.Polygon, turn: int) -> Floats:
    west, south, east, north = polygon.bounds
    y = south + (north - south) * ((turn * 0.6180339887498949) % 1.0)
    across = shapely.get_parts(polygon.intersection(shapely.LineString([(west, y), (east, y)])))
    if len(across) == 0 or shapely.length(across).max() == 0:
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(polygon))[0])
    ends = shapely.get_coordinates(across[np.argmax(shapely.length(across))])
    return np.asarray(ends[0] + (ends[-1] - ends[0]) * 0.4142135623730951)
