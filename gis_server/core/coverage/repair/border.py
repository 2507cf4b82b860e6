"""The border of a cell as a set of directed edges, interior on the left: ground is added and taken by adding edges.

Adding the outline of a face that lies beside the cell cancels what both have in common, to the last bit and without
a predicate; what remains is traced into rings again.
"""

from collections.abc import Iterable, Mapping
from math import atan2, tau

import numpy as np
import shapely

from gis_server.core.coverage.edges import Floats

Point = tuple[float, float]
Edge = tuple[Point, Point]


class Tangled(Exception):
    """The edges are not the border of anything: a move was applied to a cell that it was not made for."""


class Border:
    """A growing set of directed edges in which opposite ones cancel."""

    def __init__(self, edges: Iterable[Edge] = ()) -> None:
        self.count: dict[Edge, int] = {}
        for begin, end in edges:
            self.add(begin, end)

    def add(self, begin: Point, end: Point) -> None:
        """Add one edge."""
        if begin == end:
            return
        back = self.count.get((end, begin), 0)
        if back > 1:
            self.count[end, begin] = back - 1
        elif back:
            del self.count[end, begin]
        else:
            self.count[begin, end] = self.count.get((begin, end), 0) + 1

    def rings(self, order: Mapping[Point, int]) -> list[list[Point]]:
        """Simple rings, not closed; each begins with its earliest vertex by ``order``. Raises Tangled."""
        out: dict[Point, list[Point]] = {}
        for (begin, end), times in self.count.items():
            if times > 1:
                raise Tangled
            out.setdefault(begin, []).append(end)
        return [_begun(ring, order) for ring in _loops(out)]


def _loops(out: dict[Point, list[Point]]) -> list[list[Point]]:
    found: list[list[Point]] = []
    while out:
        start = next(iter(out))
        path, place = [start], {start: 0}
        before: Point | None = None
        while path[-1] in out:
            here = path[-1]
            ahead = _next(before, here, out)
            before = here
            if ahead in place:  # a ring that touches itself is several rings
                at = place[ahead]
                found.append(path[at:])
                for point in path[at + 1 :]:
                    del place[point]
                del path[at + 1 :]
            else:
                place[ahead] = len(path)
                path.append(ahead)
        if len(path) > 1:
            raise Tangled
    return found


def _next(before: Point | None, here: Point, out: dict[Point, list[Point]]) -> Point:
    """The way on along the same ground: the first edge clockwise from where we came."""
    ways = out[here]
    chosen = 0
    if len(ways) > 1 and before is not None:
        back = atan2(before[1] - here[1], before[0] - here[0])
        turns = [(back - atan2(w[1] - here[1], w[0] - here[0])) % tau for w in ways]
        chosen = min(range(len(ways)), key=lambda i: (turns[i] or tau, ways[i]))
    ahead = ways.pop(chosen)
    if not ways:
        del out[here]
    return ahead


def _begun(ring: list[Point], order: Mapping[Point, int]) -> list[Point]:
    first = min(range(len(ring)), key=lambda i: (order.get(ring[i], len(order)), ring[i]))
    return ring[first:] + ring[:first]


def rings_of(polygon: shapely.Geometry) -> list[list[Point]]:
    """The rings of a polygon, not closed, shells anticlockwise and holes clockwise."""
    rings: list[list[Point]] = []
    for part in shapely.get_parts(shapely.orient_polygons(polygon)):
        for ring in shapely.get_rings(part):
            xy = shapely.get_coordinates(ring).tolist()
            rings.append([(x, y) for x, y in xy[:-1]])
    return rings


def edges_of(ring: list[Point]) -> Iterable[Edge]:
    """The edges of a ring that is not closed."""
    return zip(ring, [*ring[1:], ring[0]], strict=True)


def as_segments(rings: Iterable[list[Point]], *, outward: bool = False) -> Floats:
    """The edges of rings as (n, 4); ``outward`` turns them round, which takes the ground instead of adding it."""
    rows = [(*b, *a) if outward else (*a, *b) for ring in rings for a, b in edges_of(ring)]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def polygon_of(rings: list[list[Point]]) -> shapely.Geometry | None:
    """The polygon that rings bound, None without ground; the largest part comes first."""
    shells, holes = [], []
    for ring in rings:
        if len(ring) < 3:
            continue
        area = _area(ring)
        if area > 0:
            shells.append((area, ring))
        elif area < 0:
            holes.append(ring)
    shells.sort(key=lambda s: -s[0])
    if not shells:
        return None
    if len(shells) == 1:
        return shapely.Polygon(shells[0][1], holes)
    solid = [shapely.Polygon(ring) for _, ring in shells]
    inside: list[list[list[Point]]] = [[] for _ in shells]
    for hole in holes:
        spot = shapely.point_on_surface(shapely.Polygon(hole))
        around = [i for i, shell in enumerate(solid) if shell.contains(spot)]
        if not around:
            raise Tangled
        inside[around[-1]].append(hole)  # the smallest of those around it
    return shapely.MultiPolygon(
        [shapely.Polygon(ring, hole) for (_, ring), hole in zip(shells, inside, strict=True)]
    )


def _area(ring: list[Point]) -> float:
    x0, y0 = ring[0]
    return sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in edges_of(ring)) / 2
