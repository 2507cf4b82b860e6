"""The borders of polygons as edges that know what lies to their left and right."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
Ints = NDArray[np.int32]
Kinds = NDArray[np.int8]
Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Edges:
    """n directed edges of polygons, the polygon's interior to the left: ends (n, 4) as ax, ay, bx, by; owners (n,)."""

    ends: Floats
    owners: Rows


def edges_of(polygons: Geometries) -> Edges:
    """All edges of valid polygons and multipolygons, in their order, without those of length nought."""
    parts, part_owners = shapely.get_parts(polygons, return_index=True)
    rings, ring_parts = shapely.get_rings(parts, return_index=True)
    xy, ring_of = shapely.get_coordinates(rings, return_index=True)
    if not len(xy):
        return Edges(np.empty((0, 4)), np.empty(0, np.int64))
    is_hole = np.zeros(len(rings), bool)
    is_hole[1:] = ring_parts[1:] == ring_parts[:-1]
    backward = shapely.is_ccw(rings) == is_hole
    same = ring_of[1:] == ring_of[:-1]
    same &= (xy[1:] != xy[:-1]).any(axis=1)
    first = np.flatnonzero(same)
    ring = ring_of[first]
    turn = backward[ring]
    ends = np.empty((len(first), 4))
    ends[:, :2] = xy[first + turn]
    ends[:, 2:] = xy[first + 1 - turn]
    return Edges(ends, part_owners[ring_parts[ring]].astype(np.int64))
