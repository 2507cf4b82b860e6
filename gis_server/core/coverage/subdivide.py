"""Faces cut by the borders that run through them although they cancel.

Two neighbours may share a border perfectly and both lie under a third cell: their border is no residual, yet it
parts the ground of one pair from that of the other.
"""

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, Rings, ranges
from gis_server.core.coverage.residual import resolution, strip_width


def subdivide(
    polygons: Geometries, chosen: Flags, cells: Rings, unmatched: Indices, case: Case
) -> tuple[Geometries, Indices]:
    """(polygons, index of the face that each comes from): the chosen faces cut by the edges of active cells.

    The ``unmatched`` edges bound the faces already; only the others can run through one. A face that no edge crosses stays the same object.
    """
    rows = np.flatnonzero(chosen)
    whole = np.arange(len(polygons))
    if len(rows) == 0:
        return polygons, whole
    about = np.zeros(len(case.active), dtype=bool)
    about[case.ground.boxes_near(polygons[rows])] = True
    rings = np.flatnonzero((about & case.active)[cells.owner])
    edges = ranges(cells.start[rings], cells.start[rings + 1] - 1)
    edges = edges[~np.isin(edges, unmatched)]
    if len(edges) == 0:
        return polygons, whole
    segments = shapely.linestrings(np.stack([cells.xy[edges], cells.xy[edges + 1]], axis=1))
    face, segment = shapely.STRtree(segments).query(polygons[rows], predicate="intersects")
    inside = shapely.intersection(polygons[rows[face]], segments[segment])
    crosses = _run_inside(inside, polygons[rows[face]])
    if not crosses.any():
        return polygons, whole
    left = np.setdiff1d(whole, rows[face[crosses]])
    pieces: list[Geometries] = [polygons[left]]
    source: list[Indices] = [left]
    order = np.argsort(face[crosses], kind="stable")
    cut, cutter = face[crosses][order], segment[crosses][order]
    starts = np.flatnonzero(np.diff(cut, prepend=-1))
    for row, those in zip(cut[starts], np.split(cutter, starts[1:]), strict=True):
        polygon = polygons[rows[row]]
        lines = np.append(segments[those], shapely.boundary(polygon))
        parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines))))
        parts = parts[shapely.contains_xy(polygon, *_inner(parts).T)] if len(parts) else parts
        thick = strip_width(shapely.area(parts), shapely.length(parts)) > resolution(np.array(polygon.bounds))
        parts = parts[thick] if thick.sum() > 1 else np.array([polygon], dtype=object)
        pieces.append(parts)
        source.append(np.full(len(parts), rows[row]))
    return np.concatenate(pieces), np.concatenate(source)


def _inner(polygons: Geometries) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(polygons)))


def _run_inside(lines: Geometries, polygons: Geometries) -> Flags:
    """Which lines run through the inside of their polygon, not along its outline (both as GEOS has them)."""
    long_enough = shapely.length(lines) > 0
    found = np.zeros(len(lines), dtype=bool)
    at = np.flatnonzero(long_enough)
    if len(at) == 0:
        return found
    middle = shapely.line_interpolate_point(shapely.get_geometry(lines[at], 0), 0.5, normalized=True)
    usable = ~shapely.is_missing(middle) & ~shapely.is_empty(middle)
    at, middle = at[usable], middle[usable]
    reach = 4 * resolution(shapely.total_bounds(polygons[at]))
    found[at] = shapely.distance(shapely.boundary(polygons[at]), middle) > reach
    return found
