"""Bringing two layers to the same bits where they mean the same vertex: after a change of CRS no vertex keeps them."""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Floats, Geometries


def snap_vertices(moved: Geometries, fixed: Geometries, reach: float) -> Geometries:
    """``moved`` with every vertex that lies within ``reach`` of a vertex of ``fixed`` put exactly there."""
    xy, target = shapely.get_coordinates(moved), shapely.get_coordinates(fixed)
    target = target[np.isfinite(target).all(axis=1)]
    if len(xy) == 0 or len(target) == 0:
        return moved
    tree = shapely.STRtree(shapely.points(target))
    vertex, nearest = tree.query_nearest(shapely.points(xy), max_distance=reach, all_matches=False)

    snapped: Floats = np.array(xy)
    snapped[vertex] = target[nearest]
    return np.asarray(shapely.transform(moved, lambda _: snapped))
