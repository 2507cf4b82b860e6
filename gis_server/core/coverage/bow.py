"""Slivers that no hand drew: a straight line of one reference system bows in another, where one side has more vertices."""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries
from gis_server.core.coverage.residual import strip_width

_PIECE = 4.5
"""A sliver may lie between pieces of edges up to twice as long as its own: the bow of those is four times as deep."""
_EXACT_M = 1e-6
"""What a change of reference system costs in digits."""


def beyond_bow(flat: Geometries, bend: float) -> Flags:
    """Which faces (planar metres) are more than the bow of a straight line.

    An edge of length L bows out by ``4 · bend · t · (L − t)`` at t metres from its end, and by nothing at its ends. A strip
    as wide at its ends as in its middle is therefore no bow, however thin; nor is one that is wider than its length allows.
    """
    area, perimeter = shapely.area(flat), shapely.length(flat)
    width = strip_width(area, perimeter)
    beyond = np.asarray(width > bend * (perimeter / 2) ** 2)
    beyond |= shapely.get_num_interior_rings(flat) > 0
    for at in np.flatnonzero(~beyond):
        beyond[at] = not _is_bow(shapely.get_coordinates(flat[at]), bend)
    return beyond


def _is_bow(ring: Floats, bend: float) -> bool:
    """Whether every vertex lies within the bow of the longest edge, whose ends are its tips."""
    steps = np.diff(ring, axis=0)
    length = np.hypot(*steps.T)
    first = int(np.argmax(length))
    base = float(length[first])
    along = steps[first] / base
    away = ring - ring[first]
    t = np.clip(away @ along, 0.0, base)
    beside = np.hypot(*(away - np.outer(t, along)).T)
    return bool((beside <= _PIECE * 4.0 * bend * t * (base - t) + _EXACT_M).all())
