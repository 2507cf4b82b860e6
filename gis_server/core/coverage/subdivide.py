"""Faces cut by the borders that run through them although they cancel.

Two neighbours may share a border perfectly and both lie under a third cell: their border is no residual, yet it
parts the ground of one pair from that of the other.
"""

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, Rings, among, ranges
from gis_server.core.coverage.nearness import boxes_meeting
from gis_server.core.coverage.residual import resolution, strip_width
from gis_server.core.coverage.tracing import faces_of


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
    edges = edges[~among(edges, unmatched)]
    if len(edges) == 0:
        return polygons, whole
    a, b = cells.xy[edges], cells.xy[edges + 1]
    west_south, east_north = np.split(shapely.bounds(polygons[rows]), 2, axis=1)
    segment, face = boxes_meeting((np.minimum(a, b), np.maximum(a, b)), (west_south, east_north))
    near, segment = np.unique(segment, return_inverse=True)
    segments = shapely.linestrings(np.stack([a[near], b[near]], axis=1))
    crosses = _run_inside(shapely.intersection(polygons[rows[face]], segments[segment]), polygons[rows[face]])
    if not crosses.any():
        return polygons, whole
    parts, part_of = _cut(polygons[rows], rows, segments, (face[crosses], segment[crosses]))
    left = np.setdiff1d(whole, part_of)
    return np.concatenate([polygons[left], parts]), np.concatenate([left, part_of])


def _cut(
    polygons: Geometries, rows: Indices, segments: Geometries, crossing: tuple[Indices, Indices]
) -> tuple[Geometries, Indices]:
    """The pieces of the polygons that (polygon, segment) pairs cut, and the row of each; all cut at once."""
    cut, cutters = np.unique(crossing[0]), np.unique(crossing[1])
    polygons, rows = polygons[cut], rows[cut]
    parts = faces_of(shapely.union_all(np.concatenate([shapely.boundary(polygons), segments[cutters]])))
    # segments that go on beyond their polygon may enclose ground outside
    over = Ground(polygons).over(_inner(parts))
    parts, home = parts[over.point], over.polygon
    finest = 8 * np.spacing(np.maximum(np.abs(shapely.bounds(polygons)).max(axis=1), 1.0))
    thick = strip_width(shapely.area(parts), shapely.length(parts)) > finest[home]
    parts, home = parts[thick], home[thick]
    several = np.bincount(home, minlength=len(polygons))[home] > 1
    return parts[several], rows[home[several]]


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
