"""Slivers that no hand drew: a straight line of one reference system bows in another, where one side has more vertices."""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, among, place_keys
from gis_server.core.coverage.layer import Plane
from gis_server.core.coverage.residual import resolution, strip_width

_EXACT_M = 1e-6
"""What a change of reference system costs in digits."""


def beyond_bow(found: Geometries, flat: Geometries, begin: Floats, end: Floats, plane: Plane) -> Flags:
    """Which faces are more than the bow of a straight line; ``found`` in the data's coordinates, ``flat`` in metres.

    ``begin`` and ``end`` (n, 2) are the edges that enclose the faces. One of length L bows out by ``4 · bend · t · (L − t)``
    at t metres from its end, and by nothing at its ends. So a strip as wide at the ends of its edge as in the middle is no
    bow, however thin; nor is one that is wider than its length allows.
    """
    edge_begin, edge_end = (xy if plane.to_metres is None else plane.to_metres(xy) for xy in (begin, end))
    longest = float(np.hypot(*(edge_end - edge_begin).T).max(initial=0.0))
    # cheap first: wider than the deepest bow there is
    beyond = np.asarray(strip_width(shapely.area(flat), shapely.length(flat)) > plane.bend * longest**2)
    thin = np.flatnonzero(~beyond)
    if len(thin):
        beyond[thin] = True
        face, edge = _edges_along(found[thin], begin, end)
        vertices, edges = shapely.get_coordinates(found[thin]), np.concatenate([begin, end])
        drawn = among(place_keys(vertices), place_keys(edges))
        within = _within_bow(flat[thin], drawn, face, edge_begin[edge], edge_end[edge], bend=plane.bend)
        beyond[thin[face[within]]] = False
    return beyond


def _edges_along(faces: Geometries, begin: Floats, end: Floats) -> tuple[Indices, Indices]:
    """(face, edge) pairs of the edges that each face lies along."""
    xy, owner = shapely.get_coordinates(faces, return_index=True)
    same = owner[1:] == owner[:-1]
    middle, owner = ((xy[1:] + xy[:-1]) / 2)[same], owner[1:][same]
    edges = shapely.linestrings(np.stack([begin, end], axis=1))
    reach = 4 * resolution(shapely.total_bounds(edges))
    point, edge = shapely.STRtree(edges).query(shapely.points(middle), predicate="dwithin", distance=reach)
    pairs = np.unique(np.stack([owner[point], edge], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _within_bow(flat: Geometries, drawn: Flags, face: Indices, a: Floats, b: Floats, *, bend: float) -> Flags:
    """Whether every vertex of each ``face`` that was ``drawn`` lies within the bow of its edge from ``a`` to ``b``.

    The other vertices are where edges cross, and follow from those.
    """
    xy, owner = shapely.get_coordinates(flat, return_index=True)
    count = np.bincount(owner, minlength=len(flat))
    first = np.cumsum(count) - count
    pair = np.repeat(np.arange(len(face)), count[face])
    place = np.arange(len(pair)) - np.repeat(np.cumsum(count[face]) - count[face], count[face])
    vertex = first[face][pair] + place
    length = np.maximum(np.hypot(*(b - a).T), _EXACT_M)
    along = ((b - a) / length[:, None])[pair]
    away = xy[vertex] - a[pair]
    t = np.clip((away * along).sum(axis=1), 0.0, length[pair])
    beside = np.hypot(*(away - along * t[:, None]).T)
    wild = drawn[vertex] & (beside > 4.0 * bend * t * (length[pair] - t) + _EXACT_M)
    return np.asarray(np.bincount(pair[wild], minlength=len(face)) == 0)
