"""Vertices of a mended level put into the borders above it, so that every level comes out to the last bit.

Where two cells meet on a straight edge of their parent, their common vertex lies off that edge by a rounding. The
parent, and whoever else has that edge, gets the vertex too: nothing moves by more than the rounding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from gis_server.core.coverage.certificate import open_groups
from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, flatten
from gis_server.core.coverage.repair.border import Edge, Point
from gis_server.core.coverage.residual import resolution, unmatched


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges from ``begin`` to ``end`` (n, 2), and the parent of each."""

    begin: Floats
    end: Floats
    group: Indices


def loose_vertices(
    cells: Geometries, parent_of: Indices, parents: Geometries, active: Flags, changed: Flags
) -> dict[Edge, list[Point]]:
    """What is missing where the cells that ``changed`` meet their parents' edges: by edge (lesser end first) the vertices on it.

    Vertices of cells on edges of their parent, up to a rounding, and of the parent on edges of those cells, in order.
    """
    rings, above = flatten(cells), flatten(parents)
    group = np.where(active, parent_of, -1)
    still_open = open_groups(rings, group, above)
    if not still_open.any():
        return {}
    edges, parent_edges = unmatched(rings, group, above, still_open, active & (group >= 0))
    owner = rings.owner_of_edges(edges)
    edges, owner = edges[changed[owner]], owner[changed[owner]]
    if len(edges) == 0 or len(parent_edges) == 0:
        return {}
    lower = _Edges(rings.xy[edges], rings.xy[edges + 1], group[owner])
    upper = _Edges(above.xy[parent_edges], above.xy[parent_edges + 1], above.owner_of_edges(parent_edges))
    reach = 4 * resolution(shapely.total_bounds(parents))
    found: dict[Edge, dict[Point, float]] = {}
    for lines, others in ((upper, lower), (lower, upper)):
        _put(found, lines, others, reach)
    return {edge: sorted(points, key=points.__getitem__) for edge, points in found.items()}


def _put(found: dict[Edge, dict[Point, float]], edges: _Edges, others: _Edges, reach: float) -> None:
    """Note the vertices of ``others`` that lie on ``edges``."""
    lines = shapely.linestrings(np.stack([edges.begin, edges.end], axis=1))
    vertices, groups = np.concatenate([others.begin, others.end]), np.tile(others.group, 2)
    vertex, line = shapely.STRtree(lines).query(shapely.points(vertices), predicate="dwithin", distance=reach)
    at, begin, end = vertices[vertex], edges.begin[line], edges.end[line]
    along = end - begin
    share = ((at - begin) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-300)
    inner = (groups[vertex] == edges.group[line]) & (share > 0) & (share < 1)
    inner &= (np.abs(at - begin).max(axis=1) > reach) & (np.abs(at - end).max(axis=1) > reach)
    for i in np.flatnonzero(inner).tolist():
        one, other = _point(begin[i]), _point(end[i])
        edge, place = ((one, other), share[i]) if one <= other else ((other, one), 1 - share[i])
        found.setdefault(edge, {})[_point(at[i])] = float(place)


def stitched(polygons: Geometries, inserts: Mapping[Edge, Sequence[Point]]) -> Geometries:
    """The polygons with the vertices in every edge that has them; those without such an edge are the same objects."""
    if not inserts:
        return polygons
    lines = shapely.linestrings([list(edge) for edge in inserts])
    with_boxes = np.where(shapely.is_missing(polygons), shapely.Polygon(), polygons)
    near = np.unique(shapely.STRtree(with_boxes).query(lines)[1])
    sewn = polygons.copy()
    for i in near.tolist():
        sewn[i] = _sewn(polygons[i], inserts)
    return sewn


def _sewn(polygon: shapely.Geometry, inserts: Mapping[Edge, Sequence[Point]]) -> shapely.Geometry:
    changed = False
    parts = []
    for part in shapely.get_parts(polygon):
        rings = []
        for ring in shapely.get_rings(part):
            points = [_point(p) for p in shapely.get_coordinates(ring)]
            sewn = _with(points, inserts)
            changed |= len(sewn) != len(points)
            rings.append(sewn)
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    if not changed:
        return polygon
    return parts[0] if shapely.get_type_id(polygon) == 3 else shapely.MultiPolygon(parts)


def _with(points: list[Point], inserts: Mapping[Edge, Sequence[Point]]) -> list[Point]:
    sewn = points[:1]
    for a, b in pairwise(points):
        more = inserts.get((a, b) if a <= b else (b, a), ())
        sewn += more if a <= b else more[::-1]
        sewn.append(b)
    return sewn


def _point(xy: Floats) -> Point:
    return float(xy[0]) + 0.0, float(xy[1]) + 0.0
