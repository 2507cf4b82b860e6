"""Which points lie at which edges: arrays in, arrays out, where a geometry for each point and edge would cost too much."""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Hashes, Indices, ranges, ring_layout

_X, _Y = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_TABLE = 18
_SPREAD = 4
"""Boxes are sought in grids of squares of at most so many sizes, each four times as wide as the one before."""


def edges_of(polygons: Geometries) -> tuple[Floats, Floats, Indices]:
    """(first vertices, last vertices, polygon) of the edges of ``polygons``."""
    xy = shapely.get_coordinates(polygons)
    start, owner, _ = ring_layout(polygons)
    first = ranges(start[:-1], start[1:] - 1)
    return xy[first], xy[first + 1], np.repeat(owner, np.diff(start) - 1)


def edges_near(points: Floats, a: Floats, b: Floats, reach: float) -> tuple[Indices, Indices]:
    """(point, edge) pairs of all edges from ``a`` to ``b`` (n, 2) within ``reach`` of one of the ``points`` (m, 2)."""
    none = np.empty(0, dtype=np.int64)
    if len(points) == 0 or len(a) == 0:
        return none, none
    low, high = np.minimum(a, b) - reach, np.maximum(a, b) + reach
    beside = _Lines(points, a, b, reach)
    found = [(none, none)]
    for size, some in _by_size((low, high)):
        point, edge = _in_one_square((points, points), _taken((low, high), some), 2.0**size)
        edge = some[edge]
        likely = beside.likely(point, edge)
        point, edge = point[likely], edge[likely]
        close = distance(points[point], a[edge], b[edge]) <= reach
        found.append((point[close], edge[close]))
    return np.concatenate([p for p, _ in found]), np.concatenate([e for _, e in found])


class _Lines:
    """The lines through edges: most points that share a square with an edge are far from its line, which costs little to find."""

    def __init__(self, points: Floats, a: Floats, b: Floats, reach: float) -> None:
        origin = a[0]
        near = points - origin
        self._x, self._y = near[:, 0].copy(), near[:, 1].copy()
        along = b - a
        length = np.hypot(along[:, 0], along[:, 1])
        length[length == 0] = 1.0  # a point lies on every line through itself
        self._across_x, self._across_y = -along[:, 1] / length, along[:, 0] / length
        start = a - origin
        self._away = self._across_x * start[:, 0] + self._across_y * start[:, 1]
        # far from the origin the last bits of a product are lost
        self._reach = reach + 1e-14 * max(float(np.abs(near).max()), float(np.abs(start).max()))

    def likely(self, point: Indices, edge: Indices) -> Flags:
        """Which points lie within reach of the line of the edge with the same index, as far as rounding can tell."""
        across = self._across_x[edge] * self._x[point]
        across += self._across_y[edge] * self._y[point]
        across -= self._away[edge]
        return np.asarray(np.abs(across) <= self._reach)


def boxes_meeting(boxes: tuple[Floats, Floats], others: tuple[Floats, Floats]) -> tuple[Indices, Indices]:
    """All (box, other) pairs that meet, once each; boxes are given by their lower and upper corners (n, 2)."""
    none = np.empty(0, dtype=np.int64)
    found = [(none, none)]
    count = len(others[0])
    for size, some in _by_size(boxes):
        for other_size, rest in _by_size(others):
            box, other = _in_one_square(
                _taken(boxes, some), _taken(others, rest), 2.0 ** max(size, other_size)
            )
            box, other = some[box], rest[other]
            meet = (boxes[0][box] <= others[1][other]) & (boxes[1][box] >= others[0][other])
            both = meet[:, 0] & meet[:, 1]
            found.append((box[both], other[both]))
    pairs = np.sort(np.concatenate([box * count + other for box, other in found]))
    new = np.concatenate([np.ones(min(len(pairs), 1), dtype=bool), pairs[1:] != pairs[:-1]])
    box, other = np.divmod(pairs[new], max(count, 1))
    return box, other


def distance(points: Floats, a: Floats, b: Floats) -> Floats:
    """How far each of the ``points`` (n, 2) is from the edge from ``a`` to ``b`` with the same index."""
    along_x, along_y = b[:, 0] - a[:, 0], b[:, 1] - a[:, 1]
    away_x, away_y = points[:, 0] - a[:, 0], points[:, 1] - a[:, 1]
    square = along_x * along_x + along_y * along_y
    share = (along_x * away_x + along_y * away_y) / np.where(square > 0, square, 1.0)
    np.clip(share, 0.0, 1.0, out=share)
    return np.asarray(np.hypot(away_x - share * along_x, away_y - share * along_y))


def _taken(boxes: tuple[Floats, Floats], chosen: Indices) -> tuple[Floats, Floats]:
    return boxes[0][chosen], boxes[1][chosen]


def _by_size(boxes: tuple[Floats, Floats]) -> list[tuple[int, Indices]]:
    """(exponent, boxes) such that no box of the group is wider or higher than two to the power of the exponent."""
    if len(boxes[0]) == 0:
        return []
    _, size = np.frexp((boxes[1] - boxes[0]).max(axis=1))
    widest = int(size.max())
    size = np.maximum(widest - (widest - size) // 2 * 2, widest - 2 * _SPREAD)
    return [(int(s), np.flatnonzero(size == s)) for s in np.unique(size)]


def _in_one_square(
    boxes: tuple[Floats, Floats], others: tuple[Floats, Floats], step: float
) -> tuple[Indices, Indices]:
    """(box, other) pairs that have a square of a grid of ``step`` in common; no box lies in more than four squares."""
    key, box = _squares(boxes, step)
    other_key, other = _squares(others, step)
    # a table of the squares that are taken rules most out before anything is sorted
    taken = np.zeros(1 << _TABLE, dtype=bool)
    taken[other_key >> np.uint64(64 - _TABLE)] = True
    likely = taken[key >> np.uint64(64 - _TABLE)]
    key, box = key[likely], box[likely]
    order = np.argsort(other_key)
    other_key, other = other_key[order], other[order]
    begin = np.searchsorted(other_key, key, side="left")
    end = np.searchsorted(other_key, key, side="right")
    return np.repeat(box, end - begin), other[ranges(begin, end)]


def _squares(boxes: tuple[Floats, Floats], step: float) -> tuple[Hashes, Indices]:
    """(key of a square, box) for each square that a box lies in."""
    first, last = _square(boxes[0], step), _square(boxes[1], step)
    wide, high = (first != last).T
    keys, lying = [_key(first)], [np.arange(len(first))]
    for x, y, there in ((True, False, wide), (False, True, high), (True, True, wide & high)):
        at = np.flatnonzero(there)
        if len(at):
            keys.append(_key(np.where([x, y], last[at], first[at])))
            lying.append(at)
    return np.concatenate(keys), np.concatenate(lying)


def _square(xy: Floats, step: float) -> Indices:
    return np.asarray(np.floor(xy / step).astype(np.int64))


def _key(square: Indices) -> Hashes:
    """One number for each square; two that happen to share one only make more pairs to look at."""
    x, y = square.astype(np.uint64).T
    key = (x ^ (x >> np.uint64(32))) * _X + y * _Y
    key ^= key >> np.uint64(29)
    return np.asarray(key * _X)
